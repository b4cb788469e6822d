//! Tables for people, and the same for programs.

use crate::contest::Line;
use serde::Serialize;
use std::fmt;

/// Lines that were measured in the same rounds; the first is the unit of the ratios.
#[derive(Serialize)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) rounds: u32,
    pub(crate) lines: Vec<Line>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: medians of {} rounds, in µs per value", self.title, self.rounds)?;
        let (shape, bytes, wall, cpu) = ("proofs x values", "bytes/value", "wall", "cpu");
        let ratios = ("ratio of wall", "of cpu");
        writeln!(
            f,
            "  {:44} {shape:>15} {bytes:>11} {wall:>9} {cpu:>9} {:>14} {:>7}",
            "", ratios.0, ratios.1
        )?;
        for line in &self.lines {
            let shape = format!("{} x {}", line.proofs, line.values_per_proof);
            write!(f, "  {:44} {shape:>15} {:11.1} ", line.name, line.proof_bytes_per_value)?;
            write!(f, "{:9.2} {:9.2} ", line.wall_us_per_value, line.cpu_us_per_value)?;
            writeln!(f, "{:14.2} {:7.2}", line.wall_ratio, line.cpu_ratio)?;
        }
        Ok(())
    }
}
