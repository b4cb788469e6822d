//! What a bank's own programs ask of its node, over the socket that only its owner can open.

use super::Node;
use crate::control::{Request, Response, read_frame, write_frame};
use anyhow::Result;
use counterfoil_ledger::rejection::Rejection;
use counterfoil_network::Handle;
use std::sync::Arc;
use tokio::{net::UnixStream, sync::watch};

pub(super) async fn serve(
    mut stream: UnixStream,
    node: Arc<Node>,
    handle: Handle,
    mut stop: watch::Receiver<bool>,
) {
    let answer = async {
        let request = read_frame(&mut stream).await?;
        let response = respond(request, &node, &handle, &mut stop).await?;
        write_frame(&mut stream, &response).await
    };
    if let Err(error) = answer.await {
        tracing::debug!(%error, "a local request broke off");
    }
}

async fn respond(
    request: Request,
    node: &Arc<Node>,
    handle: &Handle,
    stop: &mut watch::Receiver<bool>,
) -> Result<Response> {
    let bytes = match request {
        Request::Status => return Ok(Response::Status(node.status(handle)?)),
        Request::Stop => {
            handle.shutdown();
            return Ok(Response::Stopping);
        }
        Request::Submit(bytes) => bytes,
    };
    let (judge, judged) = (node.clone(), bytes.clone());
    let submitted = tokio::task::spawn_blocking(move || judge.submit(&judged)).await?;
    let mut decision = match submitted {
        Err(rejection) => return Ok(refusal(rejection)),
        Ok(decision) => decision,
    };
    if let Ok(Err(rejection)) = decision.try_recv() {
        // Refused at once: it is not sent to the peers, who might book what was called refused here.
        return Ok(refusal(rejection));
    }
    handle.offer(bytes.into());
    tokio::select! {
        decision = decision => Ok(match decision {
            Ok(Ok(height)) => Response::Booked { height },
            Ok(Err(rejection)) => refusal(rejection),
            Err(_) => Response::Stopping,
        }),
        _ = stop.wait_for(|stop| *stop) => Ok(Response::Stopping),
    }
}

fn refusal(rejection: Rejection) -> Response {
    Response::Refused { code: rejection.code(), reason: rejection.to_string() }
}
