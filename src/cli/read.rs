//! What a chain says: `view` for a bank, `audit` for a regulator, `verify` for anybody.

use super::print;
use crate::{
    audit,
    home::{self, Home},
    progress::{bar, say},
    report,
};
use anyhow::{Result, bail, ensure};
use clap::Args;
use std::{path::PathBuf, sync::Arc, time::Instant};

#[derive(Debug, Args)]
pub(super) struct ViewOptions {
    /// The member's folder.
    #[arg(long)]
    home: PathBuf,
    /// The folder of the chain to read; otherwise that of the member's own node.
    #[arg(long)]
    chain: Option<PathBuf>,
    /// List the loans part by part.
    #[arg(long)]
    loans: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// The folder of a chain, as in HOME/chain.
    #[arg(long)]
    chain: PathBuf,
    /// The genesis file.
    #[arg(long)]
    genesis: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn view(options: &ViewOptions, audit: bool) -> Result<()> {
    let home = Home::at(&options.home);
    let me = home.me()?;
    match (audit, report::is_auditor(&me)) {
        (false, true) => bail!("{} is a regulator; use `counterfoil audit`", me.consortium.name(me.id)),
        (true, false) => bail!("{} is a bank; use `counterfoil view`", me.consortium.name(me.id)),
        _ => {}
    }
    let bar = bar(0, "reading");
    let report = report::read(&home, options.chain.as_deref(), options.loans, |height, last| {
        bar.set_length(last);
        bar.set_position(height);
    })?;
    bar.finish_and_clear();
    if options.json {
        print(&serde_json::to_value(&report)?)?;
    } else {
        say(report.to_text().trim_end());
    }
    ensure!(report.agrees(), "not everything agrees");
    Ok(())
}

pub(super) fn verify(options: &VerifyOptions) -> Result<()> {
    let consortium = Arc::new(home::read_genesis(&options.genesis)?);
    let bar = bar(0, "verifying");
    let begin = Instant::now();
    let checked = audit::check(&options.chain, consortium, |height, last| {
        bar.set_length(last);
        bar.set_position(height);
    })?;
    bar.finish_and_clear();
    if options.json {
        return print(&serde_json::to_value(&checked)?);
    }
    say(format!(
        "verified: {} blocks, each decided by more than two thirds of the banks; {} batches, {} events, every proof",
        checked.blocks, checked.batches, checked.events
    ));
    say(format!("state root {} ({:.1} s)", checked.state, begin.elapsed().as_secs_f64()));
    Ok(())
}
