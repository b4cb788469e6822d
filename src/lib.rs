//! # Counterfoil
//!
//! A privacy-preserving permissioned ledger for banks that lend together. This crate is the binary's thin library: it ties
//! the floors below together and holds no rule and no proof. Modules use only modules above them:
//!
//! 1. [`home`]: a member's folder; [`control`]: how its programs speak to its node;
//! 2. [`pool`], [`node`]: what the network's opaque items mean;
//! 3. [`servicer`], [`import`], [`booking`]: from loans to batches;
//! 4. [`report`]: what a member reads; [`audit`]: checking a chain without keys;
//! 5. [`cluster`], [`demo`]: a whole consortium on one machine, with [`progress`] bars; [`cli`].

pub mod control;
pub mod home;

pub mod node;
pub mod pool;

pub mod booking;
pub mod import;
pub mod servicer;

pub mod audit;
pub mod report;

pub mod cli;
pub mod cluster;
pub mod demo;
pub mod progress;
