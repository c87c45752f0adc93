//! The one place that names the primitives of concurrency.
//!
//! Everything in this crate that another thread can see goes through these names, so that the models in `loom-tests` and
//! `shuttle-tests` run the map's own code: under `--cfg loom` they are loom's, under `--cfg shuttle` such that shuttle chooses
//! which thread goes on, otherwise the standard library's.

#[cfg(shuttle)]
mod scheduled;

#[cfg(loom)]
pub(crate) use loom::{lazy_static, thread::yield_now, thread_local};
#[cfg(shuttle)]
pub(crate) use shuttle::{lazy_static, thread::yield_now, thread_local};
#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::thread::yield_now;

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{Ordering, fence};

#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize},
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(shuttle)]
pub(crate) use {
    scheduled::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize},
    shuttle::sync::{Condvar, Mutex, MutexGuard},
};

/// Is this for a model? Then sizes are small, so that few keys and few steps reach all of the code.
pub(crate) const IN_MODEL: bool = cfg!(any(loom, shuttle));

// Memory, too: loom reports what has not been given back when an execution ends.
#[cfg(not(loom))]
pub(crate) use std::alloc::{alloc, dealloc};

#[cfg(loom)]
pub(crate) use loom::alloc::{alloc, dealloc};

/// In each box that is taken apart by hand, so that loom reports one that has not been.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Tracked(#[expect(dead_code, reason = "its destructor counts")] loom::alloc::Track<()>);

#[cfg(loom)]
impl Tracked {
    pub(crate) fn new() -> Tracked {
        Tracked(loom::alloc::Track::new(()))
    }
}

/// A fence for what was followed by a read-modify-write that others have to have seen. On x86 such an instruction is a fence itself: when it has been executed,
/// all that its thread has stored before can be seen by all. So there it is enough that the compiler keeps the order.
#[inline(always)]
pub(crate) fn fence_after_rmw() {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "x86"), not(any(loom, shuttle, miri))))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "x86"), not(any(loom, shuttle, miri)))))]
    fence(Ordering::SeqCst);
}

/// Defines a function that is `const`, except under loom, whose primitives have no `const` constructors.
macro_rules! const_unless_loom {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty $body:block) => {
        $(#[$attr])*
        #[cfg(not(loom))]
        $vis const fn $name($($arg: $ty),*) -> $ret $body

        $(#[$attr])*
        #[cfg(loom)]
        $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}
pub(crate) use const_unless_loom;
