//! Panics in the user's code that a map calls: in `Hash`, `Eq`, `Clone`, `Drop` and closures, at a call that is chosen before.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// At which of the calls of user code panics come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fuse {
    /// Calls before the first panic.
    pub(crate) first: u32,
    /// Calls between one panic and the next: destructors may panic one after the other. No more panics if there is none.
    pub(crate) again: Option<u32>,
}

/// What such a panic carries.
struct Hostile;

thread_local! {
    static LIT: Cell<Option<Fuse>> = const { Cell::new(None) };
}

/// A call of user code: panics if it is its turn, but not while another panic unwinds.
pub(crate) fn burn() {
    let Some(fuse) = LIT.get() else { return };
    if fuse.first > 0 {
        LIT.set(Some(Fuse { first: fuse.first - 1, ..fuse }));
    } else if !std::thread::panicking() {
        LIT.set(fuse.again.map(|calls| Fuse { first: calls, ..fuse }));
        go_off();
    }
}

/// The panic that [`lit`] expects.
pub(crate) fn go_off() -> ! {
    // Without the hook, which would print, or end a fuzzer.
    resume_unwind(Box::new(Hostile))
}

/// Runs `work` with the fuse lit, if there is one. None if a panic of the fuse's came out of it; any other goes on.
pub(crate) fn lit<R>(fuse: Option<Fuse>, work: impl FnOnce() -> R) -> Option<R> {
    if fuse.is_none() {
        return Some(work());
    }
    LIT.set(fuse);
    let result = catch_unwind(AssertUnwindSafe(work));
    LIT.set(None);
    match result {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Hostile>() => None,
        Err(panic) => resume_unwind(panic),
    }
}
