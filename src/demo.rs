//! The demonstration: four banks and a regulator, five processes on this machine, a seeded portfolio.

use crate::{
    audit,
    booking::{self, Summary},
    cluster::Cluster,
    home::Home,
    import::portfolio,
    progress::{bar, say},
    report::{self, Report},
    servicer::Servicer,
    totals,
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use counterfoil_ledger::{genesis::Role, names::ProductId};
use counterfoil_policy::format_grouped;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// The product of the demonstration.
pub const PRODUCT: &str = r#"# Micro-loans that bank-a services and up to three partners co-fund.
name = "micro-loan"
currency = "CNY"
width = 32
cap = "50000.00"
parts = 4
share_units = 100
min_servicer_share = 30
auditors = ["regulator"]

[weights]
bank-a = 30
bank-b = 40
bank-c = 20
bank-d = 10
"#;

/// The members of the demonstration.
pub const MEMBERS: [(&str, Role); 5] = [
    ("bank-a", Role::Bank),
    ("bank-b", Role::Bank),
    ("bank-c", Role::Bank),
    ("bank-d", Role::Bank),
    ("regulator", Role::Regulator),
];
const NAMES: [&str; 5] = ["bank-a", "bank-b", "bank-c", "bank-d", "regulator"];
const PATIENCE: Duration = Duration::from_secs(120);

/// What to demonstrate.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// How many loans, each with a year of repayments.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub loans: u32,
    /// The seed of the portfolio.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// End when all is shown; otherwise the consortium keeps running until Ctrl-C.
    #[arg(long)]
    pub exit: bool,
    /// Where to keep the members' folders; otherwise a temporary one that is removed in the end.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Print JSON at the end instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What the demonstration shows.
#[derive(Clone, Debug, Serialize)]
struct Shown {
    loans: u64,
    payments: u64,
    batches: u64,
    booking_seconds: f64,
    events_per_second: f64,
    bytes_per_event: u64,
    bytes_per_loan: u64,
    height: u64,
    state: String,
    banks: Vec<Report>,
    regulator: Report,
    outside: Option<Outside>,
    totals: Vec<totals::Line>,
    verified: audit::Checked,
}

/// What a bank outside a loan sees of it.
#[derive(Clone, Debug, Serialize)]
struct Outside {
    loan: String,
    inside: String,
    outside: String,
    parts_inside: usize,
    parts_outside: usize,
}

/// Runs the demonstration.
///
/// # Errors
/// When a process cannot be started or does not keep up, or anything shown does not agree.
pub async fn run(options: &Options) -> Result<()> {
    let begin = Instant::now();
    let (dir, temporary) = folder(options)?;
    // Interrupted at any time, the future that owns the processes is dropped, and they with it.
    let outcome = tokio::select! {
        outcome = show(options, &dir, begin) => outcome,
        () = interrupted() => Ok(None),
    };
    let outcome = match outcome {
        Ok(Some(cluster)) => stay(options, &dir, cluster).await,
        Ok(None) => {
            eprintln!("interrupted");
            Ok(())
        }
        Err(error) => Err(error),
    };
    if temporary && outcome.is_ok() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    outcome.with_context(|| format!("the members' folders and logs are in {}", dir.display()))
}

/// Keeps the consortium running until it is interrupted, then stops it.
async fn stay(options: &Options, dir: &Path, mut cluster: Cluster) -> Result<()> {
    if !options.exit {
        let program = std::env::current_exe()?;
        eprintln!(
            "\nThe consortium keeps running; its folders are in {}. Try, in another terminal:",
            dir.display()
        );
        eprintln!("  {} view --home {}", program.display(), dir.join("bank-c").display());
        eprintln!("  {} audit --home {} --loans", program.display(), dir.join("regulator").display());
        eprintln!("Ctrl-C stops it.");
        interrupted().await;
    }
    cluster.stop().await
}

/// Resolves on Ctrl-C or SIGTERM.
async fn interrupted() {
    let terminate = signal(SignalKind::terminate());
    let terminated = async {
        match terminate {
            Ok(mut stream) => drop(stream.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

async fn show(options: &Options, dir: &Path, begin: Instant) -> Result<Option<Cluster>> {
    let tell = |text: &str| {
        if !options.json {
            say(text)
        }
    };
    tell(
        "Counterfoil: four banks fund micro-loans together, a regulator audits; five processes on this machine.\n",
    );
    let program = std::env::current_exe().context("where is this program?")?;
    let mut cluster = Cluster::found(dir, &program, &MEMBERS, &[PRODUCT])?;
    cluster.start_all()?;
    cluster.ready(&NAMES, NAMES.len().saturating_sub(1), PATIENCE).await?;
    tell(&format!(
        "1. keys, genesis, and a QUIC mesh of five nodes ({:.1} s)",
        begin.elapsed().as_secs_f64()
    ));

    let (summary, seconds) = book(options, cluster.home("bank-a")?).await?;
    let events = summary.events();
    tell(&format!(
        "2. bank-a sealed {} loans and {} repayments in {} batches; every node verified every proof ({seconds:.1} s)",
        summary.loans, summary.payments, summary.batches
    ));
    let (height, state) = cluster.agree(&NAMES, 1, PATIENCE).await?;
    tell(&format!("3. all five are at height {height} with one state root, {}…", hex::encode(&state[..6])));

    let mut shown = read(&cluster, summary, seconds, events)?;
    shown.height = height;
    shown.state = hex::encode(state);
    if options.json {
        say(serde_json::to_string_pretty(&shown)?);
    } else {
        print_shown(&shown, begin);
    }
    ensure!(shown.totals.iter().all(|line| line.alarms.is_empty()), "not everything adds up");
    ensure!(shown.banks.iter().all(Report::agrees) && shown.regulator.agrees(), "not everything agrees");
    Ok(Some(cluster))
}

async fn book(options: &Options, home: &Home) -> Result<(Summary, f64)> {
    let mut servicer = Servicer::open(home)?;
    let terms = servicer.me().consortium.terms(ProductId(0)).context("the demo has a product")?.clone();
    let (partners, room) = booking::partners(&servicer.me().consortium, ProductId(0), servicer.me().id)?;
    let portfolio =
        portfolio::generate(options.seed, options.loans, 12, terms.product.cap(), (&partners, room));
    let events = portfolio.openings.len().saturating_add(portfolio.events.len());
    let (bar, begin) = (bar(u64::try_from(events)?, "booking"), Instant::now());
    let inner = bar.clone();
    let summary =
        booking::book(&mut servicer, ProductId(0), &portfolio, Arc::new(move |n| inner.inc(n))).await?;
    bar.finish_and_clear();
    Ok((summary, begin.elapsed().as_secs_f64()))
}

fn read(cluster: &Cluster, summary: Summary, seconds: f64, events: u64) -> Result<Shown> {
    let bar = bar(u64::try_from(NAMES.len())?, "reading");
    let mut reports = Vec::new();
    for (_, home) in cluster.homes() {
        reports.push(report::read(home, None, true, |_, _| ())?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let regulator = reports.pop().context("the regulator is the last member")?;
    let bar = crate::progress::bar(0, "verifying");
    let chain = cluster.home("bank-d")?.chain();
    let verified = audit::check(&chain, Arc::new(cluster.consortium()?), |height, last| {
        bar.set_length(last);
        bar.set_position(height);
    })?;
    bar.finish_and_clear();
    Ok(Shown {
        loans: summary.loans,
        payments: summary.payments,
        batches: summary.batches,
        booking_seconds: seconds,
        events_per_second: events as f64 / seconds.max(0.001),
        bytes_per_event: summary.bytes.checked_div(events).unwrap_or(0),
        bytes_per_loan: summary.bytes.checked_div(summary.loans).unwrap_or(0),
        height: 0,
        state: String::new(),
        outside: outside(&reports, &regulator),
        banks: reports,
        totals: totals::read(cluster.home("regulator")?, None, |_, _| ())?,
        regulator,
        verified,
    })
}

/// A loan that one bank is in and another is not, and what each reads of it.
fn outside(banks: &[Report], regulator: &Report) -> Option<Outside> {
    let sees = |bank: &Report, id: &str| bank.parts.iter().filter(|part| part.id == id).count();
    regulator.parts.iter().find_map(|part| {
        let inside = banks.iter().skip(1).find(|bank| sees(bank, &part.id) > 0)?;
        let outside = banks.iter().find(|bank| sees(bank, &part.id) == 0)?;
        Some(Outside {
            loan: part.id.clone(),
            inside: inside.member.clone(),
            outside: outside.member.clone(),
            parts_inside: sees(inside, &part.id),
            parts_outside: sees(outside, &part.id),
        })
    })
}

fn print_shown(shown: &Shown, begin: Instant) {
    say("\nEach bank's own view, from its own node with its own keys (CNY):");
    let own: Vec<_> = shown.banks.iter().flat_map(|bank| bank.lines.clone()).collect();
    say(report::table(&own, false).trim_end());
    say("\nThe regulator's view, with its audit key:");
    say(report::table(&shown.regulator.lines, true).trim_end());
    let (banks, all) = (report::sum(&own), report::sum(&shown.regulator.lines));
    let same = banks == all;
    let money = |amount| format_grouped(amount, 2);
    say(format!(
        "  the banks' own totals {} the regulator's: {} outstanding, {} interest",
        if same { "are" } else { "ARE NOT" },
        money(banks.outstanding),
        money(banks.interest)
    ));
    if !shown.totals.is_empty() {
        say("\nControl totals that the banks signed and the regulator opened, with no proof relied upon:");
        shown.totals.iter().for_each(|line| say(format!("  {}", totals::to_text(line))));
    }
    if let Some(outside) = &shown.outside {
        say(format!(
            "\nLoan {}…: {} reads its part ({}); {}, which is not in it, reads {} parts of it,",
            &outside.loan[..12],
            outside.inside,
            outside.parts_inside,
            outside.outside,
            outside.parts_outside
        ));
        say("  though it stores the same bytes and verified the same proofs.");
    }
    say("\nWhat was proven:");
    say(format!("  {} openings compared with commitments, {} disagree", openings(shown), findings(shown)));
    say(format!(
        "  chain verified again from block 1, without any key: {} blocks, {} batches, {} events, every proof",
        shown.verified.blocks, shown.verified.batches, shown.verified.events
    ));
    say(format!(
        "  {} bytes per event, {} per loan with its repayments; {:.0} events/s booked end to end; {:.1} s in all",
        shown.bytes_per_event,
        shown.bytes_per_loan,
        shown.events_per_second,
        begin.elapsed().as_secs_f64()
    ));
}

fn openings(shown: &Shown) -> u64 {
    shown.banks.iter().chain([&shown.regulator]).fold(0, |sum, report| sum.saturating_add(report.openings))
}

fn findings(shown: &Shown) -> usize {
    shown.banks.iter().chain([&shown.regulator]).map(|report| report.findings.len()).sum()
}

fn folder(options: &Options) -> Result<(PathBuf, bool)> {
    if let Some(dir) = &options.dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        return Ok((dir.clone(), false));
    }
    let dir = std::env::temp_dir().join(format!("counterfoil-{}", std::process::id()));
    std::fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok((dir, true))
}
