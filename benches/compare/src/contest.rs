//! Taking turns, and the clock.

use crate::peer::Work;
use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::time::{Duration, Instant};

/// One line of a table, to be measured.
pub(crate) struct Contestant<'a> {
    pub(crate) name: &'static str,
    /// Proofs per run and values per proof.
    pub(crate) shape: (usize, usize),
    pub(crate) threads: usize,
    /// Bytes of all proofs of a run.
    pub(crate) proof_bytes: usize,
    pub(crate) work: Work<'a>,
}

/// One line of a table, measured. Times are medians over the rounds.
#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) proofs: usize,
    pub(crate) values_per_proof: usize,
    pub(crate) threads: usize,
    pub(crate) proof_bytes_per_value: f64,
    pub(crate) wall_us_per_value: f64,
    /// Of the whole process, on all processors.
    pub(crate) cpu_us_per_value: f64,
    /// Wall time in units of the first line's.
    pub(crate) wall_ratio: f64,
    /// Processor time in units of the first line's.
    pub(crate) cpu_ratio: f64,
}

/// Runs all once untimed, then `rounds` times in turns. The lines come in the order of the contestants.
pub(crate) fn contest(rounds: u32, mut contestants: Vec<Contestant<'_>>) -> Result<Vec<Line>> {
    let count = contestants.len();
    let mut times = vec![Vec::new(); count];
    for contestant in &mut contestants {
        (contestant.work)()?;
    }
    for round in 0..rounds as usize {
        for turn in 0..count {
            let at = (round + turn) % count;
            times[at].push(timed(&mut contestants[at].work)?);
        }
    }
    let mut lines: Vec<_> = contestants.iter().zip(&times).map(|(one, times)| line(one, times)).collect();
    let unit = lines.first().map_or((1.0, 1.0), |line| (line.wall_us_per_value, line.cpu_us_per_value));
    for line in &mut lines {
        (line.wall_ratio, line.cpu_ratio) = (line.wall_us_per_value / unit.0, line.cpu_us_per_value / unit.1);
    }
    Ok(lines)
}

/// Wall and processor time of one run.
fn timed(work: &mut Work<'_>) -> Result<(Duration, Duration)> {
    let cpu = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime));
    let (wall, before) = (Instant::now(), cpu()?);
    work()?;
    Ok((wall.elapsed(), cpu()?.saturating_sub(before)))
}

fn line(contestant: &Contestant<'_>, times: &[(Duration, Duration)]) -> Line {
    let (proofs, values_per_proof) = contestant.shape;
    let values = (proofs * values_per_proof) as f64;
    let per_value = |times: Vec<Duration>| median(times).as_secs_f64() * 1e6 / values;
    Line {
        name: contestant.name,
        proofs,
        values_per_proof,
        threads: contestant.threads,
        proof_bytes_per_value: contestant.proof_bytes as f64 / values,
        wall_us_per_value: per_value(times.iter().map(|time| time.0).collect()),
        cpu_us_per_value: per_value(times.iter().map(|time| time.1).collect()),
        wall_ratio: 1.0,
        cpu_ratio: 1.0,
    }
}

/// The upper median.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
