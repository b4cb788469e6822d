//! Loans and payments from files to batches: `import`.

use super::print;
use crate::{
    booking,
    home::Home,
    import::{
        Portfolio, What,
        mapped::{self, Explained, Source},
        mapping::{AUTO, Mapping},
        portfolio,
    },
    progress::{bar, say},
    servicer::Servicer,
};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use counterfoil_ledger::{genesis::Consortium, names::ProductId};
use counterfoil_policy::format_grouped;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Any servicer's files (CSV, gzip or plain): one of loans, one of their events, by a mapping that says which column is what.
    #[command(
        after_help = "Examples:\n  counterfoil import mapping > servicer.toml          (a mapping to start from)\n  counterfoil import files --home bank-a --mapping servicer.toml --loans loans.csv --events events.csv --explain\n  counterfoil import files --home bank-a --mapping servicer.toml --loans loans.csv --events events.csv"
    )]
    Files(FileOptions),
    /// Loan histories in the form of the public auto-loan filings: `files` with the mapping that comes with the program.
    ///
    /// The files do not say who co-lends: which partners take part in a loan follows from its number, at least one of them.
    Auto(AutoOptions),
    /// Print the mapping of `auto`, as an example.
    Mapping,
    /// A seeded portfolio of micro-loans, for trials.
    Seeded(SeededOptions),
}

#[derive(Debug, Args)]
pub(super) struct FileOptions {
    /// How the files become events, in TOML.
    #[arg(long)]
    mapping: PathBuf,
    #[command(flatten)]
    files: AutoOptions,
}

#[derive(Debug, Args)]
pub(super) struct AutoOptions {
    #[command(flatten)]
    common: ImportOptions,
    /// The file of loans.
    #[arg(long)]
    loans: PathBuf,
    /// The file of events.
    #[arg(long)]
    events: PathBuf,
    /// Only the first so many loans.
    #[arg(long)]
    limit: Option<usize>,
    /// Say of every event's row what it becomes, and book nothing.
    #[arg(long)]
    explain: bool,
}

