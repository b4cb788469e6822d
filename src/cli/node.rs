//! A member's node: `node` runs it, `status` asks it.

use super::print;
use crate::{home::Home, progress::say};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use std::{collections::BTreeMap, net::UdpSocket, os::fd::AsFd as _, path::PathBuf, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

#[derive(Debug, Args)]
pub(super) struct NodeOptions {
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

#[derive(Debug, Args)]
pub(super) struct StatusOptions {
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

pub(super) async fn node(options: &NodeOptions) -> Result<()> {
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

pub(super) async fn status(options: &StatusOptions) -> Result<()> {
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
