//! Keys for a member, and the genesis of all: `keygen`, `genesis`.

use super::print;
use crate::{
    home::{self, Home},
    progress::say,
};
use anyhow::Result;
use clap::{Args, ValueEnum};
use counterfoil_ledger::genesis::{EPOCH_BLOCKS, Role};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Lends, services, runs a validating node.
    Bank,
    /// Observes, opens what policy grants; no vote.
    Regulator,
}

#[derive(Debug, Args)]
pub(super) struct Keygen {
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
pub(super) struct GenesisOptions {
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

pub(super) fn keygen(options: &Keygen) -> Result<()> {
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

pub(super) fn genesis(options: &GenesisOptions) -> Result<()> {
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
