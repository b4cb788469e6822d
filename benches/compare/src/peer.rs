//! What every library here can do, in bytes.

use anyhow::{Context as _, Result};
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use std::thread;

/// Bits of every value.
pub(crate) const BITS: usize = 32;

/// The domain of all transcripts.
pub(crate) const LABEL: &[u8] = b"compare";

/// A value and the canonical bytes of its blinding.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) value: u64,
    pub(crate) blinding: [u8; 32],
}

impl Opening {
    /// The blinding, for the libraries on our curve crate.
    pub(crate) fn blinding(&self) -> Result<Scalar> {
        Option::from(Scalar::from_canonical_bytes(self.blinding)).context("a canonical blinding")
    }
}

/// What travels.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) commitments: Vec<[u8; 32]>,
    pub(crate) proof: Vec<u8>,
}

/// Something that can be timed.
pub(crate) type Work<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// A library of range proofs, with its generators made.
pub(crate) trait Peer: Sync {
    /// The commitments to `openings`.
    fn commit(&self, openings: &[Opening]) -> Result<Vec<[u8; 32]>>;

    /// One proof that all values are in range.
    fn prove(&self, openings: &[Opening]) -> Result<Vec<u8>>;

    /// The work of verifying all of `sealed`, which fails when one is wrong. What does not depend on their bytes is done
    /// here, before the work.
    fn verifier<'a>(&'a self, sealed: &'a [Sealed]) -> Result<Work<'a>>;
}

/// `count` openings, the same in every run; the extremes come first.
pub(crate) fn openings(count: usize) -> Vec<Opening> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut values = vec![0, u32::MAX];
    values.resize_with(count, || rng.next_u32());
    values
        .into_iter()
        .map(|value| Opening { value: value.into(), blinding: Scalar::random(&mut rng).to_bytes() })
        .collect()
}

/// Proofs of `openings`, `per_proof` in each, made on all processors.
pub(crate) fn seal(peer: &dyn Peer, openings: &[Opening], per_proof: usize) -> Result<Vec<Sealed>> {
    let chunks: Vec<_> = openings.chunks(per_proof).collect();
    let threads = thread::available_parallelism()?.get();
    let seal = |openings| -> Result<Sealed> {
        Ok(Sealed { commitments: peer.commit(openings)?, proof: peer.prove(openings)? })
    };
    let parts: Vec<Result<Vec<Sealed>>> = thread::scope(|scope| {
        let parts = chunks.chunks(chunks.len().div_ceil(threads));
        let handles: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().copied().map(seal).collect())).collect();
        handles.into_iter().map(|handle| handle.join().expect("provers do not panic")).collect()
    });
    Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// That `peer` accepts `sealed` and refuses it when a single commitment is another.
pub(crate) fn tells_good_from_bad(peer: &dyn Peer, sealed: &[Sealed]) -> Result<()> {
    peer.verifier(sealed)?().context("refuses its own proofs")?;
    let mut bad = sealed.to_vec();
    let mut commitments = sealed.iter().flat_map(|sealed| &sealed.commitments);
    let last =
        bad.last_mut().and_then(|sealed| sealed.commitments.last_mut()).context("nothing to verify")?;
    *last = *commitments.find(|other| *other != last).context("a second commitment")?;
    anyhow::ensure!(peer.verifier(&bad)?().is_err(), "accepts a proof of something else");
    Ok(())
}
