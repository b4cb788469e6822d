//! Aggregated range proofs: every committed value lies in `[0, 2^n)`.
//!
//! One proof covers any number of Pedersen commitments `V_j = v_j·B + γ_j·B~` of one bit width (Bünz, Bootle,
//! Boneh, Poelstra, Wuille and Maxwell, *Bulletproofs*, 2018, sections 4.1 to 4.3). Bytes and transcript are those
//! of the `bulletproofs` crate, version 5, which the tests use as an oracle in both directions.
//!
//! A *packed* proof (crate-internal, for [`crate::relation`]) covers values of any bounds, one after the other, and its
//! commitments may be combinations that are never computed: `layout` says how. It differs from the crate's in the
//! coefficients of the last bits and in how its transcript begins; bytes, prover and verifier are the same.
//!
//! The proof does not say what the values mean, nor that the prover knows an opening of anything but the
//! commitments it was given. It binds the whole transcript before it, the width, the number of commitments and
//! every commitment.

mod check;
mod engine;
mod generators;
mod inner_product;
mod layout;
mod montgomery;
mod msm;
mod polynomials;
mod prover;
mod transcript;
mod verifier;
mod wire;

#[cfg(test)]
mod tests;

pub use check::Check;
pub(crate) use layout::{Layout, bits};

use borsh::{BorshDeserialize, BorshSerialize};
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use merlin::Transcript;
use msm::Workers;
use rand_core::{CryptoRngCore, OsRng};
use std::num::NonZeroUsize;
use transcript::RangeTranscript as _;

/// Most values in one proof, padding included. A proof also has at most [`MAX_BITS`] bits in all.
pub const MAX_VALUES: usize = 8192;

/// Most bits (values × width, padding included) in one proof: it bounds the verifier's memory and time.
pub const MAX_BITS: usize = 65_536;

/// How many bits every value of a proof has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Width {
    /// Values below 2^8.
    Bits8,
    /// Values below 2^16.
    Bits16,
    /// Values below 2^32.
    Bits32,
    /// All of `u64`.
    Bits64,
}

impl Width {
    /// All widths, ascending.
    pub const ALL: [Self; 4] = [Self::Bits8, Self::Bits16, Self::Bits32, Self::Bits64];

