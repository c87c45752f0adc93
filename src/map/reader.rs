//! Handles for hot loops: a guard that lets reclamation pass at every read.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

use super::HashMap;
use crate::core::{Guard, Pair};

/// Reads a map again and again, made by [`HashMap::reader`].
///
/// It keeps a guard, as a session does, but brings it up to date before each read. So a read costs one load more than in
/// a session, and what others removed before it is not held back by this reader after it. A result has to be done with
/// before the next read.
///
/// From its first read until it is [parked](Self::park) or dropped **a reader is a live guard**, also while it does nothing: what is
/// removed meanwhile waits for its next read. A thread that may pause parks its reader, or uses [`HashMap::get`].
///
/// Not `Send`: its guard belongs to its thread.
///
/// ```
/// let map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
/// let mut reader = map.reader();
/// for _ in 0..1000 {
///     assert_eq!(reader.get(&1), Some(&"one"));
/// }
/// map.remove(&1);
/// assert_eq!(map.stats().pending.entries, 1, "waits for the reader");
/// assert_eq!(reader.get(&1), None);
/// assert_eq!(map.stats().pending.entries, 0);
/// ```
///
/// ```compile_fail,E0499
/// let map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
/// let mut reader = map.reader();
/// let one = reader.get(&1);
/// let two = reader.get(&2); // ends the protection of `one`
/// println!("{one:?}");
/// ```
pub struct Reader<'m, K, V, S = RandomState> {
    map: &'m HashMap<K, V, S>,
    /// None while it is parked.
    guard: Option<Guard<'m, K, V>>,
}

impl<K, V, S> HashMap<K, V, S> {
    /// A handle for reading in hot loops. It is parked until its first read, so making one costs nothing.
    pub fn reader(&self) -> Reader<'_, K, V, S> {
        Reader { map: self, guard: None }
    }
}

impl<'m, K, V, S> Reader<'m, K, V, S> {
    /// The map.
    pub fn map(&self) -> &'m HashMap<K, V, S> {
        self.map
    }

    /// Ends the reader's guard: nothing waits for this reader until its next read, which takes a new guard and costs as much as
    /// [`HashMap::get`]. What only it held back is dropped.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// let mut reader = map.reader();
    /// reader.get(&1);
    /// assert_eq!(map.stats().live_guards, 1);
    /// reader.park();
    /// assert_eq!(map.stats().live_guards, 0);
    /// ```
    pub fn park(&mut self) {
        self.guard = None;
    }

    /// Does it hold no guard?
    pub fn is_parked(&self) -> bool {
        self.guard.is_none()
    }

    /// The guard, as if it were taken now.
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn guard(&mut self) -> &Guard<'m, K, V> {
        match &mut self.guard {
            Some(guard) => {
                guard.repin();
                guard
            }
            parked => {
                let guard = parked.insert(self.map.core.guard());
                guard.note_time();
                guard
            }
        }
    }
}

impl<K, V, S> Reader<'_, K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The value of `key`; see [`HashMap::get`]. What waited for this reader alone is dropped first, and a destructor's panic goes on here.
    #[doc(alias = "Load")]
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The pair of `key`; see [`get`](Self::get).
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_key_value<Q>(&mut self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let map = self.map;
        let hash = map.hash(key);
        map.core.get(self.guard(), hash, key).map(Pair::parts)
    }

    /// Is `key` in the map? See [`get`](Self::get).
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains_key<Q>(&mut self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.get_key_value(key).is_some()
    }
}

impl<K, V, S> fmt::Debug for Reader<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("is_parked", &self.is_parked()).finish_non_exhaustive()
    }
}
