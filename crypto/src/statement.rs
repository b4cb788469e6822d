//! Sigma protocols for linear relations: the only code of the system that draws their challenges.
//!
//! A [`Statement`] is a list of equations `image = Σ secret · point` with public points and secret scalars; a point may be a
//! [`Form`], a combination of others. Prover and
//! verifier build it with one and the same function, so what is proven is written once; then the engine absorbs the
//! whole statement with its shape, then the prover's commitments, and only then draws the challenge. Forgeries against
//! Fiat–Shamir ("frozen heart") live off something public that was not absorbed.
//!
//! Source: Maurer, *Unifying zero-knowledge proofs of knowledge* (AFRICACRYPT 2009), section 3; made non-interactive with
//! a Merlin transcript. What it does not prove: that a secret is small, or an integer; that is what range proofs are for.

#![allow(clippy::arithmetic_side_effects, reason = "field arithmetic; indices are made by this module")]

use crate::{
    encoding::{self, Element},
    form::{Entry, Form, Sum, Table},
    range::Check,
};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::MultiscalarMul as _,
};
use merlin::Transcript;
use rand_core::{CryptoRngCore, OsRng};
use std::cell::OnceCell;
use zeroize::Zeroizing;

/// A public point that takes part in a [`Statement`].
#[derive(Clone, Copy, Debug)]
pub struct Point(usize);

/// A secret scalar that takes part in a [`Statement`].
#[derive(Clone, Copy, Debug)]
pub struct Secret(usize);

/// What is proven: equations between public points with secret coefficients.
#[derive(Clone, Debug)]
pub struct Statement {
    name: &'static [u8],
    secrets: usize,
    table: Table,
    points: Vec<Entry>,
    equations: Vec<Equation>,
}

#[derive(Clone, Debug)]
struct Equation {
    image: Point,
    terms: Vec<(Secret, Point)>,
}

/// A proof of a [`Statement`]: one commitment per equation, one response per secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    commitments: Vec<CompressedRistretto>,
    responses: Vec<Scalar>,
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The proof has not the length that its statement asks for.
    #[error("the proof has the wrong length for its statement")]
    Length,
    /// A point or scalar in the proof is not in canonical form.
    #[error("the proof holds a point or scalar that is not canonical")]
    Encoding,
    /// The equations do not hold.
    #[error("the proof does not verify")]
    Equation,
}

impl Proof {
    /// Every commitment, then every response, 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let points = self.commitments.iter().map(CompressedRistretto::to_bytes);
        points.chain(self.responses.iter().map(Scalar::to_bytes)).flatten().collect()
    }

    /// Reads a proof of `statement`.
    ///
    /// # Errors
    /// [`ProofError::Length`] when it is longer or shorter than the statement asks for, [`ProofError::Encoding`] when
    /// a response is not reduced: a second form of one proof.
    pub fn from_bytes(statement: &Statement, bytes: &[u8]) -> Result<Self, ProofError> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || chunks.len() != statement.equations.len() + statement.secrets {
            return Err(ProofError::Length);
        }
        let (points, scalars) = chunks.split_at(statement.equations.len());
        let responses = scalars.iter().map(|b| encoding::scalar(*b).map_err(|_| ProofError::Encoding));
        Ok(Self {
            commitments: points.iter().map(|b| CompressedRistretto(*b)).collect(),
            responses: responses.collect::<Result<_, _>>()?,
        })
    }
}

impl Statement {
    /// An empty statement; `name` separates its proofs from those of every other one.
    #[must_use]
    pub fn new(name: &'static [u8]) -> Self {
        Self { name, secrets: 0, table: Table::default(), points: Vec::new(), equations: Vec::new() }
    }

    /// Adds a secret scalar. The prover gives its value to [`Statement::prove`], in this order.
    pub fn secret(&mut self) -> Secret {
        self.secrets += 1;
        Secret(self.secrets - 1)
    }

    /// Adds a public point.
    pub fn point(&mut self, point: &RistrettoPoint) -> Point {
        self.form(&Element::from(point).into())
    }

    /// Adds a public combination of points.
    pub fn form(&mut self, form: &Form) -> Point {
        self.points.push(self.table.enter(form));
        Point(self.points.len() - 1)
    }

    /// Requires `image = Σ secret · point`.
    pub fn require(&mut self, image: &Form, terms: &[(Secret, Point)]) {
        let image = self.form(image);
        self.equations.push(Equation { image, terms: terms.to_vec() });
    }

    /// The elements, for what is proven about them beside this statement.
    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// As [`Statement::table`], to name more.
    pub(crate) fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Proves the statement for the given secrets, in constant time.
    ///
    /// The nonces depend on the statement, on the witness and on `rng`, so that a repeating or broken generator alone
    /// reveals nothing (attack 11).
    ///
    /// # Panics
    /// When the number of `witness` scalars is not the number of secrets: an error of the caller's.
    pub fn prove(
        &self,
        transcript: &mut Transcript,
        witness: &[Scalar],
        rng: &mut impl CryptoRngCore,
    ) -> Proof {
        assert_eq!(witness.len(), self.secrets, "one scalar per secret");
        self.absorb(transcript);
        let rekey =
            |rng: merlin::TranscriptRngBuilder, w: &Scalar| rng.rekey_with_witness_bytes(b"w", w.as_bytes());
        let mut nonce_rng = witness.iter().fold(transcript.build_rng(), rekey).finalize(rng);
        let nonces: Zeroizing<Vec<Scalar>> =
            Zeroizing::new(witness.iter().map(|_| Scalar::random(&mut nonce_rng)).collect());
        let commitments = self.commit(&nonces);
        let challenge = challenge(transcript, &commitments);
        let responses: Vec<_> = nonces.iter().zip(witness).map(|(k, w)| k + challenge * w).collect();
        absorb_responses(transcript, &responses);
        Proof { commitments, responses }
    }

