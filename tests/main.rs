//! Tests of the whole system: the binary, its processes, real QUIC on loopback, real loans where they are at hand.
//!
//! Every test makes its own consortium in a temporary folder, on ports that are picked free, and stops its processes.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that meets the unexpected should stop"
)]

mod support;

mod auto;
mod cli;
mod colent;
mod crash;
mod demo;
mod epochs;
mod reconcile;
