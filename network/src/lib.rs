//! Moves and orders opaque bytes among the members of a consortium.
//!
//! ```text
//!   offer ──▶ pool of every node ──▶ propose ──▶ vote ──▶ commit       (node.rs: the loop)
//!             admit (Application)    ┌───────────────────────────┐
//!                                    │ replica.rs: pure, no clock│──▶ journal.rs: durable before it leaves
//!                                    └───────────────────────────┘
//!             mesh.rs, tls.rs: one QUIC connection per pair of members, keys pinned to the roster
//! ```
//!
//! What the bytes mean is decided elsewhere: see [`Application`]. The order among the members is Tendermint's
//! (Buchman, Kwon, Milosevic, *The latest gossip on BFT consensus*, 2018), by the Malachite engine, which only
//! `context.rs` and `replica.rs` know. Only `mesh.rs` and `tls.rs` know QUIC.
//!
//! Invariants, and where they are kept:
//! 1. Nothing signed leaves before it is durable (`replica.rs`, `Desk::publish`), so a crash never equivocates.
//! 2. Whatever a peer can make this node keep is bounded (`replica.rs`, `catchup.rs`, `mesh.rs`).
//! 3. No length is believed before it is compared with a limit (`wire.rs`, `mesh.rs`).
//! 4. The replica has no clock, task or randomness: the same inputs give the same effects (`sim.rs` tests it).
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "an overflow in a test should panic"))]

mod app;
mod catchup;
mod context;
mod journal;
mod mesh;
mod node;
pub mod probe;
mod replica;
mod roster;
#[cfg(test)]
mod sim;
mod tls;
mod wire;

pub use app::{Application, Fatal, Refused};
pub use journal::JournalError;
pub use mesh::MeshError;
pub use node::{Config, Handle, NetworkError, Stopped, start};
pub use replica::Timeouts;
pub use roster::{Roster, RosterError};
pub use tls::TlsError;
pub use wire::{MAX_BLOCK, MAX_ITEM, MAX_VALIDATORS};
