//! The command line: raw words to checked options, checked options to calls.

mod import;
mod members;
mod node;
mod read;

use crate::{demo, progress::say, reconcile, suites, totals};
use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};

/// A privacy-preserving ledger for banks that lend together.
///
/// Several banks fund one loan; each verifies only its own part, all check that the parts add up, a regulator opens what
/// policy grants it. Start with `counterfoil demo`.
#[derive(Debug, Parser)]
#[command(version, about, long_about, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch four banks and a regulator keep a joint-loan book on this machine.
    #[command(
        after_help = "Examples:\n  counterfoil demo\n  counterfoil demo --loans 50 --exit\n  counterfoil demo --exit --json"
    )]
    Demo(demo::Options),
    /// Make keys and a registration for a new member.
    #[command(
        after_help = "Examples:\n  counterfoil keygen --home bank-a --name bank-a\n  counterfoil keygen --home reg --name regulator --role regulator\n\nHOME/key is the secret: it never leaves the machine. HOME/member.toml goes to whoever makes the genesis."
    )]
    Keygen(members::Keygen),
    /// Put the members' registrations and the products together to a genesis.
    #[command(
        after_help = "Example:\n  counterfoil genesis --name loans --member bank-a/member.toml --member bank-b/member.toml --product micro.toml --out genesis.toml\n\nEvery member copies genesis.toml into its folder. Its hash is the consortium's id: compare it by telephone."
    )]
    Genesis(members::GenesisOptions),
    /// Run a member's node.
    #[command(
        after_help = "Examples:\n  counterfoil node --home bank-a --listen 0.0.0.0:7000 --peer bank-b=10.0.0.2:7000 --peer bank-c=10.0.0.3:7000\n  counterfoil node --home bank-a          (addresses from bank-a/node.toml)\n\nStop it with Ctrl-C or SIGTERM. COUNTERFOIL_LOG=debug says more."
    )]
    Node(node::NodeOptions),
    /// Book loans and what happens to them from files as a servicer, through its running node.
    #[command(
        subcommand,
        after_help = "Example:\n  counterfoil import files --home bank-a --mapping servicer.toml --loans loans.csv --events events.csv --explain\n  counterfoil import auto --home bank-a --loans auto_loans_cents.csv.gz --events auto_events_cents.csv.gz --limit 500\n\nWhat is booked already is passed over: run a broken import again."
    )]
    Import(import::Import),
    /// Read a bank's own view: its loans and accounts, every number verified.
    #[command(
        after_help = "Examples:\n  counterfoil view --home bank-b\n  counterfoil view --home bank-b --loans --json"
    )]
    View(read::ViewOptions),
    /// Read a regulator's view: every bank's totals, every number verified.
    #[command(
        after_help = "Examples:\n  counterfoil audit --home regulator\n  counterfoil audit --home regulator --loans --json"
    )]
    Audit(read::ViewOptions),
    /// Verify a chain from its first block: certificates, proofs, state. Needs no key.
    #[command(after_help = "Example:\n  counterfoil verify --chain bank-a/chain --genesis genesis.toml")]
    Verify(read::VerifyOptions),
    /// Check as a regulator that what the banks attest of their control accounts adds up, epoch by epoch. Relies on no proof.
    #[command(
        after_help = "Examples:\n  counterfoil totals --home regulator\n  counterfoil totals --home regulator --chain bank-b/chain --json\n\nEnds with code 1 when something does not add up; the regulator's node has written the evidence to HOME/alarms."
    )]
    Totals(totals::Options),
    /// Compare a bank's core-banking extract (CSV or camt.053) with what it can open on the ledger, and name what differs.
    #[command(after_help = reconcile::cli::EXAMPLES)]
    Reconcile(reconcile::cli::Options),
    /// Retire a proof suite together, and say which are in force.
    #[command(
        subcommand,
        after_help = "Example:\n  counterfoil suite sign --home bank-a --retire 1 --from 5000 --out bank-a.vote\n  counterfoil suite retire --home bank-a --vote bank-a.vote --vote bank-b.vote --vote bank-c.vote\n  counterfoil suite list --home bank-a"
    )]
    Suite(suites::Command),
    /// Ask a running node how it stands.
    #[command(after_help = "Example:\n  counterfoil status --home bank-a")]
    Status(node::StatusOptions),
    /// Write completions for a shell.
    #[command(after_help = "Example:\n  counterfoil completions bash > /etc/bash_completion.d/counterfoil")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Runs a command.
///
/// # Errors
/// What went wrong, with which input, and what to do.
pub fn run(cli: Cli) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match cli.command {
        Command::Demo(options) => runtime.block_on(demo::run(&options)),
        Command::Keygen(options) => members::keygen(&options),
        Command::Genesis(options) => members::genesis(&options),
        Command::Node(options) => runtime.block_on(node::node(&options)),
        Command::Import(what) => runtime.block_on(import::run(&what)),
        Command::View(options) => read::view(&options, false),
        Command::Audit(options) => read::view(&options, true),
        Command::Verify(options) => read::verify(&options),
        Command::Totals(options) => totals::run(&options),
        Command::Reconcile(options) => reconcile::cli::run(&options),
        Command::Suite(command) => runtime.block_on(suites::run(&command)),
        Command::Status(options) => runtime.block_on(node::status(&options)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "counterfoil", &mut std::io::stdout());
            Ok(())
        }
    }
}

fn print(value: &serde_json::Value) -> Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}
