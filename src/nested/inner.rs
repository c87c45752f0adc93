//! What belongs to one outer key.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

use super::PinnedNested;
use crate::core::{FoundInner, Pair};
use crate::{Heap, Iter, Keys, Values};

/// The entries of one outer key, for reading: [`PinnedNested::inner`], [`PinnedNested::inners`].
///
/// It is the inner map that the key had when this was asked for, and shows what comes to that and goes. If that runs empty, or the outer key is removed, it
/// stays empty: entries that come to the key later are in another inner map, and the session has to be asked again.
pub struct InnerMap<'s, K1, K2, V, S = RandomState> {
    session: &'s PinnedNested<'s, K1, K2, V, S>,
    found: FoundInner<'s, K1, K2, V>,
}

impl<'s, K1, K2, V, S> InnerMap<'s, K1, K2, V, S> {
    /// None if it has no entries.
    pub(super) fn new(session: &'s PinnedNested<'s, K1, K2, V, S>, found: FoundInner<'s, K1, K2, V>) -> Option<Self> {
        (found.len() > 0).then_some(InnerMap { session, found })
    }

    /// The outer key, as it is stored.
    pub fn outer_key(&self) -> &'s K1 {
        self.found.key
    }

    /// The number of entries. Exact when no writer of this outer key runs; three loads, or more if entries are removed meanwhile.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// True if there is none any more.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries that are there throughout, each once, and some of those that come or go meanwhile; none twice (C2). Waits for nothing. O(capacity).
    pub fn iter(&self) -> Iter<'s, K2, V> {
        let InnerMap { session, found } = *self;
        Iter::new(session.map().core.on(session.held(), found, |inner| inner.iter(session.held())))
    }

    /// The keys, as [`iter`](Self::iter) yields them.
    pub fn keys(&self) -> Keys<'s, K2, V> {
        Keys::new(self.iter())
    }

    /// The values, as [`iter`](Self::iter) yields them.
    pub fn values(&self) -> Values<'s, K2, V> {
        Values::new(self.iter())
    }

    /// The memory that belongs to this outer key: its inner map's place, tables and entries, with the entry of the outer key itself. Without what keys and values own elsewhere, and
    /// without what has been removed or overwritten and is still to be dropped, which [`NestedMap::stats`](super::NestedMap::stats) has.
    ///
    /// O(capacity); waits for writers that are linking entries of this key.
    ///
    /// ```
    /// let map = tidymap::NestedMap::new();
    /// for key in 0..1000 {
    ///     map.insert("many", key, key);
    /// }
    /// map.insert("one", 1, 1);
    /// let heap = |outer| map.inner_heap(outer).unwrap().total();
    /// assert!(heap("many") > 20 * heap("one"));
    /// ```
    pub fn heap(&self) -> Heap {
        let InnerMap { session, found } = *self;
        let weight = session.map().core.on(session.held(), found, |inner| inner.weight(session.held()));
        Heap { tables: weight.table_bytes, entries: weight.entry_bytes, records: 0 }
    }
}

impl<'s, K1, K2, V, S> InnerMap<'s, K1, K2, V, S>
where
    K2: Eq + Hash,
    S: BuildHasher,
{
    /// The value of `key`. One lookup; waits for nothing; linearizes as [`HashMap::get`](crate::HashMap::get), in this inner map.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", 1, "one"), ("eu", 2, "two")]);
    /// let session = map.pin();
    /// let eu = session.inner("eu").unwrap();
    /// assert_eq!((eu.get(&2), eu.get_key_value(&1), eu.get(&3)), (Some(&"two"), Some((&1, &"one")), None));
    /// ```
    pub fn get<Q>(&self, key: &Q) -> Option<&'s V>
    where
        Q: Hash + Equivalent<K2> + ?Sized,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The pair of `key`, with the key as it is stored; see [`get`](Self::get).
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&'s K2, &'s V)>
    where
        Q: Hash + Equivalent<K2> + ?Sized,
    {
        let InnerMap { session, found } = *self;
        let (hash, key) = session.map().hashed(key);
        session.map().core.on(session.held(), found, |inner| inner.get(session.held(), hash, key)).map(Pair::parts)
    }

    /// Is `key` there?
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K2> + ?Sized,
    {
        self.get(key).is_some()
    }
}

impl<K1, K2, V, S> Clone for InnerMap<'_, K1, K2, V, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K1, K2, V, S> Copy for InnerMap<'_, K1, K2, V, S> {}

impl<'s, K1, K2, V, S> IntoIterator for InnerMap<'s, K1, K2, V, S> {
    type Item = (&'s K2, &'s V);
    type IntoIter = Iter<'s, K2, V>;

    fn into_iter(self) -> Iter<'s, K2, V> {
        self.iter()
    }
}

impl<K1, K2: fmt::Debug, V: fmt::Debug, S> fmt::Debug for InnerMap<'_, K1, K2, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(*self).finish()
    }
}
