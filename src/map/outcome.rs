//! What operations return, beside the pairs themselves, and their errors.

use std::error::Error;
use std::fmt;

use crate::core::NoTable;
use crate::reclaim::WouldWait;

/// What to do with a key: the answer of the closure given to [`HashMap::compute`](super::HashMap::compute).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<V, T> {
    /// Insert this value, or overwrite the one that is there.
    Insert(V),
    /// Remove the key. If it is absent, the outcome is [`Compute::Absent`].
    Remove,
    /// Leave everything as it is, and return this.
    Abort(T),
}

/// What [`HashMap::compute`](super::HashMap::compute) did. `P` is a pair: a [`Ref`](super::Ref), or two references in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute<P, T> {
    /// The key was absent; this is the new pair.
    Inserted(P),
    /// The value was overwritten.
    Updated {
        /// The pair before.
        old: P,
        /// The pair now.
        new: P,
    },
    /// The key was removed; this is the pair it had.
    Removed(P),
    /// The key was to be removed, and is absent.
    Absent,
    /// The closure gave up.
    Aborted(T),
}

/// The key is already there: [`HashMap::try_insert`](super::HashMap::try_insert).
pub struct OccupiedError<P, K, V> {
    /// The pair that is there.
    pub entry: P,
    /// The key that was to be inserted.
    pub key: K,
    /// The value that was to be inserted.
    pub value: V,
}

impl<P, K, V> fmt::Debug for OccupiedError<P, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OccupiedError").finish_non_exhaustive()
    }
}

impl<P, K, V> fmt::Display for OccupiedError<P, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is already in the map")
    }
}

impl<P, K, V> Error for OccupiedError<P, K, V> {}

/// The value was not the expected one, or the key is absent:
/// [`HashMap::compare_exchange`](super::HashMap::compare_exchange).
pub struct CompareExchangeError<P, V> {
    /// The pair that is there.
    pub current: Option<P>,
    /// The value that was to be stored.
    pub new: V,
}

impl<P, V> fmt::Debug for CompareExchangeError<P, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareExchangeError").field("present", &self.current.is_some()).finish_non_exhaustive()
    }
}

impl<P, V> fmt::Display for CompareExchangeError<P, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.current {
            Some(_) => "the key has another value",
            None => "the key is not in the map",
        })
    }
}

impl<P, V> Error for CompareExchangeError<P, V> {}

/// [`HashMap::reclaim`](super::HashMap::reclaim) would wait for its own thread, or has waited
/// [for too long](super::HashMap::reclaim_timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReclaimError {
    /// The thread holds a guard on the map: a session, a [`Ref`](super::Ref), or a call whose closure this is.
    GuardHeld,
    /// The thread is in a destructor that the map runs, with others perhaps still to come.
    InDrop,
    /// Something that was unlinked before the call has not been dropped in the time given.
    TimedOut,
}

impl ReclaimError {
    pub(crate) fn new(would_wait: WouldWait) -> Self {
        match would_wait {
            WouldWait::ForOwnGuard => ReclaimError::GuardHeld,
            WouldWait::ForOwnDrop => ReclaimError::InDrop,
        }
    }
}

impl fmt::Display for ReclaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReclaimError::GuardHeld => "this thread holds a guard on the map, and would wait for it",
            ReclaimError::InDrop => "this thread is dropping garbage of the map, and would wait for that",
            ReclaimError::TimedOut => "something unlinked before the call is still held back, or being dropped",
        })
    }
}

impl Error for ReclaimError {}

/// There is no room: [`HashMap::try_reserve`](super::HashMap::try_reserve).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryReserveError(NoTable);

impl TryReserveError {
    pub(super) fn new(no_table: NoTable) -> Self {
        TryReserveError(no_table)
    }
}

impl fmt::Display for TryReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            NoTable::Capacity => f.write_str("the capacity overflows what a table can hold"),
            NoTable::Memory(layout) => write!(f, "the allocator has no {} bytes for a table", layout.size()),
        }
    }
}

impl Error for TryReserveError {}
