//! # Counterfoil: the cryptography
//!
//! Points, proofs and envelopes. This crate knows no account, no clock and no I/O; randomness is an argument.
//! Modules use only modules above them:
//!
//! 1. names and bytes: [`labels`], [`parallel`] (threads), [`secret`], [`encoding`], [`merkle`];
//! 2. signatures: [`identity`], [`quorum`];
//! 3. amounts: [`pedersen`] commitments, [`recover`] (bounded discrete logarithms);
//! 4. proofs: [`range`] (aggregated range proofs), [`form`] (combinations of commitments, not computed), [`statement`] (sigma proofs; the one place that draws challenges),
//!    [`view_key`] (handles), [`relation`] (what a batch proves, written once for prover and verifier);
//! 5. secrecy: [`envelope`] (sealed sections).
//!
//! Every byte of it, for whoever writes a second program: [`specification`].

pub mod labels;
pub mod parallel;
pub mod secret;

pub mod encoding;
pub mod merkle;

pub mod identity;
pub mod quorum;

pub mod pedersen;
pub mod recover;

pub mod range;

pub mod form;
pub mod statement;
pub mod view_key;

pub mod relation;

pub mod envelope;

pub mod specification {
    #![doc = include_str!("../docs/SPECIFICATION.md")]
}
