#![doc = include_str!("../README.md")]
//!
//! # The contract, line by line
//!
//! Every line is tested under its own name in `tests/contract/`. A *guard* is a session ([`Pinned`], [`OwnedPinned`]), a [`Ref`], a
//! [`Reader`] that is not parked (it is taken anew at each of its reads), what [`HashSet`], [`MultiMap`] and [`NestedMap`] have in their place, or a call
//! while it runs.
//!
//! **Reclamation.**
//! - **R1** (Under [`Reclaim::Immediate`], the default.) When a call that removes or overwrites has returned, and the [`Ref`] it returned is dropped, every key and
//!   value that it unlinked has been dropped, unless another guard was live on this map at the time.
//! - **R2** If others were live, it happens at the latest inside the drop of the last of *those*, or inside a call that
//!   overlaps with it; guards taken later hold nothing back. Nobody needs to call anything. (A removal that meets a writer
//!   at the tables does not wait for it; the writer completes it, and guards taken until then count, too.)
//! - **R3** [`reclaim`](HashMap::reclaim) returns when everything unlinked before it has been dropped; where it would wait
//!   for its own thread it returns an error. So do [`reclaim_timeout`](HashMap::reclaim_timeout), and the future
//!   [`reclaim_async`](HashMap::reclaim_async), which wakes its task. [`try_reclaim`](HashMap::try_reclaim) never waits.
//! - **R4** Garbage never exceeds what live guards hold back, plus `n` items under [`Reclaim::Batched(n)`](Reclaim). With
//!   [`max_pending(n)`](Builder::max_pending) it does not exceed `n` removed entries and overwritten values either: a one-shot call that would exceed
//!   that waits, asleep, before it begins. Who holds a guard on the map itself is let through, at once, and so are `retain` and `clear` once
//!   they have begun.
//! - **R5** What was unlinked is dropped outside all locks and guards of the map. Destructors may use the same map. One that
//!   panics lets the others still run and leaves the map usable; the first panic then goes on in the call or the drop
//!   that ran it. One that removes what has such a destructor in turn runs that inside its own: a chain is a recursion.
//! - **R6** They run on a thread that is using the map: the one that removed, that of the last guard, a writer that completed
//!   the removal, a call that was at the pending garbage, or one that reclaims; or on the one that drops the map.
//! - **R7** Dropping the map drops everything in it and everything pending. Keys and values need not be `'static`.
//! - **R8** [`stats`](HashMap::stats) tells at any time what is held, and by whom; [`guards`](HashMap::guards) names every thread that
//!   holds guards, with the age of its oldest and what waits for that one ([`GuardInfo`]).
//! - **R9** [`remove_owned`](HashMap::remove_owned) returns a pair by value when the last guard has left that was live at its removal; where it would wait for its own
//!   thread it returns an error and removes nothing. [`Removed::try_into_owned`] gives the pair if no such guard is live, and never waits.
//! - **R10** With [`on_reclaim`](Builder::on_reclaim) the map drops no key and no value: what it would drop it gives to that function, once, at that moment, on that thread.
//!
//! **Memory.** **M1** An empty map allocates nothing. **M2** After all entries are removed it holds at most 4 KiB (beside
//! its per-thread records: 256 bytes a thread, in groups, and a short list each, under `Batched` one of 32 items, until the map goes). **M3** [`shrink_to_fit`](HashMap::shrink_to_fit)
//! brings the tables to the least size for what is there. **M4** [`Stats::heap`] agrees with the allocator.
//!
//! A table of more than 256 KiB that has been replaced by one like it goes back in parts of 32 KiB, so that nobody waits long for the
//! system: by writers that come next, and by reads where none comes. Until then it is part of [`Stats::pending`], in bytes.
//!
//! **Progress.** **P1** Reads wait for no lock, hit or miss (a thread's first use of any map takes a
//! process-wide lock once). **P2** Overwriting and removing an existing key
//! linearize at one compare-and-swap and wait for nothing (but for room, under a cap: R4). **P3** No operation on one key does work for all entries: tables
//! are made a bounded part at a time, by calls that wait for other writers anyway, and by reads that miss (a few microseconds of it).
//!
//! **Consistency.** **C1** Every operation on one key is linearizable. **C2** An iteration yields each key that is present
//! throughout exactly once, none twice, and never waits. **C3** [`len`](HashMap::len) is exact when no writer runs.
//!
//! **Faults.** **F1** A panic in `Hash`, `Eq`, `Clone`, a closure or `Drop` never poisons, blocks, leaks from or corrupts the
//! map. **F2** Capacity overflow and allocation failure are the standard library's panics and aborts;
//! [`try_reserve`](HashMap::try_reserve) gives an error. **F3** No call can deadlock against a guard of its own thread.
//! (An [`OwnedPinned`] is no thread's: who waits for guards waits for it, also if it is the caller's.)
//!
//! # Features
//!
//! None is on by default, and what is off costs nothing.
//!
//! - `guard-locations`: [`GuardInfo::location`] is the place in the source where a guard was taken. Each guard is a pointer
//!   larger, and taking one stores it.
//! - `tracing`: a warning through the crate `tracing` when a guard is older than `Builder::warn_guard_age` while garbage waits for it.
//!   Calls by which something has to wait look at each thread's record once more.
//! - `arc-swap`: `HashMap::publish` and `HashMap::view`: immutable copies of the map, read at the speed of a plain hash map. A map
//!   is a few words larger, and its calls are the same.
//! - `serde`: maps and sets, and sessions on them, can be serialized, and maps and sets deserialized; a [`MultiMap`] by
//!   [`as_map`](MultiMap::as_map), and `From` the map of slices.
//! - `rayon`: `par_iter` on sessions, for as many threads as there are, and maps that are made and extended by them.
//! - `metrics`: `Metrics`, which hands the figures of [`stats`](HashMap::stats) to the `metrics` facade, for Prometheus and others.

mod core;
pub mod docs;
mod map;
mod multi;
mod nested;
mod reclaim;
mod set;
mod sync;

/// What keys can be looked up by: whatever [borrows](std::borrow::Borrow) from them as std's map has it, and what implements this.
pub use equivalent::Equivalent;
#[cfg(feature = "metrics")]
pub use map::Metrics;
#[cfg(feature = "rayon")]
pub use map::ParIter;
pub use map::{
    Builder, CompareExchangeError, Compute, Drain, ExtractIf, GetMany, GuardInfo, Guards, HashMap, Heap, IntoIter,
    IntoKeys, IntoValues, Iter, IterMut, Keys, LocalGuard, OccupiedError, Operation, OwnedGuard, OwnedPinned, Pending,
    Pinned, Reader, Reclaim, ReclaimError, Reclaimed, Reclaiming, Ref, Removed, SessionGuard, Stats, TryReserveError,
    Values, ValuesMut,
};
#[cfg(feature = "arc-swap")]
pub use map::{Frozen, View};
pub use multi::{MultiIter, MultiMap, PinnedMulti, ValuesRef};
pub use nested::{InnerMap, Inners, NestedIter, NestedMap, NestedRef, NestedStats, OuterKeys, PinnedNested};
pub use reclaim::ReadFence;
/// For models of maps whose reads execute no fence.
#[cfg(loom)]
#[doc(hidden)]
pub use reclaim::{Simulated, simulate};
pub use set::{
    ContainsMany, Difference, ElementRef, HashSet, Intersection, PinnedSet, SetIter, SetReader, SymmetricDifference,
    Taken, Union,
};
