//! The store under crashes, damage and full disks.

mod log_crash;
mod log_damage;
mod log_disk;
mod recovery;
mod state_tree;