#[derive(Debug, Args)]
pub(super) struct SeededOptions {
    #[command(flatten)]
    common: ImportOptions,
    /// How many loans.
    #[arg(long, default_value_t = 200)]
    loans: u32,
    /// How many months of repayments.
    #[arg(long, default_value_t = 12)]
    months: u8,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct ImportOptions {
    /// The servicer's folder; its node must run.
    #[arg(long)]
    home: PathBuf,
    /// The product's name; needed only when the genesis has several.
    #[arg(long)]
    product: Option<String>,
    /// Say what would be booked, and book nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(what: &Import) -> Result<()> {
    let (common, explain) = match what {
        Import::Mapping => {
            print!("{AUTO}");
            return Ok(());
        }
        Import::Files(FileOptions { files, .. }) | Import::Auto(files) => (&files.common, files.explain),
        Import::Seeded(o) => (&o.common, false),
    };
    let home = Home::at(&common.home);
    let consortium = home.consortium()?;
    let product = product(&consortium, common.product.as_deref())?;
    let terms = consortium.terms(product).context("the product exists")?;
    let (partners, room) = booking::partners(&consortium, product, home.me()?.id)?;
    let mapped = |files: &AutoOptions, mapping: &str| {
        let mapping = Mapping::parse(mapping)?;
        let (loans, events, limit) = (files.loans.as_path(), files.events.as_path(), files.limit);
        let exponent = terms.product.exponent();
        let source =
            Source { mapping: &mapping, loans, events, limit, exponent, partners: (&partners, room) };
        let tell = |explained: &Explained| tell(explained, exponent, common.json);
        anyhow::Ok(mapped::read_each(&source, &mut |explained| {
            if explain {
                tell(explained);
            }
        })?)
    };
    let portfolio = match what {
        Import::Files(o) => {
            let text = std::fs::read_to_string(&o.mapping);
            mapped(&o.files, &text.with_context(|| format!("cannot read {}", o.mapping.display()))?)?
        }
        Import::Auto(files) => mapped(files, AUTO)?,
        Import::Seeded(o) => {
            portfolio::generate(o.seed, o.loans, o.months, terms.product.cap(), (&partners, room))
        }
        Import::Mapping => return Ok(()),
    };
    if !common.json {
        say(format!("{} loans, {} events", portfolio.openings.len(), portfolio.events.len()));
        for (name, left_out) in &portfolio.left_out {
            say(format!("  left out: {:>7} {name}: {}", left_out.count, left_out.reason));
        }
    }
    if common.dry_run || explain {
        say("Nothing was booked.");
        return Ok(());
    }
    book(&home, product, &portfolio, common.json).await
}

async fn book(home: &Home, product: ProductId, portfolio: &Portfolio, json: bool) -> Result<()> {
    let mut servicer = Servicer::open(home)?;
    let total = u64::try_from(portfolio.openings.len().saturating_add(portfolio.events.len()))?;
    let bar = bar(total, "booking");
    let (begin, inner) = (Instant::now(), bar.clone());
    let summary = booking::book(&mut servicer, product, portfolio, Arc::new(move |n| inner.inc(n))).await?;
    bar.finish_and_clear();
    let seconds = begin.elapsed().as_secs_f64();
    let rate = summary.events() as f64 / seconds.max(0.001);
    if json {
        let left_out: BTreeMap<_, _> = portfolio.left_out.iter().map(|(k, v)| (k, v.count)).collect();
        return print(&serde_json::json!({
            "loans": summary.loans, "payments": summary.payments, "raises": summary.raises,
            "write_offs": summary.write_offs, "recoveries": summary.recoveries, "already": summary.already,
            "batches": summary.batches, "bytes": summary.bytes, "seconds": seconds, "left_out": left_out,
        }));
    }
    say(format!(
        "booked {} loans, {} payments, {} increases, {} write-offs and {} recoveries in {} batches, {seconds:.1} s, {rate:.0} \
         events/s; {} were booked before",
        summary.loans,
        summary.payments,
        summary.raises,
        summary.write_offs,
        summary.recoveries,
        summary.batches,
        summary.already
    ));
    Ok(())
}

/// Says what a row becomes.
fn tell(explained: &Explained, exponent: u8, json: bool) {
    let amount = |amount: u64| format_grouped(amount, exponent);
    let what = |what: &What| match what {
        What::Paid { principal, interest, fee, penalty } => {
            let all = [("principal", principal), ("interest", interest), ("fee", fee), ("penalty", penalty)];
            let paid = all.iter().filter(|(_, part)| **part > 0);
            let paid: Vec<_> = paid.map(|(name, part)| format!("{name} {}", amount(**part))).collect();
            format!("paid: {}", paid.join(", "))
        }
        What::Raised { amount: by } => format!("raised by {}", amount(*by)),
        What::WrittenOff => "written off".to_owned(),
        What::Recovered { proceeds, costs } => {
            format!("recovered: {}, costs {}", amount(*proceeds), amount(*costs))
        }
    };
    let left_out = explained.left_out.iter().map(|name| format!("left out: {name}"));
    let becomes: Vec<_> = explained.booked.iter().map(what).chain(left_out).collect();
    let Explained { row, loan, kind, date, .. } = explained;
    if json {
        println!(
            "{}",
            serde_json::json!({ "row": row, "loan": loan, "kind": kind, "day": date.0, "becomes": becomes })
        );
    } else {
        println!("row {row}  loan {loan}  {kind}  ->  {}", becomes.join("; "));
    }
}

fn product(consortium: &Consortium, name: Option<&str>) -> Result<ProductId> {
    let products: Vec<_> = consortium.products().map(|(id, terms)| (id, terms.product.name())).collect();
    let all = products.iter().map(|p| p.1).collect::<Vec<_>>().join(", ");
    match (name, products.as_slice()) {
        (Some(name), _) => {
            let found = products.iter().find(|p| p.1 == name).map(|p| p.0);
            found.with_context(|| format!("there is no product {name:?}; the genesis has {all}"))
        }
        (None, [only]) => Ok(only.0),
        (None, _) => bail!("which product? Give --product, one of {all}"),
    }
}
