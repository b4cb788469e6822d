//! Progress bars.

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar on standard error; hidden where that is no terminal.
#[must_use]
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {msg:<12} [{bar:40}] {pos}/{len} {per_sec:.0} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style.progress_chars("=> ")).with_message(what)
}
