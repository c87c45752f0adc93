//! Sessions: many reads under one guard.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

use super::MultiMap;
use crate::{Iter, Pinned};

/// A session on a [`MultiMap`], opened by [`MultiMap::pin`]: one guard for many reads, whose results are plain slices. To write, call the
/// map: `session.map().insert(..)`.
///
/// What is removed or written anew while the session is open is dropped when it ends. Not `Send`, as [`Pinned`].
#[must_use = "a session that is dropped at once protects nothing"]
pub struct PinnedMulti<'m, K, V, S = RandomState> {
    map: &'m MultiMap<K, V, S>,
    session: Pinned<'m, K, Box<[V]>, S>,
}

impl<'m, K, V, S> PinnedMulti<'m, K, V, S> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn new(map: &'m MultiMap<K, V, S>) -> Self {
        PinnedMulti { map, session: map.as_map().pin() }
    }

    /// The map.
    pub fn map(&self) -> &'m MultiMap<K, V, S> {
        self.map
    }

    /// Ends the session and opens a new one; see [`Pinned::refresh`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn refresh(&mut self) {
        self.session.refresh();
    }

    /// All keys with their values: each key that is there throughout once, and some of those that come or go meanwhile; see [`Pinned::iter`].
    ///
    /// ```
    /// let map = tidymap::MultiMap::from([("a", 1), ("b", 2), ("a", 3)]);
    /// let mut all: Vec<_> = map.pin().iter().map(|(key, values)| (*key, values.to_vec())).collect();
    /// all.sort();
    /// assert_eq!(all, [("a", vec![1, 3]), ("b", vec![2])]);
    /// ```
    pub fn iter(&self) -> MultiIter<'_, K, V> {
        MultiIter(self.session.iter())
    }

    /// How many values there are, of all keys together, as [`iter`](Self::iter) yields them. O(capacity).
    pub fn values_len(&self) -> usize {
        self.iter().map(|(_, values)| values.len()).sum()
    }
}

impl<K, V, S> PinnedMulti<'_, K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The values of `key`; an empty slice if it is not there. See [`MultiMap::get`].
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> &[V]
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.session.get(key).map_or(&[], |values| values)
    }

    /// See [`MultiMap::contains_key`].
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.session.contains_key(key)
    }

    /// See [`MultiMap::contains`].
    pub fn contains<Q>(&self, key: &Q, value: &V) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: PartialEq,
    {
        self.get(key).contains(value)
    }
}

impl<'s, K, V, S> IntoIterator for &'s PinnedMulti<'_, K, V, S> {
    type Item = (&'s K, &'s [V]);
    type IntoIter = MultiIter<'s, K, V>;

    fn into_iter(self) -> MultiIter<'s, K, V> {
        self.iter()
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for PinnedMulti<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// Keys with their values: [`PinnedMulti::iter`].
pub struct MultiIter<'s, K, V>(Iter<'s, K, Box<[V]>>);

impl<'s, K, V> Iterator for MultiIter<'s, K, V> {
    type Item = (&'s K, &'s [V]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, values)| (key, &**values))
    }
}

impl<K, V> fmt::Debug for MultiIter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiIter").finish_non_exhaustive()
    }
}
