//! # Counterfoil
//!
//! A privacy-preserving permissioned ledger for banks that lend together. This crate is the binary's thin library: it ties
//! the floors below together and holds no rule and no proof. Modules use only modules above them:
//!
//! 1. [`home`]: a member's folder; [`control`]: how its programs speak to its node; [`progress`]: what people see;
//! 2. [`report`]: what a member reads; [`totals`]: what banks attest and regulators check;
//! 3. [`verdicts`], [`pool`], [`notices`], [`node`]: what the network's opaque items mean;
//! 4. [`servicer`], [`import`], [`booking`]: from loans to batches;
//! 5. [`reconcile`]: a bank's extract against its own openings;
//! 6. [`audit`]: checking a chain without keys; [`suites`]: votes and decrees;
//! 7. [`cluster`], [`demo`]: a whole consortium on one machine; [`cli`].

pub mod control;
pub mod home;
pub mod progress;

pub mod report;
pub mod totals;

pub mod notices;
pub mod pool;
pub mod verdicts;

pub mod node;

pub mod booking;
pub mod import;
pub mod servicer;

pub mod reconcile;

pub mod audit;
pub mod suites;

pub mod cli;
pub mod cluster;
pub mod demo;
