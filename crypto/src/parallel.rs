//! Work shared out over threads, for computations that have no state in common.
//!
//! With one thread, or one piece of work, nothing starts a thread.

#![allow(clippy::arithmetic_side_effects, reason = "small counts")]

use std::{num::NonZeroUsize, thread};

/// `work(0..count)`, shared out over at most so many threads; results in order.
///
/// # Panics
/// When `work` does.
#[must_use]
pub fn map<T: Send>(threads: NonZeroUsize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = threads.get().min(count);
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    let work = &work;
    let mut results: Vec<(usize, T)> = thread::scope(|scope| {
        let mine = |first| (first..count).step_by(threads).map(|i| (i, work(i))).collect::<Vec<_>>();
        let handles: Vec<_> = (0..threads).map(|first| scope.spawn(move || mine(first))).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("the work does not panic")).collect()
    });
    results.sort_by_key(|result| result.0);
    results.into_iter().map(|result| result.1).collect()
}
