//! Tests of the whole way of a batch, in memory: draft, seal, verify, apply, open.

#![allow(clippy::arithmetic_side_effects, reason = "tests count small things")]

mod attacks;
mod blocks;
mod books;
mod completeness;
mod life;
mod privacy;
mod recovery;
mod totals;
mod world;
