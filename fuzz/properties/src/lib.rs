//! # Counterfoil: what must hold of any bytes
//!
//! One function per decoder, or per family of decoders: it takes any bytes, panics when a property does not hold, and says
//! whether the bytes were *accepted*, that is, got through to the end of what it checks. The fuzz targets call these
//! functions with what libFuzzer invents, `tests/seeds.rs` calls them with every kept seed, so that whoever has nothing but
//! `cargo test` runs the same properties over the same bytes.
//!
//! What holds everywhere:
//!
//! - no input panics, hangs or makes the process take memory that it has not sent;
//! - **canonical**: what a decoder accepts, it encodes to the very bytes it was given; what text says is the same after it
//!   was printed and read again;
//! - **sound**: of all the bytes near a good batch or proof, the good one alone is accepted, also when a servicer signs
//!   whatever it has changed; a joint check accepts if and only if each of its proofs is accepted alone.
//!
//! The good batches and proofs are made here, by [`mod@world`], with the system's own prover: a new proof suite is fuzzed as
//! soon as `seal` makes it.

#![allow(clippy::arithmetic_side_effects, reason = "an overflow in a property is a finding")]
#![allow(clippy::missing_panics_doc, reason = "a panic is how a property says that it does not hold")]

mod input;

pub mod world;

pub mod keys;
pub mod proofs;

pub mod batch;
pub mod chain;
pub mod notice;
pub mod store;

pub mod control;
pub mod extract;
pub mod import;
pub mod peer;
pub mod text;

/// A property by the name of its fuzz target, which is also its folder of seeds.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every fuzz target.
pub const TARGETS: [Target; 17] = [
    ("keys", keys::any_bytes),
    ("range_proof", proofs::like_the_crate),
    ("joint_check", proofs::all_or_nothing),
    ("batch_bytes", batch::any_bytes),
    ("batch_forged", batch::forged),
    ("section_text", batch::section_text),
    ("chain_bytes", chain::any_bytes),
    ("attestation", notice::attestation),
    ("decree", notice::decree),
    ("log_damaged", store::log_damaged),
    ("peer_bytes", peer::any_bytes),
    ("peer_replica", peer::hostile_member),
    ("journal_damaged", peer::journal_damaged),
    ("text", text::any_text),
    ("import", import::any_tables),
    ("extract", extract::any_extract),
    ("control", control::any_bytes),
];
