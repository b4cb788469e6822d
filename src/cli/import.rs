//! Loans and payments from files to batches: `import`.

use super::print;
use crate::{
    booking,
    home::Home,
    import,
    progress::{bar, say},
    servicer::Servicer,
};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use counterfoil_ledger::{genesis::Consortium, names::ProductId};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Loan histories in the form of the public auto-loan filings (CSV, gzip or plain).
    ///
    /// The files do not say who co-lends: which partners take part in a loan follows from its number, at least one of them.
    /// Kinds that have no batch yet (balance increases, charge-offs, recoveries) are counted by name and left out.
    Auto(AutoOptions),
    /// A seeded portfolio of micro-loans, for trials.
    Seeded(SeededOptions),
}

#[derive(Debug, Args)]
pub(super) struct AutoOptions {
    #[command(flatten)]
    common: ImportOptions,
    /// The file of loans.
    #[arg(long)]
    loans: PathBuf,
    /// The file of loan-months.
    #[arg(long)]
    events: PathBuf,
    /// Only the first so many loans.
    #[arg(long)]
    limit: Option<usize>,
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
    let (Import::Auto(AutoOptions { common, .. }) | Import::Seeded(SeededOptions { common, .. })) = what;
    let home = Home::at(&common.home);
    let consortium = home.consortium()?;
    let product = product(&consortium, common.product.as_deref())?;
    let terms = consortium.terms(product).context("the product exists")?;
    let partners = u8::try_from(terms.product.weights().len().saturating_sub(1))?;
    let portfolio = match what {
        Import::Auto(o) => import::auto::read(&o.loans, &o.events, o.limit, partners)?,
        Import::Seeded(o) => {
            import::portfolio::generate(o.seed, o.loans, o.months, terms.product.cap(), partners)
        }
    };
    if !common.json {
        say(format!("{} loans, {} payments", portfolio.openings.len(), portfolio.payments.len()));
        for (name, left_out) in &portfolio.left_out {
            say(format!("  left out: {:>7} {name}: {}", left_out.count, left_out.reason));
        }
    }
    if common.dry_run {
        say("Nothing was booked (--dry-run).");
        return Ok(());
    }
    let mut servicer = Servicer::open(&home)?;
    let total = u64::try_from(portfolio.openings.len().saturating_add(portfolio.payments.len()))?;
    let bar = bar(total, "booking");
    let (begin, inner) = (Instant::now(), bar.clone());
    let summary = booking::book(&mut servicer, product, &portfolio, Arc::new(move |n| inner.inc(n))).await?;
    bar.finish_and_clear();
    let seconds = begin.elapsed().as_secs_f64();
    let events = summary.loans.saturating_add(summary.payments);
    let rate = events as f64 / seconds.max(0.001);
    if common.json {
        let left_out: BTreeMap<_, _> = portfolio.left_out.iter().map(|(k, v)| (k, v.count)).collect();
        return print(&serde_json::json!({
            "loans": summary.loans, "payments": summary.payments, "already": summary.already,
            "batches": summary.batches, "bytes": summary.bytes, "seconds": seconds, "left_out": left_out,
        }));
    }
    say(format!(
        "booked {} loans and {} payments in {} batches, {:.1} s, {rate:.0} events/s; {} were booked before",
        summary.loans, summary.payments, summary.batches, seconds, summary.already
    ));
    Ok(())
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
