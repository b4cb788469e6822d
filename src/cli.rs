//! The command line: raw words to checked options, checked options to calls.

use crate::{
    audit, booking, demo,
    home::{self, Home},
    import,
    progress::{bar, say},
    reconcile, report,
    servicer::Servicer,
    suites, totals,
};
use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use counterfoil_ledger::{
    genesis::{EPOCH_BLOCKS, Role},
    names::ProductId,
};
use std::{
    collections::BTreeMap,
    net::UdpSocket,
    os::fd::AsFd as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

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
    Keygen(Keygen),
    /// Put the members' registrations and the products together to a genesis.
    #[command(
        after_help = "Example:\n  counterfoil genesis --name loans --member bank-a/member.toml --member bank-b/member.toml --product micro.toml --out genesis.toml\n\nEvery member copies genesis.toml into its folder. Its hash is the consortium's id: compare it by telephone."
    )]
    Genesis(GenesisOptions),
    /// Run a member's node.
    #[command(
        after_help = "Examples:\n  counterfoil node --home bank-a --listen 0.0.0.0:7000 --peer bank-b=10.0.0.2:7000 --peer bank-c=10.0.0.3:7000\n  counterfoil node --home bank-a          (addresses from bank-a/node.toml)\n\nStop it with Ctrl-C or SIGTERM. COUNTERFOIL_LOG=debug says more."
    )]
    Node(NodeOptions),
    /// Book loans and payments from files as a servicer, through its running node.
    #[command(
        subcommand,
        after_help = "Example:\n  counterfoil import auto --home bank-a --loans auto_loans_cents.csv.gz --events auto_events_cents.csv.gz --limit 500\n\nWhat is booked already is passed over: run a broken import again."
    )]
    Import(Import),
    /// Read a bank's own view: its loans and accounts, every number verified.
    #[command(
        after_help = "Examples:\n  counterfoil view --home bank-b\n  counterfoil view --home bank-b --loans --json"
    )]
    View(ViewOptions),
    /// Read a regulator's view: every bank's totals, every number verified.
    #[command(
        after_help = "Examples:\n  counterfoil audit --home regulator\n  counterfoil audit --home regulator --loans --json"
    )]
    Audit(ViewOptions),
    /// Verify a chain from its first block: certificates, proofs, state. Needs no key.
    #[command(after_help = "Example:\n  counterfoil verify --chain bank-a/chain --genesis genesis.toml")]
    Verify(VerifyOptions),
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
    Status(StatusOptions),
    /// Write completions for a shell.
    #[command(after_help = "Example:\n  counterfoil completions bash > /etc/bash_completion.d/counterfoil")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Lends, services, runs a validating node.
    Bank,
    /// Observes, opens what policy grants; no vote.
    Regulator,
}

