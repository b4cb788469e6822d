//! Rejections: why a transaction is refused. A value of consensus, the same on every honest node.
//!
//! The order of the variants is the order in which the checks run: of several things wrong, every node names the same.
//! There is no text in it; [`Rejection::code`] and the messages here are for people.

use borsh::{BorshDeserialize, BorshSerialize};

/// Why a transaction is refused, in order of precedence.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, thiserror::Error,
)]
pub enum Rejection {
    /// Not the canonical encoding of a transaction: cut off, too long, trailing bytes, unknown version.
    #[error("not the canonical encoding of a transaction of this version")]
    Malformed,
    /// Made for another consortium.
    #[error("it is for another consortium")]
    Consortium,
    /// The proof suite is not known, or is retired.
    #[error("the proof suite is not in use")]
    Suite,
    /// The servicer, or the bank that attests, is not a member bank.
    #[error("its author is not a member bank")]
    Member,
    /// The product does not exist.
    #[error("there is no such product")]
    Product,
    /// The batch names another version of the product's policy than the one in force.
    #[error("the batch was made under another version of the policy")]
    Policy,
    /// Number of loans, parts, handles, postings or records differs from what the product and consortium ask for.
    #[error("a count (loans, parts, handles, postings, sections) is not what product and consortium ask for")]
    Shape,
    /// The sealed records are not those that the batch commits to, or are not of the padded sizes.
    #[error("the sealed records are not those that the batch commits to")]
    Records,
    /// The signature is wrong: the servicer's of a batch, the bank's of an attestation or a vote.
    #[error("it is not signed by the bank that it names")]
    Signature,
    /// A decree has votes that are doubled, out of order, or of nobody.
    #[error("a vote is doubled, out of order, or not of a bank")]
    Votes,
    /// A decree has votes of two thirds of the banks or fewer.
    #[error("not more than two thirds of the banks voted for it")]
    TooFew,
    /// A point is not canonical, or is the identity where it must not be.
    #[error("a point is not canonical, or is the identity")]
    Point,
    /// Movements and postings differ: the two books do not agree.
    #[error("the movements do not add up to the postings")]
    Unbalanced,
    /// The shares of a loan do not add up to the product's units.
    #[error("the shares of a loan do not add up")]
    Shares,
    /// The sigma proof is wrong: a handle opens something else, a part is not its share, or the proof is another batch's.
    #[error("the sigma proof does not hold (handles, shares of the split, owner of the servicer's part)")]
    Sigma,
    /// A range proof is wrong: something is negative, too large, unfairly split, or against the policy.
    #[error("a range proof does not hold (negative, too large, unfairly split, or against the policy)")]
    Range,
    /// The epoch has not ended, or ended so long ago that it is not kept any more.
    #[error("the epoch has not ended yet, or can no longer be attested")]
    Epoch,
    /// The bank has attested the epoch already.
    #[error("the bank has attested this epoch already")]
    Attested,
    /// The accounts are not those of the state at the end of the epoch.
    #[error("the accounts are not those of the state at the end of the epoch")]
    Accounts,
    /// A decree speaks of a height that is not in the future.
    #[error("the height is not in the future")]
    Past,
    /// The suite is retired already: a retirement is neither moved nor doubled.
    #[error("the suite is retired already; a retirement is not moved")]
    Retired,
    /// No suite would remain.
    #[error("it is the last suite that remains")]
    LastSuite,
    /// The sequence number or the previous batch is not the next in its lane: a replay, a gap or a fork.
    #[error("not the next batch of its lane: a replay, a gap or a fork")]
    Sequence,
    /// More top-ups are waiting than may wait.
    #[error("too many top-ups wait to be taken up")]
    Backlog,
    /// The batch takes up top-ups that do not exist or were taken up before.
    #[error("the batch takes up top-ups that are not waiting")]
    Merge,
    /// A loan that the batch touches does not exist.
    #[error("there is no such loan")]
    Loan,
    /// A loan that the batch opens exists already.
    #[error("the loan exists already")]
    Exists,
    /// A balance that the batch starts from is not the present one.
    #[error("the batch starts from a balance that is not the present one")]
    Stale,
    /// A part is written off: it can be neither repaid nor raised nor written off again.
    #[error("a part of the loan is written off")]
    WrittenOff,
    /// Loans of one batch are in different buckets, or not in the one that it names; or it moves to the same one.
    #[error("a loan is in another bucket than the batch's others, or than it names")]
    Bucket,
}

impl Rejection {
    /// The number of the rejection, the same in every release.
    #[must_use]
    pub fn code(self) -> u8 {
        borsh::to_vec(&self).ok().and_then(|bytes| bytes.first().copied()).unwrap_or(u8::MAX)
    }
}
