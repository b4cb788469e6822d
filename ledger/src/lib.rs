//! # Counterfoil: the ledger
//!
//! Two books that must agree: *positions* hold the detail of joint loans, *control accounts* the totals; both are
//! commitments, so that their agreement is an equation that every peer checks. A pure heart: no clock, no socket, no
//! task, no randomness of its own. In the order in which a batch travels:
//!
//! ```text
//!   Draft ──seal──▶ Batch ──verify──▶ Verified ──order──▶ Block ──apply──▶ Entry ──open──▶ View
//!   (clear)         (sealed)          (capability)        (decided)        (journal)       (clear, yours)
//! ```
//!
//! 1. words: [`names`], [`rejection`]; who takes part: [`genesis`];
//! 2. shapes: [`body`] what a batch says, [`batch`] on the wire, [`form`] from one form to another, [`relation`] what a batch proves, [`share`] what its
//!    sections say;
//! 3. what else a block may hold: [`attestation`]s of control accounts, [`decree`]s; [`transaction`] is all of them;
//! 4. the six verbs: [`draft`], [`mod@seal`] (with the servicer's [`wallet`]), [`mod@verify`], then the order (crate `network`) of
//!    [`block`]s, [`book`] (with [`epoch`] and [`suites`]) and [`chain`] to apply, [`view`] to open;
//! 5. [`turnstile`]: whether the banks' own totals add up, with no proof relied upon;
//! 6. [`store`]: opaque bytes on disk.
//!
//! Every byte of a batch and every check of it, for whoever writes a second program: [`specification`].

pub mod store;

pub mod genesis;
pub mod names;
pub mod rejection;

pub mod batch;
pub mod body;
pub mod form;
pub mod relation;
mod seed;
pub mod share;

pub mod draft;
pub mod seal;
pub mod verify;
pub mod wallet;

pub mod attestation;
pub mod decree;
pub mod transaction;

pub mod block;
pub mod book;
pub mod chain;
pub mod epoch;
pub mod suites;
pub mod view;

pub mod turnstile;

pub mod specification {
    #![doc = include_str!("../docs/SPECIFICATION.md")]
}

#[cfg(test)]
mod tests;
