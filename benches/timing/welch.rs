//! Two classes of inputs, their times, and Welch's t-test.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// The |t| from which on two sets of times are said to differ.
pub(crate) const THRESHOLD: f64 = 4.5;
/// Inputs are prepared so many at a time, outside the measured time.
const PREPARED: usize = 64;
/// The slowest times are noise of the machine. Which share to keep is not known beforehand, so each of these is tried.
const KEPT: [f64; 4] = [1.0, 0.95, 0.8, 0.5];

/// Which set an input belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Fixed,
    Random,
}

impl Class {
    /// The fixed secret or the drawn one; both are at hand whatever the class, so that preparing them leaves no trace.
    pub(crate) fn pick<T>(self, fixed: T, random: T) -> T {
        match self {
            Self::Fixed => fixed,
            Self::Random => random,
        }
    }
}

/// What came of a path.
pub(crate) struct Outcome {
    pub(crate) samples: usize,
    /// Mean of all times kept, in nanoseconds.
    pub(crate) mean: f64,
    /// By how much the fixed class is slower, in nanoseconds.
    pub(crate) difference: f64,
    /// The largest t in size.
    pub(crate) t: f64,
    /// The smallest difference of means that would have reached the threshold, in nanoseconds.
    pub(crate) visible: f64,
}

/// Times `work` on inputs of both classes for some seconds.
pub(crate) fn measure<I, O>(
    seconds: u64,
    mut prepare: impl FnMut(Class, &mut ChaCha20Rng) -> I,
    mut work: impl FnMut(&I) -> O,
) -> Outcome {
    let mut rng = ChaCha20Rng::from_entropy();
    let mut times: Vec<(Class, f64)> = Vec::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let mut input = |_| {
            let class = if rng.next_u32() & 1 == 0 { Class::Fixed } else { Class::Random };
            (class, prepare(class, &mut rng))
        };
        let inputs: Vec<_> = (0..PREPARED).map(&mut input).collect();
        for (number, (class, input)) in inputs.iter().enumerate() {
            let start = Instant::now();
            black_box(work(black_box(input)));
            let time = start.elapsed();
            // The first few find cold caches.
            if number >= PREPARED / 8 {
                times.push((*class, time.as_nanos() as f64));
            }
        }
    }
    times.sort_by(|left, right| left.1.total_cmp(&right.1));
    let kept = |share: &f64| &times[..(times.len() as f64 * share) as usize];
    let outcomes: Vec<_> = KEPT.iter().filter_map(|share| welch(kept(share))).collect();
    let visible = outcomes.iter().map(|outcome| outcome.visible).fold(f64::INFINITY, f64::min);
    let largest = outcomes.into_iter().max_by(|left, right| left.t.abs().total_cmp(&right.t.abs()));
    Outcome { visible, ..largest.expect("a run of a second has both classes") }
}

/// Welch's t, `(m₀ − m₁) / √(s₀²/n₀ + s₁²/n₁)`. `None` when hardly any time of a class was kept, as where the classes differ
/// so much that one is all of the slow half.
fn welch(times: &[(Class, f64)]) -> Option<Outcome> {
    let moments = |wanted: Class| {
        let of_class = || times.iter().filter(|(class, _)| *class == wanted).map(|(_, time)| *time);
        let count = of_class().count() as f64;
        let mean = of_class().sum::<f64>() / count;
        let variance = of_class().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (count > 9.0).then_some((mean, variance / count))
    };
    let ((fixed, fixed_error), (random, random_error)) = (moments(Class::Fixed)?, moments(Class::Random)?);
    // A clock that shows the same time for all has no variance; it counts whole nanoseconds, and so is off by some.
    let error = (fixed_error + random_error).sqrt().max(1e-3);
    Some(Outcome {
        samples: times.len(),
        mean: f64::midpoint(fixed, random),
        difference: fixed - random,
        t: (fixed - random) / error,
        visible: THRESHOLD * error,
    })
}
