//! Handles for hot loops: a guard that lets reclamation pass at every read.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

use super::HashSet;
use crate::Reader;

/// Reads a set again and again, made by [`HashSet::reader`]: to a set what [`Reader`] is to a map.
///
/// It keeps a guard, but brings it up to date before each read, for the price of one load; a result has to be done with before the next
/// read. From its first read until it is [parked](Self::park) or dropped **a reader is a live guard**, also while it does nothing.
///
/// Not `Send`: its guard belongs to its thread.
///
/// ```
/// let set = tidymap::HashSet::from(["one", "two"]);
/// let mut reader = set.reader();
/// assert!(reader.contains("one"));
/// set.remove("one");
/// assert_eq!(set.stats().pending.entries, 1, "waits for the reader");
/// assert!(!reader.contains("one"));
/// assert_eq!(set.stats().pending.entries, 0);
/// ```
pub struct SetReader<'m, T, S = RandomState> {
    set: &'m HashSet<T, S>,
    reader: Reader<'m, T, (), S>,
}

impl<T, S> HashSet<T, S> {
    /// A handle for reading in hot loops. It is parked until its first read, so making one costs nothing.
    pub fn reader(&self) -> SetReader<'_, T, S> {
        SetReader { set: self, reader: self.map.reader() }
    }
}

impl<'m, T, S> SetReader<'m, T, S> {
    /// The set.
    pub fn set(&self) -> &'m HashSet<T, S> {
        self.set
    }

    /// Ends the reader's guard: nothing waits for this reader until its next read; see [`Reader::park`].
    pub fn park(&mut self) {
        self.reader.park();
    }

    /// Does it hold no guard?
    pub fn is_parked(&self) -> bool {
        self.reader.is_parked()
    }
}

impl<T, S> SetReader<'_, T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    /// Is there an element equal to `value`? See [`HashSet::contains`]. What waited for this reader alone is dropped first, and a
    /// destructor's panic goes on here.
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains<Q>(&mut self, value: &Q) -> bool
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.reader.contains_key(value)
    }

    /// The element equal to `value`; see [`contains`](Self::contains).
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get<Q>(&mut self, value: &Q) -> Option<&T>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.reader.get_key_value(value).map(|(element, ())| element)
    }
}

impl<T, S> fmt::Debug for SetReader<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetReader").field("is_parked", &self.is_parked()).finish_non_exhaustive()
    }
}
