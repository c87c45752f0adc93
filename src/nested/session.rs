//! Sessions: many calls under one guard.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

use super::{InnerMap, Inners, NestedIter, NestedMap, OuterKeys};
use crate::core::{Computed, NestedGuard, NestedHeld, Pair};
use crate::{Compute, OccupiedError, Operation};

/// A session on a [`NestedMap`], opened by [`NestedMap::pin`]: one guard for many calls, whose results are plain references.
///
/// What is removed while it is open is dropped when it ends. Each call costs, waits, linearizes and panics as the [`NestedMap`]'s of its name, but for the guard, which is there. Not
/// `Send`, as [`Pinned`](crate::Pinned).
#[must_use = "a session that is dropped at once protects nothing"]
pub struct PinnedNested<'m, K1, K2, V, S = RandomState> {
    map: &'m NestedMap<K1, K2, V, S>,
    guard: NestedGuard<'m, K1, K2, V>,
}

impl<'m, K1, K2, V, S> PinnedNested<'m, K1, K2, V, S> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn new(map: &'m NestedMap<K1, K2, V, S>) -> Self {
        let guard = map.guard();
        guard.note_time();
        PinnedNested { map, guard }
    }

    /// The map.
    pub fn map(&self) -> &'m NestedMap<K1, K2, V, S> {
        self.map
    }

    pub(super) fn held(&self) -> &NestedHeld<'m, K1, K2, V> {
        &self.guard
    }

    /// Ends the session and opens a new one; see [`Pinned::refresh`](crate::Pinned::refresh).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn refresh(&mut self) {
        self.guard.refresh();
    }

    /// All entries that are there throughout, each once, and some of those that come or go meanwhile; none twice (C2). O(capacity of both levels).
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("a", 1, 10), ("a", 2, 20), ("b", 1, 30)]);
    /// let mut all: Vec<_> = map.pin().iter().map(|(outer, inner, value)| (*outer, *inner, *value)).collect();
    /// all.sort();
    /// assert_eq!(all, [("a", 1, 10), ("a", 2, 20), ("b", 1, 30)]);
    /// ```
    pub fn iter(&self) -> NestedIter<'_, K1, K2, V> {
        NestedIter::new(self.map.core.iter(self.held()))
    }

    /// What belongs to each outer key, for those that have entries when the iteration comes to them. Each that is there throughout comes once (C2). O(capacity for outer keys).
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("a", 1, 10), ("a", 2, 20), ("b", 1, 30)]);
    /// let session = map.pin();
    /// let mut lens: Vec<_> = session.inners().map(|inner| (*inner.outer_key(), inner.len())).collect();
    /// lens.sort();
    /// assert_eq!(lens, [("a", 2), ("b", 1)]);
    /// ```
    pub fn inners(&self) -> Inners<'_, K1, K2, V, S> {
        Inners::new(self, self.map.core.outer_iter(self.held()))
    }

    /// The outer keys, as [`inners`](Self::inners) yields them.
    pub fn outer_keys(&self) -> OuterKeys<'_, K1, K2, V, S> {
        OuterKeys::new(self.inners())
    }

    /// See [`NestedMap::len`].
    pub fn len(&self) -> usize {
        self.map.core.len(self.held())
    }

    /// See [`NestedMap::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

