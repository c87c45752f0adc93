//! An allocator that has no memory for tables when it is told so.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use arbitrary::Arbitrary;

/// Which allocations of tables fail.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// One, after so many others; and all that come then.
    After(u8),
    /// The first, and after that none.
    First,
    /// Those of more than so many times 256 bytes.
    Above(u8),
}

thread_local! {
    static FAILURE: Cell<Option<Failure>> = const { Cell::new(None) };
    static HAS_FAILED: Cell<bool> = const { Cell::new(false) };
}

/// From now on these allocations fail.
pub(crate) fn fail(failure: Option<Failure>) {
    FAILURE.set(failure);
    HAS_FAILED.set(false);
}

/// Has one failed?
pub(crate) fn has_failed() -> bool {
    HAS_FAILED.get()
}

/// The call that needed the memory cannot go on: to be called instead of ending the process.
pub fn give_up(_: Layout) {
    fail(None);
    crate::common::fuse::go_off();
}

fn fails(layout: Layout) -> bool {
    // Only tables are aligned like this. The rest is small, and the map ends the process without it, as all collections do.
    let Some(failure) = FAILURE.get().filter(|_| layout.align() == 64) else { return false };
    let (fails, next) = match failure {
        Failure::After(0) => (true, Some(Failure::After(0))),
        Failure::After(left) => (false, Some(Failure::After(left - 1))),
        Failure::First => (true, None),
        Failure::Above(size) => (layout.size() > usize::from(size) * 256, Some(failure)),
    };
    FAILURE.set(next);
    HAS_FAILED.set(HAS_FAILED.get() || fails);
    fails
}

/// The system's allocator, but for what is to fail.
#[derive(Debug)]
pub struct Allocator;

// SAFETY: the system's allocator does the work, or there is no memory.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if fails(layout) {
            return std::ptr::null_mut();
        }
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}
