//! The paths: whatever computes with amounts, blindings or keys, by public functions only.

use crate::{
    Expect,
    welch::{Class, Outcome, measure},
};
use counterfoil_crypto::{
    envelope::Section,
    pedersen::{self, Opening},
    range::{self, Width},
    secret::SecretBytes,
    statement::Statement,
    view_key::ViewKey,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use merlin::Transcript;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use std::hint::black_box;

/// Name, expected outcome, and the measurement for a number of seconds.
type Path = (&'static str, Expect, fn(u64) -> Outcome);

pub(crate) const ALL: [Path; 15] = [
    ("control: multiplication in variable time", Expect::Leak, vartime),
    ("control: two sets of one kind", Expect::Quiet, same),
    ("commit: amount", Expect::Quiet, commit_amount),
    ("commit: blinding", Expect::Quiet, commit_blinding),
    ("handle: blinding", Expect::Quiet, handle),
    ("opening as amount, 1,000 times", Expect::Quiet, amount),
    ("range proof, 1 × 8 bits: amounts", Expect::Quiet, |s| prove(s, Width::Bits8, 1)),
    ("range proof, 8 × 8 bits: amounts", Expect::Quiet, |s| prove(s, Width::Bits8, 8)),
    ("range proof, 1 × 64 bits: amounts", Expect::Quiet, |s| prove(s, Width::Bits64, 1)),
    ("sigma proof: amount", Expect::Quiet, sigma_amount),
    ("sigma proof: blinding", Expect::Quiet, sigma_blinding),
    ("strip: view key", Expect::Quiet, strip_key),
    ("strip: amount", Expect::Quiet, strip_amount),
    ("seal a section: text", Expect::Quiet, seal_text),
    // The text is copied into its padding, 0 to 5 ns by its length: what is sent has one length, but who
    // measures the servicer's own processor to the nanosecond learns something of how long the terms are.
    ("seal a section: length of the text", Expect::Known, seal_length),
];

fn vartime(seconds: u64) -> Outcome {
    let prepare = |class: Class, rng: &mut ChaCha20Rng| Scalar::from(class.pick(0, rng.next_u64()));
    measure(seconds, prepare, |v| {
        RistrettoPoint::vartime_double_scalar_mul_basepoint(v, &pedersen::blinding_base(), &Scalar::ZERO)
    })
}

fn same(seconds: u64) -> Outcome {
    measure(seconds, |_, rng| Opening::random(rng.next_u64(), rng), Opening::commit)
}

fn commit_amount(seconds: u64) -> Outcome {
    measure(seconds, |class, rng| Opening::random(class.pick(0, rng.next_u64()), rng), Opening::commit)
}

fn commit_blinding(seconds: u64) -> Outcome {
    let prepare =
        |class: Class, rng: &mut ChaCha20Rng| Opening::new(7, class.pick(Scalar::ONE, Scalar::random(rng)));
    measure(seconds, prepare, Opening::commit)
}

fn handle(seconds: u64) -> Outcome {
    let key = view_key(1).public();
    let prepare = |class: Class, rng: &mut ChaCha20Rng| class.pick(Scalar::ONE, Scalar::random(rng));
    measure(seconds, prepare, |blinding| key.handle(blinding))
}

/// A few nanoseconds each, less than a clock can tell.
fn amount(seconds: u64) -> Outcome {
    let prepare = |class: Class, rng: &mut ChaCha20Rng| Opening::random(class.pick(0, rng.next_u64()), rng);
    measure(seconds, prepare, |opening| {
        for _ in 0..1_000 {
            black_box(black_box(opening).amount());
        }
    })
}

fn prove(seconds: u64, width: Width, count: usize) -> Outcome {
    let prepare = |class: Class, rng: &mut ChaCha20Rng| {
        let amounts: Vec<u64> = (0..count).map(|_| class.pick(0, rng.next_u64() & width.max())).collect();
        let blindings: Vec<_> = (0..count).map(|_| Scalar::random(rng)).collect();
        (amounts, blindings, rng.next_u64())
    };
    measure(seconds, prepare, |(amounts, blindings, seed)| {
        let mut rng = ChaCha20Rng::seed_from_u64(*seed);
        range::prove(width, amounts, blindings, &mut Transcript::new(b"timing"), &mut rng).unwrap()
    })
}

/// A commitment and its handle: `C = v·B + r·B~`, `D = r·V`.
fn sigma(seconds: u64, secrets: fn(Class, &mut ChaCha20Rng) -> [Scalar; 2]) -> Outcome {
    let key = view_key(2).public();
    let prepare = |class: Class, rng: &mut ChaCha20Rng| {
        let [v, r] = secrets(class, rng);
        let mut statement = Statement::new(b"timing");
        let (value, blinding) = (statement.secret(), statement.secret());
        let [b, b_blinding, viewer] =
            [pedersen::value_base(), pedersen::blinding_base(), key.point()].map(|p| statement.point(p));
        statement.require(pedersen::value(&v) + pedersen::blind(&r), &[(value, b), (blinding, b_blinding)]);
        statement.require(key.handle(&r), &[(blinding, viewer)]);
        (statement, [v, r], rng.next_u64())
    };
    measure(seconds, prepare, |(statement, witness, seed)| {
        let mut rng = ChaCha20Rng::seed_from_u64(*seed);
        statement.prove(&mut Transcript::new(b"timing"), witness, &mut rng)
    })
}

fn sigma_amount(seconds: u64) -> Outcome {
    sigma(seconds, |class, rng| [Scalar::from(class.pick(0, rng.next_u64())), Scalar::random(rng)])
}

fn sigma_blinding(seconds: u64) -> Outcome {
    sigma(seconds, |class, rng| [Scalar::from(7u64), class.pick(Scalar::ONE, Scalar::random(rng))])
}

fn view_key(seed: u64) -> ViewKey {
    ViewKey::from_seed(&SecretBytes::random(&mut ChaCha20Rng::seed_from_u64(seed)))
}

fn strip_key(seconds: u64) -> Outcome {
    let prepare = |class: Class, rng: &mut ChaCha20Rng| {
        let key = view_key(class.pick(3, rng.next_u64()));
        (key, RistrettoPoint::random(rng), RistrettoPoint::random(rng))
    };
    measure(seconds, prepare, |(key, commitment, handle)| key.strip(commitment, handle))
}

fn strip_amount(seconds: u64) -> Outcome {
    let (key, public) = (view_key(4), view_key(4).public());
    let prepare = |class: Class, rng: &mut ChaCha20Rng| {
        let opening = Opening::random(class.pick(0, rng.next_u64()), rng);
        (opening.commit(), public.handle(&opening.blinding))
    };
    measure(seconds, prepare, |(commitment, handle)| key.strip(commitment, handle))
}

const CLASS: u16 = 256;

fn seal(
    seconds: u64,
    mut text: impl FnMut(Class, &mut ChaCha20Rng) -> ([u8; CLASS as usize], usize),
) -> Outcome {
    let prepare = |class: Class, rng: &mut ChaCha20Rng| {
        (SecretBytes::random(rng), text(class, rng), [SecretBytes::random(rng), SecretBytes::random(rng)])
    };
    measure(seconds, prepare, |(key, (text, length), viewers)| {
        Section::seal(key, b"timing", &text[..*length], CLASS, viewers).unwrap()
    })
}

fn seal_text(seconds: u64) -> Outcome {
    seal(seconds, |class, rng| {
        let mut text = [0; CLASS as usize];
        rng.fill_bytes(&mut text);
        (class.pick([0; CLASS as usize], text), text.len())
    })
}

fn seal_length(seconds: u64) -> Outcome {
    seal(seconds, |class, rng| {
        let length = rng.next_u32() as usize % (usize::from(CLASS) + 1);
        ([b'x'; CLASS as usize], class.pick(0, length))
    })
}
