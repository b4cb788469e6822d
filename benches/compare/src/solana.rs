//! `solana-zk-sdk`: the range proofs of confidential transfers, by the SDK's own functions, off chain.
//!
//! The prover and verifier of `RangeProof` are private; its largest public form is the batched proof of 256 bits.

use crate::peer::{BITS, Opening, Peer, Sealed, Work};
use anyhow::{Context as _, Result, anyhow, ensure};
use solana_zk_elgamal_proof_interface::proof_data::{
    BatchedRangeProofContext, BatchedRangeProofU256Data, MAX_COMMITMENTS,
};
use solana_zk_sdk::{
    encryption::pedersen::{Pedersen, PedersenCommitment, PedersenOpening},
    zk_elgamal_proof_program::{VerifyZkProof as _, build_batched_range_proof_u256_data},
};
use solana_zk_sdk_pod::{encryption::pedersen::PodPedersenCommitment, range_proof::PodRangeProofU256};

/// Values per proof: the most that there can be, and of 32 bits as many as there must be.
pub(crate) const VALUES: usize = MAX_COMMITMENTS;

/// The SDK keeps its generators to itself.
pub(crate) struct Solana;

fn commitments(openings: &[Opening]) -> Result<Vec<(PedersenCommitment, PedersenOpening)>> {
    let commit = |opening: &Opening| -> Result<_> {
        let blinding = PedersenOpening::new(opening.blinding()?);
        Ok((Pedersen::with(opening.value, &blinding), blinding))
    };
    openings.iter().map(commit).collect()
}

fn verify(sealed: &Sealed) -> Result<()> {
    ensure!(sealed.commitments.len() == VALUES, "{VALUES} values per proof");
    let mut context = BatchedRangeProofContext {
        commitments: [PodPedersenCommitment::default(); VALUES],
        bit_lengths: [BITS as u8; VALUES],
    };
    for (pod, bytes) in context.commitments.iter_mut().zip(&sealed.commitments) {
        *pod = PodPedersenCommitment(*bytes);
    }
    let proof = sealed.proof.as_slice().try_into().context("a proof of 256 bits")?;
    let data = BatchedRangeProofU256Data { context, proof: PodRangeProofU256(proof) };
    data.verify_proof().map_err(|error| anyhow!("{error:?}"))
}

impl Peer for Solana {
    fn commit(&self, openings: &[Opening]) -> Result<Vec<[u8; 32]>> {
        Ok(commitments(openings)?.iter().map(|(commitment, _)| commitment.to_bytes()).collect())
    }

    fn prove(&self, openings: &[Opening]) -> Result<Vec<u8>> {
        let pairs = commitments(openings)?;
        let (commitments, blindings) =
            pairs.iter().map(|(commitment, blinding)| (commitment, blinding)).unzip();
        let values = openings.iter().map(|opening| opening.value).collect();
        let data =
            build_batched_range_proof_u256_data(commitments, values, vec![BITS; openings.len()], blindings)
                .map_err(|error| anyhow!("{error:?}"))?;
        Ok(data.proof.0.to_vec())
    }

    fn verifier<'a>(&'a self, sealed: &'a [Sealed]) -> Result<Work<'a>> {
        Ok(Box::new(move || sealed.iter().try_for_each(verify)))
    }
}
