//! Verifying relations: any number of them, with all their proofs, as one multiscalar multiplication.
//!
//! When the joint equation fails, the relations are halved until those at fault stand alone, and the proofs of each are
//! looked at one by one. So one bad batch among a thousand good ones is named, and the others are accepted. That costs about
//! as much again for one bad among many (the halves of halves are ever smaller), and for a group in which all are bad
//! `log2(n)` times as much: whoever groups keeps groups small.

#![allow(clippy::arithmetic_side_effects, reason = "small counts")]

use super::{
    Proofs, Relation, RelationError, Suite,
    pieces::{Piece, absorb_proof, fork},
};
use crate::{
    form::Sum,
    parallel,
    range::{self, Check, RangeError},
    statement::{Proof, ProofError},
};
use curve25519_dalek::ristretto::CompressedRistretto;
use merlin::Transcript;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::num::NonZeroUsize;

/// A relation and what is offered as its proof.
pub struct Claim<'a> {
    relation: &'a Relation<()>,
    transcript: &'a Transcript,
    proofs: &'a Proofs,
}

/// Adds one proof's equations to a check; returns the error to report should they not hold.
type Step<'a> = &'a mut dyn FnMut(&mut Check, &mut Sum) -> Result<RelationError, RelationError>;

impl<'a> Claim<'a> {
    /// That `proofs` prove `relation`, in a transcript that has absorbed all that it speaks of.
    #[must_use]
    pub fn new(relation: &'a Relation<()>, transcript: &'a Transcript, proofs: &'a Proofs) -> Self {
        Self { relation, transcript, proofs }
    }

    /// Adds all equations to a check.
    fn accumulate(&self, check: &mut Check) -> Result<(), RelationError> {
        let table = self.relation.statement.table();
        let mut sum = table.sum();
        self.steps(|step| step(check, &mut sum))?;
        table.finish(sum, check);
        Ok(())
    }

    /// Looks at each proof alone, to name the one at fault.
    fn blame(&self, rng: &mut impl CryptoRngCore) -> RelationError {
        let table = self.relation.statement.table();
        let verdict = self.steps(|step| {
            let (mut alone, mut sum) = (Check::new(rng), table.sum());
            let at_fault = step(&mut alone, &mut sum)?;
            table.finish(sum, &mut alone);
            alone.finish().map_err(|_| at_fault)?;
            Ok(at_fault)
        });
        verdict.err().unwrap_or(RelationError::Joint)
    }

    /// Walks through the proofs in transcript order. Each step adds its equations to the check that `run` hands it and
    /// returns the error to report if that check fails.
    fn steps(
        &self,
        mut run: impl FnMut(Step<'_>) -> Result<RelationError, RelationError>,
    ) -> Result<(), RelationError> {
        let Self { relation, proofs, .. } = self;
        let pieces = relation.pieces();
        // Numbers and lengths of all proofs before any work on the curve: what a peer sends in a wrong size costs nothing.
        if pieces.len() != proofs.ranges.len() {
            return Err(RelationError::Count { found: proofs.ranges.len(), expected: pieces.len() });
        }
        let sigma = Proof::from_bytes(&relation.statement, &proofs.sigma).map_err(RelationError::Sigma)?;
        for (index, (piece, proof)) in pieces.iter().zip(&proofs.ranges).enumerate() {
            range::check_length(&piece.layout, proof).map_err(|error| RelationError::Range(index, error))?;
        }
        let mut transcript = self.transcript.clone();
        run(&mut |check, sum| {
            let accumulated = relation.statement.accumulate_apart(&mut transcript, &sigma, check, sum);
            accumulated.map_err(RelationError::Sigma)?;
            Ok(RelationError::Sigma(ProofError::Equation))
        })?;
        if relation.suite == Suite::Packed {
            relation.absorb_ranges(&mut transcript);
        }
        for (index, (piece, proof)) in pieces.iter().zip(&proofs.ranges).enumerate() {
            let refused = |error| RelationError::Range(index, error);
            run(&mut |check, sum| {
                match relation.suite {
                    Suite::Widths => relation.widths(piece, proof, &mut transcript, check),
                    Suite::Packed => {
                        relation.packed_piece(piece, proof, fork(&transcript, index), check, sum)
                    }
                }
                .map_err(refused)?;
                Ok(refused(RangeError::Equation))
            })?;
            if relation.suite == Suite::Widths {
                absorb_proof(&mut transcript, proof);
            }
        }
        Ok(())
    }
}

impl Relation<()> {
    fn widths(
        &self,
        piece: &Piece,
        proof: &[u8],
        transcript: &mut Transcript,
        check: &mut Check,
    ) -> Result<(), RangeError> {
        let width = piece.width.expect("pieces of this suite have one");
        let encoded = |i: &usize| self.ranges[*i].quantity.encoded().compressed();
        let commitments: Vec<CompressedRistretto> = piece.ranges.iter().map(encoded).collect();
        range::accumulate(width, &commitments, proof, transcript, check)
    }

