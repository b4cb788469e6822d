//! What people see: lines on standard output, progress bars on standard error.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write as _;

/// Writes a line to standard output. Whoever closed the other end (`| head`) has seen enough: the program ends well.
pub fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// A progress bar on standard error; hidden where that is no terminal.
#[must_use]
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {msg:<12} [{bar:40}] {pos}/{len} {per_sec:.0} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style.progress_chars("=> ")).with_message(what)
}
