//! Range proofs and sigma proofs: the same verdict as the `bulletproofs` crate's, and the same together as alone.

use crate::{
    input::{Input, edit},
    world::rng,
};
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use counterfoil_crypto::{
    encoding::{self, Element},
    pedersen::{blinding_base, value_base},
    range::{self, Check, Width},
    statement::{Proof, Statement},
};
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar, traits::Identity as _};
use merlin::Transcript;
use std::sync::LazyLock;

/// A range proof and what it is about.
#[derive(Clone)]
struct Range {
    width: Width,
    commitments: Vec<CompressedRistretto>,
    proof: Vec<u8>,
}

/// Widths and numbers of values. At most 64 bits together, or 128 with the padding: the crate takes its time.
const SHAPES: [(Width, usize); 8] = [
    (Width::Bits8, 1),
    (Width::Bits8, 2),
    (Width::Bits8, 3),
    (Width::Bits8, 8),
    (Width::Bits16, 1),
    (Width::Bits16, 3),
    (Width::Bits32, 2),
    (Width::Bits64, 1),
];

static RANGES: LazyLock<Vec<Range>> =
    LazyLock::new(|| SHAPES.iter().map(|(width, count)| Range::of(*width, *count)).collect());
static GENERATORS: LazyLock<BulletproofGens> = LazyLock::new(|| BulletproofGens::new(64, 16));

/// A good range proof and its commitments with some bytes changed gets the verdict of the `bulletproofs` crate.
#[must_use]
pub fn like_the_crate(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let choice = input.byte();
    let mut changed = RANGES[usize::from(choice) % RANGES.len()].clone();
    if choice & 0x40 != 0 {
        let at = input.below(changed.commitments.len());
        let mut word = changed.commitments[at].to_bytes().to_vec();
        edit(&mut word, &mut input, 1);
        word.resize(32, 0);
        changed.commitments[at] = CompressedRistretto(word.try_into().expect("it was made 32 bytes long"));
    }
    if choice & 0x80 != 0 {
        let more = changed.commitments[0];
        changed.commitments.resize(input.below(5), more);
    }
    edit(&mut changed.proof, &mut input, 8);
    let verdict = range::verify(changed.width, &changed.commitments, &changed.proof, &mut transcript());
    assert_eq!(verdict.is_ok(), changed.crate_accepts(), "{verdict:?}");
    verdict.is_ok()
}

impl Range {
    fn of(width: Width, count: usize) -> Self {
        let (bases, numbers) = (PedersenGens::default(), 0..u64::try_from(count).expect("a few"));
        let values: Vec<u64> = numbers.clone().map(|n| width.max() - n * 7).collect();
        let blindings: Vec<Scalar> = numbers.map(|n| Scalar::from(n + 7).invert()).collect();
        let commit = |(v, r): (&u64, &Scalar)| bases.commit(Scalar::from(*v), *r).compress();
        let commitments = values.iter().zip(&blindings).map(commit).collect();
        let proof = range::prove(width, &values, &blindings, &mut transcript(), &mut rng(1));
        Self { width, commitments, proof: proof.expect("the values fit") }
    }

    /// The crate's verdict; padding is the caller's business there, and so is the empty proof.
    fn crate_accepts(&self) -> bool {
        let mut commitments = self.commitments.clone();
        if commitments.is_empty() {
            return false;
        }
        commitments.resize(commitments.len().next_power_of_two(), CompressedRistretto::identity());
        let (bases, bits, mut transcript) = (PedersenGens::default(), self.width.bits(), transcript());
        RangeProof::from_bytes(&self.proof).is_ok_and(|proof| {
            let verdict = proof.verify_multiple_with_rng(
                &GENERATORS,
                &bases,
                &mut transcript,
                &commitments,
                bits,
                &mut rng(2),
            );
            verdict.is_ok()
        })
    }
}

/// A proof of either kind.
#[derive(Clone)]
enum Item {
    Range(Range),
    /// A sigma proof's bytes, of [`statement`].
    Sigma(Vec<u8>),
}

/// Up to four proofs of all kinds and widths, some changed, two of them perhaps by the same amount up and down: the joint
/// check accepts if and only if every proof is accepted alone. A sigma proof that decodes encodes to the same bytes.
#[must_use]
pub fn all_or_nothing(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let count = 1 + input.below(4);
    let opposite = input.byte() & 1 == 1;
    let mut items: Vec<Item> = (0..count).map(|_| Item::chosen(&mut input)).collect();
    if opposite {
        let (first, last, by) = (input.below(count), input.below(count), Scalar::from(input.byte()));
        let place = input.number();
        shift(items[first].bytes(), place, by);
        shift(items[last].bytes(), place, -by);
    }
    let alone = items.iter().all(|item| accepts(std::slice::from_ref(item)));
    assert_eq!(accepts(&items), alone, "the joint check and the single ones differ");
    alone
}

impl Item {
    fn chosen(input: &mut Input<'_>) -> Self {
        let choice = input.byte();
        let mut item = match usize::from(choice & 0x0f) {
            // As often a sigma proof as a range proof.
            n if n < RANGES.len() => Self::Range(RANGES[n].clone()),
            _ => Self::Sigma(SIGMA.clone()),
        };
        edit(item.bytes(), input, usize::from(choice >> 6));
        item
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Range(range) => &mut range.proof,
            Self::Sigma(bytes) => bytes,
        }
    }

    /// Whether the proof could be added to the check.
    fn accumulate(&self, check: &mut Check) -> bool {
        let mut transcript = transcript();
        match self {
            Self::Range(Range { width, commitments, proof }) => {
                range::accumulate(*width, commitments, proof, &mut transcript, check).is_ok()
            }
            Self::Sigma(bytes) => Proof::from_bytes(&statement(), bytes).is_ok_and(|proof| {
                assert_eq!(proof.to_bytes(), *bytes, "two forms of one proof");
                statement().accumulate(&mut transcript, &proof, check).is_ok()
            }),
        }
    }
}

fn accepts(items: &[Item]) -> bool {
    let mut check = Check::new(&mut rng(3));
    items.iter().all(|item| item.accumulate(&mut check)) && check.finish().is_ok()
}

/// Adds to the scalar at a place, if there is a scalar.
fn shift(bytes: &mut [u8], place: usize, by: Scalar) {
    let (words, _) = bytes.as_chunks_mut::<32>();
    let count = words.len().max(1);
    if let Some(word) = words.get_mut(place % count)
        && let Ok(scalar) = encoding::scalar(*word)
    {
        *word = (scalar + by).to_bytes();
    }
}

const SECRETS: [u64; 2] = [11, 13];

static SIGMA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let witness = SECRETS.map(Scalar::from);
    statement().prove(&mut transcript(), &witness, &mut rng(4)).to_bytes()
});

/// Two secrets in two equations over three points.
fn statement() -> Statement {
    let [v, r] = SECRETS.map(Scalar::from);
    let (base, blinding) = (value_base(), blinding_base());
    let mut statement = Statement::new(b"fuzz");
    let (secret_v, secret_r) = (statement.secret(), statement.secret());
    let [b, c, d] = [base, blinding, base + blinding].map(|point| statement.point(&point));
    let image = |point| Element::from(&point).into();
    statement.require(&image(v * base + r * blinding), &[(secret_v, b), (secret_r, c)]);
    statement.require(&image(v * (base + blinding)), &[(secret_v, d)]);
    statement
}

fn transcript() -> Transcript {
    Transcript::new(b"fuzz")
}