    fn packed_piece(
        &self,
        piece: &Piece,
        proof: &[u8],
        mut transcript: Transcript,
        check: &mut Check,
        sum: &mut Sum,
    ) -> Result<(), RangeError> {
        let scalars = range::accumulate_packed(&piece.layout, proof, &mut transcript, check)?;
        let quantities = piece.ranges.iter().map(|i| &self.ranges[*i].entry);
        quantities.zip(&scalars).for_each(|(entry, scalar)| sum.add(entry, scalar));
        Ok(())
    }

    /// Verifies the proofs of this relation.
    ///
    /// # Errors
    /// [`RelationError`] names the proof at fault and why.
    pub fn verify(
        &self,
        transcript: &Transcript,
        proofs: &Proofs,
        rng: &mut impl CryptoRngCore,
    ) -> Result<(), RelationError> {
        let claims = [Claim::new(self, transcript, proofs)];
        verify_all(NonZeroUsize::MIN, &claims, rng).into_iter().collect()
    }
}

/// Verifies all claims together, on several threads. The verdicts are those that each would get alone.
#[must_use]
pub fn verify_all(
    threads: NonZeroUsize,
    claims: &[Claim<'_>],
    rng: &mut impl CryptoRngCore,
) -> Vec<Result<(), RelationError>> {
    let mut verdicts = vec![Ok(()); claims.len()];
    let mut seeds = Seeds(rng);
    // What is malformed is found on the way, and what is not goes on without it.
    let mut group: Vec<usize> = (0..claims.len()).collect();
    let outcome = loop {
        match joint(threads, claims, &group, &mut verdicts, &mut seeds) {
            Outcome::Malformed(rest) => group = rest,
            decided => break decided,
        }
    };
    // Groups that are known to fail; nothing in them is malformed.
    let mut failing = if matches!(outcome, Outcome::Fails) { vec![group] } else { Vec::new() };
    while let Some(group) = failing.pop() {
        if let [one] = group.as_slice() {
            verdicts[*one] = Err(claims[*one].blame(&mut seeds.next()));
            continue;
        }
        let (left, right) = group.split_at(group.len() / 2);
        let mut fails =
            |half| matches!(joint(threads, claims, half, &mut verdicts, &mut seeds), Outcome::Fails);
        // Where one half holds, it is the other that fails, and need not be asked.
        let left_fails = fails(left);
        if left_fails {
            failing.push(left.to_vec());
        }
        if !left_fails || fails(right) {
            failing.push(right.to_vec());
        }
    }
    verdicts
}

enum Outcome {
    /// All equations of the group hold.
    Holds,
    /// At least one does not.
    Fails,
    /// Some are malformed, and have their verdict; these are left.
    Malformed(Vec<usize>),
}

/// Looks at a group in one multiplication.
fn joint(
    threads: NonZeroUsize,
    claims: &[Claim<'_>],
    group: &[usize],
    verdicts: &mut [Result<(), RelationError>],
    seeds: &mut Seeds<'_, impl CryptoRngCore>,
) -> Outcome {
    let workers = threads.get().min(group.len());
    let seeds: Vec<ChaCha20Rng> = (0..workers).map(|_| seeds.next()).collect();
    // One check per worker, over every so-manieth claim: each has fresh randomness of its own.
    let shares = parallel::map(threads, workers, |worker| {
        let mut check = Check::new(&mut seeds[worker].clone());
        let mine = group.iter().skip(worker).step_by(workers);
        let refused: Vec<_> =
            mine.filter_map(|i| claims[*i].accumulate(&mut check).err().map(|error| (*i, error))).collect();
        (check, refused)
    });
    let (mut sum, mut refused): (Option<Check>, Vec<_>) = (None, Vec::new());
    for (check, errors) in shares {
        refused.extend(errors);
        match &mut sum {
            Some(sum) => sum.merge(check),
            None => sum = Some(check),
        }
    }
    if !refused.is_empty() {
        // Half of a refused claim's equations may be in the sum: it is thrown away.
        refused.iter().for_each(|(i, error)| verdicts[*i] = Err(*error));
        return Outcome::Malformed(group.iter().copied().filter(|i| verdicts[*i].is_ok()).collect());
    }
    match sum.map(|sum| sum.finish_on(threads)) {
        None | Some(Ok(())) => Outcome::Holds,
        Some(Err(_)) => Outcome::Fails,
    }
}

/// Independent generators, one per check.
struct Seeds<'a, R>(&'a mut R);

impl<R: CryptoRngCore> Seeds<'_, R> {
    fn next(&mut self) -> ChaCha20Rng {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        ChaCha20Rng::from_seed(seed)
    }
}
