//! Proving a relation: the sigma proof, then the range proofs, all in one transcript.

#![allow(clippy::arithmetic_side_effects, reason = "small counts")]

use super::{
    Proofs, Relation, RelationError, Suite,
    pieces::{Piece, absorb_proof, fork},
};
use crate::{
    parallel,
    pedersen::Opening,
    range::{self, RangeError},
};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::num::NonZeroUsize;
use zeroize::Zeroizing;

/// Values and blindings of one piece.
type Witness = (Zeroizing<Vec<u64>>, Zeroizing<Vec<Scalar>>);

impl Relation<Opening> {
    /// Proves the relation on as many threads as are given.
    ///
    /// # Errors
    /// [`RelationError::Range`] when a quantity is outside its range. (A false product or handle makes a proof that does
    /// not verify.)
    pub fn prove(
        &self,
        threads: NonZeroUsize,
        transcript: &mut Transcript,
        rng: &mut impl CryptoRngCore,
    ) -> Result<Proofs, RelationError> {
        let sigma = self.prove_sigma(transcript, rng);
        let ranges = self.prove_ranges(threads, transcript, rng, |_, opening| opening.amount())?;
        Ok(Proofs { sigma, ranges })
    }

    /// The first step of [`Relation::prove`]: the sigma proof.
    pub fn prove_sigma(&self, transcript: &mut Transcript, rng: &mut impl CryptoRngCore) -> Vec<u8> {
        self.statement.prove(transcript, &self.secrets, rng).to_bytes()
    }

    /// The second step: the range proofs. `amount` finds the amount in an opening, given its bound; the proof of one that is
    /// not what the opening holds does not verify.
    ///
    /// # Errors
    /// [`RelationError::Range`] when there is no amount, or it is outside its range.
    pub fn prove_ranges(
        &self,
        threads: NonZeroUsize,
        transcript: &mut Transcript,
        rng: &mut impl CryptoRngCore,
        amount: impl Fn(u64, &Opening) -> Option<u64>,
    ) -> Result<Vec<Vec<u8>>, RelationError> {
        let witnessed = |(index, piece)| {
            let witness = self.witness(index, &piece, &amount)?;
            Ok(Job { piece, witness })
        };
        let jobs = self.pieces().into_iter().enumerate().map(witnessed).collect::<Result<Vec<_>, _>>()?;
        match self.suite {
            Suite::Widths => one_by_one(threads, &jobs, transcript, rng),
            Suite::Packed => {
                self.absorb_ranges(transcript);
                side_by_side(threads, &jobs, transcript, rng)
            }
        }
    }

    fn witness(
        &self,
        index: usize,
        piece: &Piece,
        amount: impl Fn(u64, &Opening) -> Option<u64>,
    ) -> Result<Witness, RelationError> {
        let mut amounts = Zeroizing::new(Vec::with_capacity(piece.ranges.len()));
        for (place, range) in piece.ranges.iter().map(|i| &self.ranges[*i]).enumerate() {
            let out_of_range = RangeError::ValueOutOfRange { index: place, most: range.most };
            let amount = amount(range.most, range.quantity.opening());
            amounts.push(amount.ok_or(RelationError::Range(index, out_of_range))?);
        }
        let blinding = |i: &usize| self.ranges[*i].quantity.opening().blinding;
        Ok((amounts, Zeroizing::new(piece.ranges.iter().map(blinding).collect())))
    }
}

/// One range proof to be made.
struct Job {
    piece: Piece,
    witness: Witness,
}

/// [`Suite::Widths`]: each absorbs the one before it.
fn one_by_one(
    threads: NonZeroUsize,
    jobs: &[Job],
    transcript: &mut Transcript,
    rng: &mut impl CryptoRngCore,
) -> Result<Vec<Vec<u8>>, RelationError> {
    let mut proofs = Vec::with_capacity(jobs.len());
    for (index, Job { piece, witness: (amounts, blindings) }) in jobs.iter().enumerate() {
        let width = piece.width.expect("pieces of this suite have one");
        let bytes = range::prove_on(threads, width, amounts, blindings, transcript, rng)
            .map_err(|e| RelationError::Range(index, e))?;
        absorb_proof(transcript, &bytes);
        proofs.push(bytes);
    }
    Ok(proofs)
}

/// [`Suite::Packed`]: each in a fork of the transcript, several at once; threads that have no piece of their own help in the
/// others.
fn side_by_side(
    threads: NonZeroUsize,
    jobs: &[Job],
    transcript: &Transcript,
    rng: &mut impl CryptoRngCore,
) -> Result<Vec<Vec<u8>>, RelationError> {
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *seed);
    let inside = NonZeroUsize::new(threads.get() / jobs.len().max(1)).unwrap_or(NonZeroUsize::MIN);
    let prove = |index: usize| {
        let Job { piece, witness: (amounts, blindings) } = &jobs[index];
        // Equal randomness in two pieces would do no harm (it is hedged with witness and transcript); still, none is.
        let mut rng = ChaCha20Rng::from_seed(*seed);
        rng.set_stream(index as u64);
        let witness = (amounts.as_slice(), blindings.as_slice());
        range::prove_packed(inside, &piece.layout, witness, &mut fork(transcript, index), &mut rng)
            .map_err(|e| RelationError::Range(index, e))
    };
    parallel::map(threads, jobs.len(), prove).into_iter().collect()
}
