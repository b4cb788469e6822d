//! The binary.

use clap::Parser as _;
use counterfoil::{
    cli::{Cli, run},
    reconcile::cli::exit_code,
};
use std::{io::IsTerminal as _, process::ExitCode};

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("COUNTERFOIL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,counterfoil=info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_words(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// An error with its causes, each said once: many messages contain their cause already.
fn in_words(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        so_far if so_far.contains(&cause) => said,
        so_far => format!("{so_far}: {cause}"),
    })
}