    /// Verifies a proof alone.
    ///
    /// # Errors
    /// [`ProofError`] says what is wrong with it.
    pub fn verify(&self, transcript: &mut Transcript, proof: &Proof) -> Result<(), ProofError> {
        let mut check = Check::new(&mut OsRng);
        self.accumulate(transcript, proof, &mut check)?;
        check.finish().map_err(|_| ProofError::Equation)
    }

    /// Adds the proof's equations to a check that joins many, each under its own random weight.
    ///
    /// # Errors
    /// [`ProofError::Length`] or [`ProofError::Encoding`], after which the check is worth nothing; whether the equations hold
    /// shows when it is finished.
    pub fn accumulate(
        &self,
        transcript: &mut Transcript,
        proof: &Proof,
        check: &mut Check,
    ) -> Result<(), ProofError> {
        let mut sum = self.table.sum();
        self.accumulate_apart(transcript, proof, check, &mut sum)?;
        self.table.finish(sum, check);
        Ok(())
    }

    /// [`Statement::accumulate`] with what falls to the elements of the table added to `sum`, which the caller finishes.
    ///
    /// # Errors
    /// [`ProofError::Length`] or [`ProofError::Encoding`]; whether the equations hold shows when the check is finished.
    pub(crate) fn accumulate_apart(
        &self,
        transcript: &mut Transcript,
        proof: &Proof,
        check: &mut Check,
        sum: &mut Sum,
    ) -> Result<(), ProofError> {
        if proof.commitments.len() != self.equations.len() || proof.responses.len() != self.secrets {
            return Err(ProofError::Length);
        }
        self.absorb(transcript);
        let challenge = challenge(transcript, &proof.commitments);
        absorb_responses(transcript, &proof.responses);
        // The first weight binds all that the prover chose, the statement (through the transcript) and the proof; the others
        // follow from it.
        let mut bound = [0u8; 32];
        transcript.clone().challenge_bytes(b"weights", &mut bound);
        let mut absorbed = [&bound[..], &proof.to_bytes()].concat();
        let mut scalars = vec![Scalar::ZERO; self.points.len()];
        for (equation, commitment) in self.equations.iter().zip(&proof.commitments) {
            let weight = check.weight(&std::mem::take(&mut absorbed));
            for (secret, point) in &equation.terms {
                scalars[point.0] += weight * proof.responses[secret.0];
            }
            scalars[equation.image.0] -= weight * challenge;
            check.point(-weight, commitment.decompress().ok_or(ProofError::Encoding)?);
        }
        self.points.iter().zip(&scalars).for_each(|(point, scalar)| sum.add(point, scalar));
        Ok(())
    }

    /// Binds the whole statement, shape and points, to the transcript. Every list stands behind its length.
    fn absorb(&self, transcript: &mut Transcript) {
        transcript.append_message(b"statement", self.name);
        transcript.append_u64(b"secrets", self.secrets as u64);
        self.table.absorb(transcript);
        let mut shape = Vec::new();
        self.points.iter().for_each(|point| point.write(&mut shape));
        transcript.append_u64(b"points", self.points.len() as u64);
        transcript.append_message(b"forms", &shape);
        shape.clear();
        for Equation { image, terms } in &self.equations {
            let terms_of = terms.iter().flat_map(|(secret, point)| [secret.0, point.0]);
            let numbers = [image.0, terms.len()].into_iter().chain(terms_of);
            numbers.for_each(|number| shape.extend((number as u32).to_le_bytes()));
        }
        transcript.append_u64(b"equations", self.equations.len() as u64);
        transcript.append_message(b"terms", &shape);
    }

    /// `Σ nonce · point` for every equation, in constant time. Only points that stand beside a secret are computed.
    fn commit(&self, nonces: &[Scalar]) -> Vec<CompressedRistretto> {
        let points: Vec<OnceCell<RistrettoPoint>> = self.points.iter().map(|_| OnceCell::new()).collect();
        let point = |at: Point| points[at.0].get_or_init(|| self.table.point(&self.points[at.0]));
        let sum = |equation: &Equation| {
            let scalars = equation.terms.iter().map(|(secret, _)| nonces[secret.0]);
            RistrettoPoint::multiscalar_mul(scalars, equation.terms.iter().map(|(_, at)| point(*at)))
        };
        self.equations.iter().map(|equation| sum(equation).compress()).collect()
    }
}

fn challenge(transcript: &mut Transcript, commitments: &[CompressedRistretto]) -> Scalar {
    for commitment in commitments {
        transcript.append_message(b"commitment", commitment.as_bytes());
    }
    challenge_scalar(transcript, b"challenge")
}

/// All that the prover sends enters the transcript, so that what follows depends on it.
fn absorb_responses(transcript: &mut Transcript, responses: &[Scalar]) {
    for response in responses {
        transcript.append_message(b"response", response.as_bytes());
    }
}

/// A uniform scalar of the transcript.
pub(crate) fn challenge_scalar(transcript: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut bytes = [0; 64];
    transcript.challenge_bytes(label, &mut bytes);
    Scalar::from_bytes_mod_order_wide(&bytes)
}

#[cfg(test)]
mod tests;
