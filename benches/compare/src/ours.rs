//! `counterfoil-crypto`.

use crate::peer::{LABEL, Opening, Peer, Sealed, Work};
use anyhow::Result;
use counterfoil_crypto::{
    pedersen,
    range::{Check, Width, accumulate, prove_on, verify},
};
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use merlin::Transcript;
use rand_core::OsRng;
use std::num::NonZeroUsize;

/// Our proofs, one way of several.
pub(crate) struct Ours {
    /// Threads of the prover.
    threads: NonZeroUsize,
    /// Whether the verifier joins all proofs in one check.
    joined: bool,
}

impl Ours {
    /// All proofs in one check; a prover of one thread.
    pub(crate) const ONE_CHECK: Self = Self { threads: NonZeroUsize::MIN, joined: true };
    /// Each proof alone.
    pub(crate) const EACH_ALONE: Self = Self { threads: NonZeroUsize::MIN, joined: false };
    /// A prover of two threads.
    pub(crate) const TWO_THREADS: Self = Self { threads: NonZeroUsize::MIN.saturating_add(1), joined: true };

    fn verify(&self, sealed: &[Sealed]) -> Result<()> {
        let mut check = Check::new(&mut OsRng);
        for Sealed { commitments, proof } in sealed {
            let commitments: Vec<_> = commitments.iter().map(|bytes| CompressedRistretto(*bytes)).collect();
            let mut transcript = Transcript::new(LABEL);
            if self.joined {
                accumulate(Width::Bits32, &commitments, proof, &mut transcript, &mut check)?;
            } else {
                verify(Width::Bits32, &commitments, proof, &mut transcript)?;
            }
        }
        Ok(check.finish()?)
    }
}

impl Peer for Ours {
    fn commit(&self, openings: &[Opening]) -> Result<Vec<[u8; 32]>> {
        let commit = |opening: &Opening| -> Result<_> {
            let (value, blinding) = (Scalar::from(opening.value), opening.blinding()?);
            Ok((pedersen::value(&value) + pedersen::blind(&blinding)).compress().to_bytes())
        };
        openings.iter().map(commit).collect()
    }

    fn prove(&self, openings: &[Opening]) -> Result<Vec<u8>> {
        let values: Vec<_> = openings.iter().map(|opening| opening.value).collect();
        let blindings = openings.iter().map(Opening::blinding).collect::<Result<Vec<_>>>()?;
        let mut transcript = Transcript::new(LABEL);
        Ok(prove_on(self.threads, Width::Bits32, &values, &blindings, &mut transcript, &mut OsRng)?)
    }

    fn verifier<'a>(&'a self, sealed: &'a [Sealed]) -> Result<Work<'a>> {
        Ok(Box::new(move || self.verify(sealed)))
    }
}
