//! Reclamation: from "unlinked" to "dropped", at a moment that can be named.
//!
//! - [`epochs`] is the engine: it knows which guards are live and which stamps have passed, and nothing of the map.
//! - [`domain`] owns what a map has unlinked, and drops it: at once if no guard can see it, else in the drop of the last
//!   [`guard`] that can. What is large goes in [`parts`]. A [`lease`] is a guard that belongs to no thread.
//! - [`drain`] waits until all has been dropped, [`limits`] keeps writers from adding to it, [`waiters`] wakes who waits.
//! - [`pending`] keeps what has to wait, [`saved`] what is saved up ([`batched`]); [`drops`] runs destructors so that one that panics stops
//!   no other.
//! - [`stack`] hands things from thread to thread, [`tally`] counts them.
//! - [`slot`], [`directory`], [`local`], [`nested`] and [`age`] find a thread's record, keep the records, say what is in one, tell the guards of one
//!   thread apart, and tell the time; [`barrier`] is what makes leaving cheap, and by [`fences`] and [`patience`] beginning, too.
//! - [`watch`] tells who holds back what, [`place`] where a guard was taken, [`warning`] that one has been live for too long.
//!
//! The map sees [`Domain`], [`Guard`] and [`Garbage`], and would not notice another engine behind them.

mod age;
mod barrier;
mod batched;
mod directory;
mod domain;
mod drain;
mod drops;
mod epochs;
mod fences;
mod guard;
mod lease;
mod limits;
mod local;
mod nested;
mod parts;
mod patience;
mod pending;
mod place;
mod saved;
mod slot;
mod stack;
mod tally;
mod waiters;
mod warning;
mod watch;

#[cfg(loom)]
pub use barrier::{Simulated, simulate};
pub(crate) use domain::Domain;
pub(crate) use drain::{Drain, WouldWait};
pub(crate) use drops::Panics;
pub use fences::ReadFence;
pub(crate) use guard::{Guard, Held, Lent};
pub(crate) use lease::Lease;
pub(crate) use limits::{Limits, Permit};
pub(crate) use slot::thread_mark;
pub(crate) use stack::Stack;
pub(crate) use tally::Weight;
pub(crate) use warning::WarnFrom;
pub(crate) use watch::Waited;

/// How much of a thing is reclaimed in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// What takes some microseconds.
    Bounded,
    All,
}

/// Something unlinked, to be dropped once nobody can see it.
///
/// # Safety
/// [`Domain`] calls [`reclaim`](Self::reclaim) once, from the thread that dropped the last guard, or the domain, and
/// moves the value there: a type that must not move between threads has to keep its map from being shared.
pub(crate) unsafe trait Garbage {
    /// What the map keeps for the reclaiming.
    type Context;

    /// What it weighs in the figures of the map, told before it is reclaimed.
    fn weight(&self) -> Weight;

    /// Runs the destructors, each through `panics`, and gives the memory back. What is left, if only a part was asked for
    /// and it is large, is for another call.
    ///
    /// # Safety
    /// Nobody can reach it any more, and this is the only call.
    unsafe fn reclaim(self, context: &Self::Context, amount: Amount, panics: &mut Panics) -> Option<Self>
    where
        Self: Sized;

    /// Is nothing to be left over now, because there is little beside it?
    fn is_urgent(context: &Self::Context) -> bool;
}
