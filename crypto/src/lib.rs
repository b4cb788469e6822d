//! Points, proofs and envelopes. Knows no account, no clock, no I/O.
pub mod identity;
pub mod labels;
pub mod quorum;
pub mod secret;