    /// The number of bits.
    #[must_use]
    pub const fn bits(self) -> usize {
        match self {
            Self::Bits8 => 8,
            Self::Bits16 => 16,
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// The largest value that fits.
    #[must_use]
    pub const fn max(self) -> u64 {
        match self {
            Self::Bits8 => u8::MAX as u64,
            Self::Bits16 => u16::MAX as u64,
            Self::Bits32 => u32::MAX as u64,
            Self::Bits64 => u64::MAX,
        }
    }

    /// The smallest width that holds `max`.
    #[must_use]
    pub const fn smallest_for(max: u64) -> Self {
        if max <= Self::Bits8.max() {
            Self::Bits8
        } else if max <= Self::Bits16.max() {
            Self::Bits16
        } else if max <= Self::Bits32.max() {
            Self::Bits32
        } else {
            Self::Bits64
        }
    }

    /// Most values of this width in one proof, padding included.
    #[must_use]
    pub const fn max_values(self) -> usize {
        MAX_BITS >> self.bits().trailing_zeros()
    }
}

/// Why a range proof could not be made or was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RangeError {
    /// The proof has not the length that its width and number of commitments demand.
    #[error("range proof has {found} bytes where {expected} are needed")]
    Length {
        /// Bytes given.
        found: usize,
        /// Bytes needed.
        expected: usize,
    },
    /// No value at all: there is nothing to prove.
    #[error("range proof over no values")]
    Empty,
    /// More values than one proof may have.
    #[error("range proof over {count} values, at most {maximum} of this width")]
    TooMany {
        /// Values given.
        count: usize,
        /// Values allowed.
        maximum: usize,
    },
    /// A point is not canonical, or is the identity where that is forbidden.
    #[error("a point of the proof or a commitment is not a canonical, permitted group element")]
    Point,
    /// A scalar is not canonical.
    #[error("a scalar of the range proof is not canonical")]
    Scalar,
    /// The equation does not hold: a proof is wrong, or was made for something else.
    #[error("the proof equation does not hold")]
    Equation,
    /// The prover was given a value above its bound.
    #[error("value number {index} is above its bound of {most}")]
    ValueOutOfRange {
        /// Position of the value.
        index: usize,
        /// The bound.
        most: u64,
    },
    /// A bound of zero: there would be nothing to prove.
    #[error("value number {index} may only be zero")]
    Bound {
        /// Position of the value.
        index: usize,
    },
    /// The prover was given different numbers of values and blindings.
    #[error("{values} values but {blindings} blindings")]
    Mismatch {
        /// Values given.
        values: usize,
        /// Blindings given.
        blindings: usize,
    },
}

/// Proves that every value is in `[0, 2^n)`, for the commitments `v_j·B + γ_j·B~` in the order given.
///
/// The number of values is padded to a power of two with commitments to zero under zero blinding; the verifier
/// adds them itself. Draw no challenge from `transcript` afterwards: the last two scalars are not absorbed.
///
/// # Errors
/// [`RangeError::Mismatch`], [`RangeError::Empty`], [`RangeError::TooMany`] or [`RangeError::ValueOutOfRange`] when
/// the input is wrong.
pub fn prove(
    width: Width,
    values: &[u64],
    blindings: &[Scalar],
    transcript: &mut Transcript,
    rng: &mut impl CryptoRngCore,
) -> Result<Vec<u8>, RangeError> {
    prove_on(NonZeroUsize::MIN, width, values, blindings, transcript, rng)
}

/// [`prove`] on several threads. The proof has the same form, and the verifier cannot tell.
///
/// # Errors
/// As [`prove`].
pub fn prove_on(
    threads: NonZeroUsize,
    width: Width,
    values: &[u64],
    blindings: &[Scalar],
    transcript: &mut Transcript,
    rng: &mut impl CryptoRngCore,
) -> Result<Vec<u8>, RangeError> {
    let m = padded(width, values.len())?;
    let (layout, workers) = (Layout::uniform(width, m), Workers(threads));
    check_values(&layout, values, blindings)?;
    transcript.open(width.bits(), m, &prover::commitments(values, blindings, workers));
    prover::prove(&layout, values, blindings, transcript, rng, workers)
}

/// Proves that every value is at most its bound. `transcript` must have absorbed what says what the commitments are.
///
/// # Errors
/// [`RangeError::Mismatch`] or [`RangeError::ValueOutOfRange`] when the input is wrong.
pub(crate) fn prove_packed(
    threads: NonZeroUsize,
    layout: &Layout,
    (values, blindings): (&[u64], &[Scalar]),
    transcript: &mut Transcript,
    rng: &mut impl CryptoRngCore,
) -> Result<Vec<u8>, RangeError> {
    check_values(layout, values, blindings)?;
    transcript.open_packed(layout);
    prover::prove(layout, values, blindings, transcript, rng, Workers(threads))
}

/// Whether a proof has the length that its layout demands.
///
/// # Errors
/// [`RangeError::Length`] when it has not.
pub(crate) fn check_length(layout: &Layout, proof: &[u8]) -> Result<(), RangeError> {
    wire::check_length(proof.len(), layout.len())
}

/// Adds a packed proof to `check`, all but the commitments. Returns the scalar under which each commitment must be added.
///
/// # Errors
/// As [`accumulate`].
pub(crate) fn accumulate_packed(
    layout: &Layout,
    proof: &[u8],
    transcript: &mut Transcript,
    check: &mut Check,
) -> Result<Vec<Scalar>, RangeError> {
    let proof = wire::Proof::from_bytes(proof, layout.len())?;
    transcript.open_packed(layout);
    verifier::accumulate(layout, &proof, transcript, check)
}

/// One blinding per value, every value within its bound. Only how the check ends depends on secrets, and a prover that it
/// stops publishes nothing.
fn check_values(layout: &Layout, values: &[u64], blindings: &[Scalar]) -> Result<(), RangeError> {
    if values.len() != blindings.len() || values.len() > layout.bounds().len() {
        return Err(RangeError::Mismatch { values: values.len(), blindings: blindings.len() });
    }
    match values.iter().zip(layout.bounds()).position(|(value, most)| value > most) {
        Some(index) => Err(RangeError::ValueOutOfRange { index, most: layout.bounds()[index] }),
        None => Ok(()),
    }
}

/// Verifies one proof alone.
///
/// # Errors
/// As [`accumulate`], and [`RangeError::Equation`] when the proof is wrong.
pub fn verify(
    width: Width,
    commitments: &[CompressedRistretto],
    proof: &[u8],
    transcript: &mut Transcript,
) -> Result<(), RangeError> {
    let mut check = Check::new(&mut OsRng);
    accumulate(width, commitments, proof, transcript, &mut check)?;
    check.finish()
}

/// Adds a proof's verification equation to `check`; the verdict is [`Check::finish`]'s.
///
/// # Errors
/// [`RangeError::Empty`], [`RangeError::TooMany`] or [`RangeError::Length`] for wrong sizes, [`RangeError::Scalar`]
/// or [`RangeError::Point`] for wrong encodings and for the identity in the proof.
pub fn accumulate(
    width: Width,
    commitments: &[CompressedRistretto],
    proof: &[u8],
    transcript: &mut Transcript,
    check: &mut Check,
) -> Result<(), RangeError> {
    let m = padded(width, commitments.len())?;
    let layout = Layout::uniform(width, m);
    // Lengths and scalars before any work on the curve.
    let proof = wire::Proof::from_bytes(proof, layout.len())?;
    let points = commitments.iter().map(|c| c.decompress().ok_or(RangeError::Point));
    let points: Vec<_> = points.collect::<Result<_, _>>()?;
    transcript.open(width.bits(), m, commitments);
    let scalars = verifier::accumulate(&layout, &proof, transcript, check)?;
    // Padding commits to zero under zero blinding: the identity, whatever its scalar.
    points.into_iter().zip(scalars).for_each(|(point, scalar)| check.point(scalar, point));
    Ok(())
}

/// The number of values after padding.
fn padded(width: Width, count: usize) -> Result<usize, RangeError> {
    let maximum = width.max_values();
    match count {
        0 => Err(RangeError::Empty),
        c if c > maximum => Err(RangeError::TooMany { count, maximum }),
        c => Ok(c.next_power_of_two()),
    }
}