impl<K1, K2, V, S> PinnedNested<'_, K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    S: BuildHasher,
{
    /// The value; see [`NestedMap::get`].
    #[inline]
    pub fn get<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> Option<&V>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        self.map.core.get(self.held(), outer, inner).map(|pair| pair.value)
    }

    /// See [`NestedMap::contains_key`].
    #[inline]
    pub fn contains_key<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> bool
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        self.get(outer, inner).is_some()
    }

    /// Returns the value from before; see [`NestedMap::insert`].
    pub fn insert(&self, outer: K1, inner: K2, value: V) -> Option<&V> {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        self.map.core.insert(self.held(), outer, inner, value).map(|old| old.value)
    }

    /// Returns the new value; see [`NestedMap::try_insert`].
    ///
    /// # Errors
    /// If the key is there.
    pub fn try_insert(&self, outer: K1, inner: K2, value: V) -> Result<&V, OccupiedError<(&K2, &V), K2, V>> {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        match self.map.core.try_insert(self.held(), outer, inner, value) {
            Ok(pair) => Ok(pair.value),
            Err((pair, key, value)) => Err(OccupiedError { entry: pair.parts(), key, value }),
        }
    }

    /// Returns the new value; see [`NestedMap::update`].
    pub fn update<Q1, Q2>(&self, outer: &Q1, inner: &Q2, update: impl Fn(&V) -> V) -> Option<&V>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        self.map.core.update(self.held(), outer, inner, |old: Pair<'_, K2, V>| update(old.value)).map(|new| new.value)
    }

    /// Returns the new value; see [`NestedMap::update_or_insert_with`].
    pub fn update_or_insert_with(
        &self,
        outer: K1,
        inner: K2,
        update: impl Fn(&V) -> V,
        make: impl FnOnce() -> V,
    ) -> &V {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        let successor = |old: Pair<'_, K2, V>| update(old.value);
        self.map.core.update_or_insert_with(self.held(), outer, inner, successor, make).value
    }

    /// See [`NestedMap::compute`].
    pub fn compute<T>(
        &self,
        outer: K1,
        inner: K2,
        mut next: impl FnMut(Option<(&K2, &V)>) -> Operation<V, T>,
    ) -> Compute<(&K2, &V), T> {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        match self.map.core.compute(self.held(), outer, inner, |old| next(old.map(Pair::parts)).into()) {
            Computed::Inserted(pair) => Compute::Inserted(pair.parts()),
            Computed::Updated { old, new } => Compute::Updated { old: old.parts(), new: new.parts() },
            Computed::Removed(pair) => Compute::Removed(pair.parts()),
            Computed::Absent => Compute::Absent,
            Computed::Aborted(why) => Compute::Aborted(why),
        }
    }

    /// See [`NestedMap::get_or_insert_with`].
    pub fn get_or_insert_with(&self, outer: K1, inner: K2, make: impl FnOnce() -> V) -> &V {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        self.map.core.get_or_insert_with(self.held(), outer, inner, make).value
    }

    /// Returns the removed value, which is dropped when the session ends; see [`NestedMap::remove`].
    pub fn remove<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> Option<&V>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        self.remove_if(outer, inner, |_, _| true).unwrap_or(None).map(|(_, value)| value)
    }

    /// See [`NestedMap::remove_if`].
    ///
    /// # Errors
    /// If `wanted` says no: the pair, which stays.
    pub fn remove_if<Q1, Q2>(
        &self,
        outer: &Q1,
        inner: &Q2,
        mut wanted: impl FnMut(&K2, &V) -> bool,
    ) -> Result<Option<(&K2, &V)>, (&K2, &V)>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        let (outer, inner) = (self.map.hashed(outer), self.map.hashed(inner));
        let wanted = |pair: Pair<'_, K2, V>| wanted(pair.key, pair.value);
        let removed = self.map.core.remove_if(self.held(), outer, inner, wanted);
        removed.map(|pair| pair.map(Pair::parts)).map_err(Pair::parts)
    }

    /// See [`NestedMap::remove_outer`]. What is removed is dropped when the session ends.
    pub fn remove_outer<Q>(&self, outer: &Q) -> usize
    where
        Q: Hash + Equivalent<K1> + ?Sized,
    {
        self.map.core.remove_outer(self.held(), self.map.hashed(outer))
    }

    /// What belongs to an outer key now, if it has entries. One lookup; waits for nothing. Linearizes as [`HashMap::get`](crate::HashMap::get), in the outer map.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", 1, "one"), ("eu", 2, "two")]);
    /// let session = map.pin();
    /// let eu = session.inner("eu").unwrap();
    /// assert_eq!((eu.len(), eu.get(&2)), (2, Some(&"two")));
    /// ```
    pub fn inner<Q>(&self, outer: &Q) -> Option<InnerMap<'_, K1, K2, V, S>>
    where
        Q: Hash + Equivalent<K1> + ?Sized,
    {
        self.map.core.inner(self.held(), self.map.hashed(outer)).and_then(|inner| InnerMap::new(self, inner))
    }
}

impl<'s, K1, K2, V, S> IntoIterator for &'s PinnedNested<'_, K1, K2, V, S> {
    type Item = (&'s K1, &'s K2, &'s V);
    type IntoIter = NestedIter<'s, K1, K2, V>;

    fn into_iter(self) -> NestedIter<'s, K1, K2, V> {
        self.iter()
    }
}

impl<K1: fmt::Debug, K2: fmt::Debug, V: fmt::Debug, S> fmt::Debug for PinnedNested<'_, K1, K2, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(outer, inner, value)| ((outer, inner), value))).finish()
    }
}
