//! How the ranges of a relation are laid out in proofs: the same computation for prover and verifier.

#![allow(clippy::arithmetic_side_effects, reason = "bits are at most 64, counts those of a batch in memory")]

use super::{PIECE_BITS, Relation, Suite, Witness};
use crate::range::{Layout, Width, bits};
use merlin::Transcript;

/// Bits that may be padding before a proof of their own is cheaper for the rest.
const PADDING: usize = 512;

/// One range proof: its shape, and which of the relation's ranges it covers, in order.
pub(super) struct Piece {
    pub(super) layout: Layout,
    pub(super) ranges: Vec<usize>,
    /// The common width of [`Suite::Widths`].
    pub(super) width: Option<Width>,
}

impl<W: Witness> Relation<W> {
    /// The range proofs that the relation asks for.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        match self.suite {
            Suite::Widths => self.by_width(),
            Suite::Packed => self.packed(),
        }
    }

    fn by_width(&self) -> Vec<Piece> {
        let of_width = |width: Width| {
            let ranges: Vec<usize> =
                (0..self.ranges.len()).filter(|i| self.ranges[*i].most == width.max()).collect();
            let layout = Layout::uniform(width, ranges.len().next_power_of_two());
            (!ranges.is_empty()).then_some(Piece { layout, ranges, width: Some(width) })
        };
        Width::ALL.into_iter().filter_map(of_width).collect()
    }

    /// Fills pieces in order of the ranges. Each holds as many as fit; what does not fill a whole one goes into one with
    /// padding, or into smaller ones where that would waste too much.
    fn packed(&self) -> Vec<Piece> {
        let sizes: Vec<usize> = self.ranges.iter().map(|range| bits(range.most)).collect();
        let (mut left, mut next, mut pieces) = (sizes.iter().sum::<usize>(), 0, Vec::new());
        while next < sizes.len() {
            let (start, room, mut used) = (next, capacity(left), 0);
            while let Some(size) = sizes.get(next).filter(|size| used + **size <= room) {
                used += size;
                next += 1;
            }
            left -= used;
            let bounds = self.ranges[start..next].iter().map(|range| range.most).collect();
            let layout =
                Layout::packed(bounds).expect("a piece is not empty, its bounds have bits, its bits a limit");
            pieces.push(Piece { layout, ranges: (start..next).collect(), width: None });
        }
        pieces
    }

    /// Absorbs what is in range: every quantity's bound and what it is made of.
    pub(super) fn absorb_ranges(&self, transcript: &mut Transcript) {
        let mut bytes = Vec::new();
        for range in &self.ranges {
            bytes.extend(range.most.to_le_bytes());
            range.entry.write(&mut bytes);
        }
        transcript.append_u64(b"ranges", self.ranges.len() as u64);
        transcript.append_message(b"quantities", &bytes);
    }
}

/// The size of the next piece for so many bits: a power of two from 64 to [`PIECE_BITS`].
fn capacity(left: usize) -> usize {
    let padded = left.next_power_of_two().clamp(64, PIECE_BITS);
    let waste = padded.saturating_sub(left);
    if waste <= PADDING.max(padded / 4) { padded } else { padded / 2 }
}

/// The transcript of one packed piece: a fork of the relation's, so that pieces can be proven and verified in parallel, and
/// none can take another's place.
pub(super) fn fork(transcript: &Transcript, index: usize) -> Transcript {
    let mut fork = transcript.clone();
    fork.append_u64(b"piece", index as u64);
    fork
}

/// The range proof's own transcript does not absorb its last scalars; nothing may be drawn after it before they are.
pub(super) fn absorb_proof(transcript: &mut Transcript, proof: &[u8]) {
    transcript.append_message(b"range proof", proof);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_padding_is_cheaper_than_another_proof_and_much_is_not() {
        for (left, room) in [
            (1, 64),
            (65, 128),
            (643, 1024),
            (1025, 1024),
            (1536, 2048),
            (4100, 4096),
            (6144, 8192),
            (8192, 8192),
            (100_000, 8192),
        ] {
            assert_eq!(capacity(left), room, "{left}");
        }
    }
}
