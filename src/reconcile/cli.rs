//! `counterfoil reconcile`: its options, and how it ends.

use super::{
    Period,
    date::{Day, Pattern},
    export,
    extract::{self, ExtractError},
    line::{Line, Names},
    mapping::Mapping,
    own, reconcile,
    report::Report,
};
use crate::{
    home::Home,
    progress::{bar, say},
    report::is_auditor,
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use counterfoil_ledger::view::View;
use std::{
    fs::{self, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// What to try, for the help.
pub const EXAMPLES: &str = "Examples:
  counterfoil reconcile --bank bank-b --file core.csv
  counterfoil reconcile --bank bank-b --file core.csv.gz --map core.toml --breaks breaks.csv
  counterfoil reconcile --bank bank-b --file camt053.xml --from 2026-01-01 --json
  counterfoil reconcile --bank bank-b --export own.csv
  counterfoil reconcile --ledger own.csv --file core.csv

Columns of a CSV: loan, event, amount (or debit and credit), currency, value_date; and, where
there are any, booking_date, component, side, event_key, bucket, account, customer.
A mapping file says what a bank's own columns, codes, dates and separators mean:
  delimiter = \";\"
  decimal = \",\"
  thousands = \".\"
  units = \"major\"
  date = \"DD.MM.YYYY\"
  currency = \"EUR\"
  columns = { loan = \"Darlehen\", side = \"S/H\" }
  events = { AUSZ = \"drawn\", ZINS = \"repaid interest\" }
  sides = { S = \"debit\", H = \"credit\" }

Ends with code 0 when the books agree, 1 when there are breaks, 2 when it could not be done.";

/// Options of `reconcile`.
#[derive(Debug, Args)]
pub struct Options {
    /// The bank's folder.
    #[arg(long, visible_alias = "home", required_unless_present = "ledger")]
    bank: Option<PathBuf>,
    /// The folder of the chain to read; otherwise that of the bank's own node.
    #[arg(long, conflicts_with = "ledger")]
    chain: Option<PathBuf>,
    /// Own lines from a file that --export wrote, in place of the chain.
    #[arg(long, conflicts_with = "bank")]
    ledger: Option<PathBuf>,
    /// The extract: CSV or camt.053, plain or gzip.
    #[arg(long, required_unless_present = "export")]
    file: Option<PathBuf>,
    /// What the extract's columns and codes mean (TOML).
    #[arg(long)]
    map: Option<PathBuf>,
    /// Compare from this day on (booking day, YYYY-MM-DD).
    #[arg(long, value_parser = day)]
    from: Option<Day>,
    /// Compare up to this day.
    #[arg(long, value_parser = day)]
    until: Option<Day>,
    /// Pass over booking days: for a ledger that was filled long after.
    #[arg(long)]
    by_value: bool,
    /// The day to which breaks are aged; otherwise the latest in the books.
    #[arg(long, value_parser = day)]
    as_of: Option<Day>,
    /// Write all breaks to this CSV file.
    #[arg(long)]
    breaks: Option<PathBuf>,
    /// Write the own lines to this CSV file.
    #[arg(long)]
    export: Option<PathBuf>,
    /// How many breaks to show.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print JSON, with all breaks.
    #[arg(long)]
    json: bool,
}

/// The books differ: what the command found, not a failure of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the books do not agree (breaks: {0})")]
pub struct Differs(pub u64);

/// The command could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot reconcile")]
pub struct NotDone;

/// The code with which the program ends for an error of any command: 2 where `reconcile` could not be done, else 1.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<NotDone>() { 2 } else { 1 }
}

fn day(text: &str) -> Result<Day, String> {
    Pattern::default().day(text).ok_or_else(|| "is not a day written as YYYY-MM-DD".into())
}

/// Runs the command.
///
/// # Errors
/// [`Differs`] when the books do; anything else under [`NotDone`].
pub fn run(options: &Options) -> Result<()> {
    let Some(report) = compare(options).context(NotDone)? else { return Ok(()) };
    if options.json {
        say(serde_json::to_string_pretty(&report).context(NotDone)?);
    } else {
        say(report.to_text(options.limit).trim_end());
    }
    match u64::try_from(report.breaks.len()) {
        Ok(0) => Ok(()),
        count => Err(Differs(count.unwrap_or(u64::MAX)).into()),
    }
}

fn compare(options: &Options) -> Result<Option<Report>> {
    let mapping = match &options.map {
        None => Mapping::default(),
        Some(path) => {
            let text =
                fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            Mapping::read(&text).with_context(|| path.display().to_string())?
        }
    };
    let mut names = Names::default();
    let own = own_lines(options, &mut names)?;
    if let Some(path) = &options.export {
        write(path, |out| export::write(out, &own, &names))?;
        if !options.json {
            say(format!("{}: {} own lines", path.display(), own.len()));
        }
    }
    let Some(file) = &options.file else { return Ok(None) };
    let period = Period { from: options.from, until: options.until, by_value: options.by_value };
    let report = reconcile(own, &mut names, period, options.as_of, |names, sink| {
        read_file(file, &mapping, names, sink)
    })?;
    if let Some(path) = &options.breaks {
        write(path, |out| report.write_csv(out))?;
    }
    Ok(Some(report))
}

fn read_file(
    path: &Path,
    mapping: &Mapping,
    names: &mut Names,
    sink: extract::Sink<'_>,
) -> Result<u64, ExtractError> {
    let bar = bar(fs::metadata(path).map_or(0, |meta| meta.len()), "reading");
    let inner = bar.clone();
    let count = extract::read(path, mapping, names, move |bytes| inner.inc(bytes), sink);
    bar.finish_and_clear();
    count
}

fn own_lines(options: &Options, names: &mut Names) -> Result<Vec<Line>> {
    if let Some(path) = &options.ledger {
        let mut lines = Vec::new();
        read_file(path, &Mapping::default(), names, &mut |line| {
            lines.push(line);
            Ok(())
        })?;
        return Ok(lines);
    }
    let home = Home::at(options.bank.as_deref().context("which bank? Give its folder with --bank")?);
    let me = home.me()?;
    ensure!(!is_auditor(&me), "{} is a regulator; only a bank has own lines", me.consortium.name(me.id));
    let chain = options.chain.clone().unwrap_or_else(|| home.chain());
    let view = View::new(me.consortium.clone(), me.id, me.keys.clone());
    let bar = bar(0, "opening");
    let lines = own::read(&chain, view, (&me.consortium, me.id), names, |height, last| {
        bar.set_length(last);
        bar.set_position(height);
    });
    bar.finish_and_clear();
    lines
}

/// Writes a file that only its owner reads: it holds amounts.
fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), csv::Error>) -> Result<()> {
    let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let failed = || format!("{}: cannot be written", path.display());
    let mut out = BufWriter::new(open.with_context(failed)?);
    fill(&mut out).with_context(failed)?;
    out.flush().with_context(failed)
}
