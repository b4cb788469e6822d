//! The `bulletproofs` crate: proofs of one value or of many, verified one after the other, for it has no other way.

use crate::peer::{BITS, LABEL, Opening, Peer, Sealed, Work};
use anyhow::{Result, anyhow};
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use merlin::Transcript;
use rand_core::OsRng;

/// Generators for proofs of up to a number of values.
pub(crate) struct Crate {
    generators: BulletproofGens,
    bases: PedersenGens,
}

impl Crate {
    /// For proofs of up to `values` values.
    pub(crate) fn new(values: usize) -> Self {
        Self { generators: BulletproofGens::new(BITS, values), bases: PedersenGens::default() }
    }

    fn verify(&self, sealed: &Sealed) -> Result<()> {
        let commitments: Vec<_> =
            sealed.commitments.iter().map(|bytes| CompressedRistretto(*bytes)).collect();
        let proof = RangeProof::from_bytes(&sealed.proof).map_err(|error| anyhow!("{error:?}"))?;
        let (generators, bases, mut transcript) = (&self.generators, &self.bases, Transcript::new(LABEL));
        proof
            .verify_multiple_with_rng(generators, bases, &mut transcript, &commitments, BITS, &mut OsRng)
            .map_err(|error| anyhow!("{error:?}"))
    }
}

impl Peer for Crate {
    fn commit(&self, openings: &[Opening]) -> Result<Vec<[u8; 32]>> {
        let commit = |opening: &Opening| -> Result<_> {
            Ok(self.bases.commit(Scalar::from(opening.value), opening.blinding()?).compress().to_bytes())
        };
        openings.iter().map(commit).collect()
    }

    fn prove(&self, openings: &[Opening]) -> Result<Vec<u8>> {
        let values: Vec<_> = openings.iter().map(|opening| opening.value).collect();
        let blindings = openings.iter().map(Opening::blinding).collect::<Result<Vec<_>>>()?;
        let (generators, bases, mut transcript) = (&self.generators, &self.bases, Transcript::new(LABEL));
        let (proof, _) = RangeProof::prove_multiple_with_rng(
            generators,
            bases,
            &mut transcript,
            &values,
            &blindings,
            BITS,
            &mut OsRng,
        )
        .map_err(|error| anyhow!("{error:?}"))?;
        Ok(proof.to_bytes())
    }

    fn verifier<'a>(&'a self, sealed: &'a [Sealed]) -> Result<Work<'a>> {
        Ok(Box::new(move || sealed.iter().try_for_each(|sealed| self.verify(sealed))))
    }
}
