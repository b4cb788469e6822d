//! The transcript protocol: one method per step, the same for prover and verifier.
//!
//! Labels and order are those of the `bulletproofs` crate, version 5, but for [`RangeTranscript::open_packed`], which begins
//! a proof that the crate does not know. Source: Bünz et al. 2018, sections 4.4
//! (Fiat–Shamir) and 4.2 (aggregation).

use super::{Layout, RangeError};
use crate::labels;
use curve25519_dalek::{
    ristretto::CompressedRistretto,
    scalar::Scalar,
    traits::{Identity, IsIdentity},
};
use merlin::Transcript;

/// What prover and verifier write and draw, in the order of the trait's methods.
pub(super) trait RangeTranscript {
    /// Opens a range proof over `m` commitments of `n` bits. Commitments beyond those given are the identity: zero
    /// under zero blinding.
    fn open(&mut self, n: usize, m: usize, commitments: &[CompressedRistretto]);
    /// Opens a proof over values of their own bounds. Absorbs the shape; whatever says what the commitments are has been
    /// absorbed by the caller.
    fn open_packed(&mut self, layout: &Layout);
    /// After `A` and `S`: the challenges `y` and `z`.
    fn bits(
        &mut self,
        a: &CompressedRistretto,
        s: &CompressedRistretto,
    ) -> Result<(Scalar, Scalar), RangeError>;
    /// After `T_1` and `T_2`: the challenge `x`.
    fn polynomial(
        &mut self,
        t_1: &CompressedRistretto,
        t_2: &CompressedRistretto,
    ) -> Result<Scalar, RangeError>;
    /// After `t(x)` and both synthetic blindings: the challenge `w`, then the inner-product argument of `len` opens.
    fn evaluation(&mut self, t_x: &Scalar, t_x_blinding: &Scalar, e_blinding: &Scalar, len: usize) -> Scalar;
    /// After one pair `L`, `R`: the challenge `u`.
    fn halving(&mut self, l: &CompressedRistretto, r: &CompressedRistretto) -> Result<Scalar, RangeError>;
}

impl RangeTranscript for Transcript {
    fn open(&mut self, n: usize, m: usize, commitments: &[CompressedRistretto]) {
        self.append_message(b"dom-sep", b"rangeproof v1");
        self.append_u64(b"n", n as u64);
        self.append_u64(b"m", m as u64);
        let zero = CompressedRistretto::identity();
        for v in commitments.iter().chain(std::iter::repeat(&zero)).take(m) {
            self.append_message(b"V", v.as_bytes());
        }
    }

    fn open_packed(&mut self, layout: &Layout) {
        self.append_message(b"dom-sep", labels::PACKED_RANGES);
        self.append_u64(b"n", layout.len() as u64);
        self.append_u64(b"m", layout.bounds().len() as u64);
        let bounds: Vec<u8> = layout.bounds().iter().flat_map(|most| most.to_le_bytes()).collect();
        self.append_message(b"bounds", &bounds);
    }

    fn bits(
        &mut self,
        a: &CompressedRistretto,
        s: &CompressedRistretto,
    ) -> Result<(Scalar, Scalar), RangeError> {
        append_point(self, b"A", a)?;
        append_point(self, b"S", s)?;
        Ok((challenge(self, b"y"), challenge(self, b"z")))
    }

    fn polynomial(
        &mut self,
        t_1: &CompressedRistretto,
        t_2: &CompressedRistretto,
    ) -> Result<Scalar, RangeError> {
        append_point(self, b"T_1", t_1)?;
        append_point(self, b"T_2", t_2)?;
        Ok(challenge(self, b"x"))
    }

    fn evaluation(&mut self, t_x: &Scalar, t_x_blinding: &Scalar, e_blinding: &Scalar, len: usize) -> Scalar {
        self.append_message(b"t_x", t_x.as_bytes());
        self.append_message(b"t_x_blinding", t_x_blinding.as_bytes());
        self.append_message(b"e_blinding", e_blinding.as_bytes());
        let w = challenge(self, b"w");
        self.append_message(b"dom-sep", b"ipp v1");
        self.append_u64(b"n", len as u64);
        w
    }

    fn halving(&mut self, l: &CompressedRistretto, r: &CompressedRistretto) -> Result<Scalar, RangeError> {
        append_point(self, b"L", l)?;
        append_point(self, b"R", r)?;
        Ok(challenge(self, b"u"))
    }
}

/// Absorbs a point of the proof, which must not be the identity.
fn append_point(
    transcript: &mut Transcript,
    label: &'static [u8],
    point: &CompressedRistretto,
) -> Result<(), RangeError> {
    if point.is_identity() {
        return Err(RangeError::Point);
    }
    transcript.append_message(label, point.as_bytes());
    Ok(())
}

fn challenge(transcript: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut wide = [0u8; 64];
    transcript.challenge_bytes(label, &mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}