#[derive(Debug, Args)]
struct Keygen {
    /// The member's folder; made when it is not there.
    #[arg(long)]
    home: PathBuf,
    /// The member's name: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// What the member does.
    #[arg(long, value_enum, default_value = "bank")]
    role: RoleName,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct GenesisOptions {
    /// The consortium's name.
    #[arg(long)]
    name: String,
    /// A member.toml, once per member. Their order is the members' order.
    #[arg(long = "member", required = true)]
    members: Vec<PathBuf>,
    /// A product file, once per product.
    #[arg(long = "product", required = true)]
    products: Vec<PathBuf>,
    /// Blocks with batches in an epoch, at whose end every bank attests its control accounts.
    #[arg(long, default_value_t = EPOCH_BLOCKS)]
    epoch_blocks: u32,
    /// Where to write the genesis.
    #[arg(long, default_value = "genesis.toml")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct NodeOptions {
    /// The member's folder.
    #[arg(long)]
    home: PathBuf,
    /// UDP address and port to listen on, or `inherited`: a bound socket as standard input. Overrides node.toml.
    #[arg(long)]
    listen: Option<String>,
    /// Where another member listens, as NAME=ADDRESS:PORT. Overrides node.toml.
    #[arg(long = "peer", value_parser = pair)]
    peers: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Loan histories in the form of the public auto-loan filings (CSV, gzip or plain).
    ///
    /// The files do not say who co-lends: which partners take part in a loan follows from its number, at least one of them.
    /// Kinds that have no batch yet (balance increases, charge-offs, recoveries) are counted by name and left out.
    Auto(AutoOptions),
    /// A seeded portfolio of micro-loans, for trials.
    Seeded(SeededOptions),
}

#[derive(Debug, Args)]
struct AutoOptions {
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
struct SeededOptions {
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

#[derive(Debug, Args)]
struct ViewOptions {
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
struct VerifyOptions {
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

#[derive(Debug, Args)]
struct StatusOptions {
    /// The member's folder.
    #[arg(long)]
    home: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, address) =
        text.split_once('=').ok_or("write NAME=ADDRESS:PORT, as in bank-b=10.0.0.2:7000")?;
    Ok((name.into(), address.into()))
}

/// Runs a command.
///
/// # Errors
/// What went wrong, with which input, and what to do.
pub fn run(cli: Cli) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match cli.command {
        Command::Demo(options) => runtime.block_on(demo::run(&options)),
        Command::Keygen(options) => keygen(&options),
        Command::Genesis(options) => genesis(&options),
        Command::Node(options) => runtime.block_on(node(&options)),
        Command::Import(what) => runtime.block_on(import(&what)),
        Command::View(options) => view(&options, false),
        Command::Audit(options) => view(&options, true),
        Command::Verify(options) => verify(&options),
        Command::Totals(options) => totals::run(&options),
        Command::Reconcile(options) => reconcile::cli::run(&options),
        Command::Suite(command) => runtime.block_on(suites::run(&command)),
        Command::Status(options) => runtime.block_on(status(&options)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "counterfoil", &mut std::io::stdout());
            Ok(())
        }
    }
}

fn keygen(options: &Keygen) -> Result<()> {
    let role = match options.role {
        RoleName::Bank => Role::Bank,
        RoleName::Regulator => Role::Regulator,
    };
    let member = Home::at(&options.home).create(&options.name, role)?;
    let record = options.home.join("member.toml");
    if options.json {
        let identity = member.identity.to_string();
        return print(
            &serde_json::json!({ "name": member.name, "identity": identity, "member_file": record }),
        );
    }
    say(format!("{} has keys; identity {}", member.name, member.identity));
    say(format!(
        "Give {} to whoever makes the genesis. Keep {} secret.",
        record.display(),
        options.home.join("key").display()
    ));
    Ok(())
}

fn genesis(options: &GenesisOptions) -> Result<()> {
    let consortium = home::write_genesis(
        &options.name,
        &options.members,
        &options.products,
        options.epoch_blocks,
        &options.out,
    )?;
    let id = hex::encode(consortium.id());
    if options.json {
        return print(
            &serde_json::json!({ "id": id, "genesis": options.out, "banks": consortium.banks().len() }),
        );
    }
    say(format!(
        "{}: {} banks, {} members, {} products",
        options.name,
        consortium.banks().len(),
        consortium.genesis().members.len(),
        consortium.genesis().products.len()
    ));
    say(format!("consortium id {id}"));
    say(format!(
        "Every member copies {} into its folder as genesis.toml and compares the id.",
        options.out.display()
    ));
    Ok(())
}

async fn node(options: &NodeOptions) -> Result<()> {
    let home = Home::at(&options.home);
    let file = home.node_file()?;
    let listen = options.listen.clone().or(file.listen).context(
        "where should the node listen? Give --listen 0.0.0.0:7000, or `listen = \"…\"` in node.toml",
    )?;
    let mut peers: BTreeMap<_, _> = file.peers;
    peers.extend(options.peers.iter().cloned());
    let (stop, stopping) = watch::channel(false);
    let socket = if listen == "inherited" {
        // Whoever handed the socket over started this node for itself: it goes when its parent goes.
        tokio::spawn(stop_with_parent(stop.clone()));
        let socket = std::io::stdin().as_fd().try_clone_to_owned().map(UdpSocket::from)?;
        ensure!(socket.local_addr().is_ok(), "standard input is not a bound UDP socket");
        socket
    } else {
        UdpSocket::bind(&listen).with_context(|| format!("cannot listen on {listen}"))?
    };
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("stopping");
        stop.send_replace(true);
        // Held until the program ends: a dropped sender would look like no more news.
        std::future::pending::<()>().await;
    });
    crate::node::run(&home, socket, &peers, stopping).await
}

async fn stop_with_parent(stop: watch::Sender<bool>) {
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    stop.send_replace(true);
}

async fn import(what: &Import) -> Result<()> {
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

fn product(consortium: &counterfoil_ledger::genesis::Consortium, name: Option<&str>) -> Result<ProductId> {
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

fn view(options: &ViewOptions, audit: bool) -> Result<()> {
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

fn verify(options: &VerifyOptions) -> Result<()> {
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

async fn status(options: &StatusOptions) -> Result<()> {
    let status = crate::control::status(&Home::at(&options.home).socket()).await?;
    let state = hex::encode(status.state);
    if options.json {
        return print(&serde_json::json!({
            "height": status.height, "state": state, "peers": status.peers, "waiting": status.waiting,
            "epoch": status.epoch, "attested": status.attested, "alarms": status.alarms,
        }));
    }
    say(format!("height {}, state root {state}", status.height));
    say(format!("connected to {}; {} transactions wait", status.peers.join(", "), status.waiting));
    match status.epoch {
        0 => say("no epoch has ended yet"),
        epoch if status.attested.is_empty() => {
            say(format!("epoch {epoch} has ended, nobody has attested it yet"))
        }
        epoch => say(format!("epoch {epoch} has ended, attested by {}", status.attested.join(", "))),
    }
    status.alarms.iter().for_each(|alarm| say(format!("ALARM: {alarm}")));
    Ok(())
}

fn print(value: &serde_json::Value) -> Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}
