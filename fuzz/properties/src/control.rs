//! Frames between a bank's programs and its node.

use crate::input::Input;
use borsh::{BorshDeserialize, BorshSerialize};
use counterfoil::control::{Request, Response, read_frame, write_frame};
use std::{fmt::Debug, io::Write as _, os::unix::net::UnixStream as Plain, sync::LazyLock};
use tokio::{io::AsyncReadExt as _, net::UnixStream, runtime::Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io().build().expect("a runtime needs but memory")
});

/// The first byte says whether the rest is read as a request or as an answer.
#[must_use]
pub fn any_bytes(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let answer = input.byte() & 1 == 1;
    // What a socket takes at once: nobody reads at the other end while it is written.
    let frame = input.take(1 << 15);
    if answer { canonical::<Response>(frame) } else { canonical::<Request>(frame) }
}

/// What is read is written as it was.
fn canonical<T: BorshDeserialize + BorshSerialize + PartialEq + Debug>(frame: &[u8]) -> bool {
    RUNTIME.block_on(async {
        let Ok(value) = read_frame::<T>(&mut socket_with(frame)).await else { return false };
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
        write_frame(&mut ours, &value).await.expect("it is no longer than what was read");
        drop(ours);
        let mut again = Vec::new();
        theirs.read_to_end(&mut again).await.expect("the other end is closed");
        assert!(frame.starts_with(&again), "two forms of one frame");
        true
    })
}

/// A socket from which these bytes come, and then the end.
fn socket_with(bytes: &[u8]) -> UnixStream {
    let (mut ours, theirs) = Plain::pair().expect("a pair of sockets");
    ours.write_all(bytes).expect("a socket takes so much");
    drop(ours);
    theirs.set_nonblocking(true).expect("a socket can wait elsewhere");
    UnixStream::from_std(theirs).expect("the runtime is entered")
}
