//! One-shot operations: each takes and ends its own guard, or hands it to the result.
//!
//! A call on an outer key that is absent does nothing to it. One that inserts linearizes where the entry is linked in the inner map, which is in the
//! outer one then.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use super::{NestedMap, NestedRef};
use crate::core::{Computed, Pair};
use crate::map::one_shot::keep_computed;
use crate::map::reference::keep;
use crate::{Compute, Heap, OccupiedError, Operation};

impl<K1, K2, V, S> NestedMap<K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    S: BuildHasher,
{
    /// The value of `inner` in the map of `outer`. Costs two lookups and one guard; waits for nothing (P1).
    ///
    /// Linearizes as [`HashMap::get`](crate::HashMap::get), in the inner map, or in the outer one if there is none.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", "k", 1)]);
    /// assert_eq!(*map.get("eu", "k").unwrap(), 1);
    /// assert!(map.get("us", "k").is_none());
    /// ```
    ///
    /// # Panics
    /// If `Hash` or `Eq` panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> Option<NestedRef<'_, K1, K2, V>>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        if self.core.is_vacant() {
            return None;
        }
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        let pair = self.core.get(&guard, outer, inner)?;
        Some(keep!(guard, pair, NestedRef))
    }

    /// A clone of the value; no guard outlives the call. See [`get`](Self::get).
    ///
    /// # Panics
    /// If `Hash`, `Eq` or `Clone` panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_cloned<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> Option<V>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
        V: Clone,
    {
        if self.core.is_vacant() {
            return None;
        }
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        let clone = self.core.get(&guard, outer, inner).map(|pair| pair.value.clone());
        // Here: a destructor that panics at the end of the function would leak what is returned.
        drop(guard);
        clone
    }

    /// Is the key there? Costs, waits and linearizes as [`get`](Self::get).
    ///
    /// # Panics
    /// If `Hash` or `Eq` panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains_key<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> bool
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        self.get(outer, inner).is_some()
    }

    /// Has the outer key entries? Never false if it has some throughout the call; beside a writer of the key it may be true a moment before the first can be found, or
    /// after the last has gone. Waits for nothing.
    ///
    /// # Panics
    /// If `Hash` or `Eq` panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains_outer<Q>(&self, outer: &Q) -> bool
    where
        Q: Hash + Equivalent<K1> + ?Sized,
    {
        self.inner_len(outer) > 0
    }

    /// How many entries the outer key has. Exact when no writer of it runs. One lookup.
    ///
    /// # Panics
    /// If `Hash` or `Eq` panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn inner_len<Q>(&self, outer: &Q) -> usize
    where
        Q: Hash + Equivalent<K1> + ?Sized,
    {
        if self.core.is_vacant() {
            return 0;
        }
        let outer = self.hashed(outer);
        self.core.inner(&self.guard(), outer).map_or(0, |inner| inner.len())
    }

    /// The memory that belongs to an outer key; see [`InnerMap::heap`](super::InnerMap::heap).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn inner_heap<Q>(&self, outer: &Q) -> Option<Heap>
    where
        Q: Hash + Equivalent<K1> + ?Sized,
    {
        if self.core.is_vacant() { None } else { self.pin().inner(outer).map(|inner| inner.heap()) }
    }

    /// Inserts or overwrites, and returns the pair from before. The outer key is dropped if it is there already; so is the inner one then.
    ///
    /// Linearizes as [`HashMap::insert`](crate::HashMap::insert). Overwriting waits for nothing; a new key waits for others that are being linked in the same inner map, and
    /// a new outer key for others of its kind.
    ///
    /// ```
    /// let map = tidymap::NestedMap::new();
    /// assert!(map.insert("eu", 1, "one").is_none());
    /// assert_eq!(map.insert("eu", 1, "uno").as_deref(), Some(&"one"));
    /// ```
    ///
    /// # Panics
    /// If `Hash`, `Eq` or a destructor panics; also on capacity overflow. Aborts if there is no memory.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert(&self, outer: K1, inner: K2, value: V) -> Option<NestedRef<'_, K1, K2, V>> {
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        let old = self.core.insert(&guard, outer, inner, value)?;
        Some(keep!(guard, old, NestedRef))
    }

    /// Inserts if the key is absent; see [`HashMap::try_insert`](crate::HashMap::try_insert). Waits as [`insert`](Self::insert).
    ///
    /// ```
    /// let map = tidymap::NestedMap::new();
    /// assert_eq!(*map.try_insert("eu", 1, "one").unwrap(), "one");
    /// assert_eq!(*map.try_insert("eu", 1, "uno").unwrap_err().entry, "one");
    /// ```
    ///
    /// # Errors
    /// If it is there: the pair, and what was to be inserted but for the outer key, which is dropped.
    ///
    /// # Panics
    /// As [`insert`](Self::insert).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    #[expect(clippy::type_complexity, reason = "the same as HashMap's")]
    pub fn try_insert(
        &self,
        outer: K1,
        inner: K2,
        value: V,
    ) -> Result<NestedRef<'_, K1, K2, V>, OccupiedError<NestedRef<'_, K1, K2, V>, K2, V>> {
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        match self.core.try_insert(&guard, outer, inner, value) {
            Ok(pair) => Ok(keep!(guard, pair, NestedRef)),
            Err((pair, key, value)) => Err(OccupiedError { entry: keep!(guard, pair, NestedRef), key, value }),
        }
    }

    /// The value of the key, which is inserted if it is absent; see [`HashMap::get_or_insert`](crate::HashMap::get_or_insert). Waits as [`insert`](Self::insert).
    ///
    /// # Panics
    /// As [`insert`](Self::insert).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_or_insert(&self, outer: K1, inner: K2, value: V) -> NestedRef<'_, K1, K2, V> {
        self.get_or_insert_with(outer, inner, || value)
    }

    /// The value of the key; inserted with what `make` makes if it is absent. If another thread is faster, what it has inserted is returned,
    /// and what was made is dropped.
    ///
    /// ```
    /// let map = tidymap::NestedMap::new();
    /// assert_eq!(*map.get_or_insert_with("eu", 1, || 10), 10);
    /// assert_eq!(*map.get_or_insert_with("eu", 1, || unreachable!("it is there")), 10);
    /// ```
    ///
    /// # Panics
    /// As [`insert`](Self::insert), or if `make` does.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_or_insert_with(&self, outer: K1, inner: K2, make: impl FnOnce() -> V) -> NestedRef<'_, K1, K2, V> {
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        let pair = self.core.get_or_insert_with(&guard, outer, inner, make);
        keep!(guard, pair, NestedRef)
    }

    /// Replaces the value by what `update` makes of it, and returns the new pair; see [`HashMap::update`](crate::HashMap::update). Waits for nothing; `update` runs again if
    /// another thread was faster.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", 1, 10)]);
    /// assert_eq!(map.update("eu", &1, |value| value + 1).as_deref(), Some(&11));
    /// assert!(map.update("us", &1, |value| value + 1).is_none());
    /// ```
    ///
    /// # Panics
    /// If `Hash`, `Eq`, `update` or a destructor panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn update<Q1, Q2>(&self, outer: &Q1, inner: &Q2, update: impl Fn(&V) -> V) -> Option<NestedRef<'_, K1, K2, V>>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        // As in `HashMap::update`: by value, here and below.
        let new = self.core.update(&guard, outer, inner, move |old: Pair<'_, K2, V>| update(old.value))?;
        Some(keep!(guard, new, NestedRef))
    }

    /// Replaces the value by what `update` makes of it, or inserts `value`; returns the new pair.
    ///
    /// ```
    /// let hits = tidymap::NestedMap::new();
    /// hits.update_or_insert("eu", "/", |hits| hits + 1, 1);
    /// assert_eq!(*hits.update_or_insert("eu", "/", |hits| hits + 1, 1), 2);
    /// ```
    ///
    /// # Panics
    /// As [`insert`](Self::insert), or if `update` does.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn update_or_insert(
        &self,
        outer: K1,
        inner: K2,
        update: impl Fn(&V) -> V,
        value: V,
    ) -> NestedRef<'_, K1, K2, V> {
        self.update_or_insert_with(outer, inner, update, || value)
    }

    /// [`update_or_insert`](Self::update_or_insert) with a value that is made when it is needed.
    ///
    /// # Panics
    /// As [`insert`](Self::insert), or if `update` or `make` does.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn update_or_insert_with(
        &self,
        outer: K1,
        inner: K2,
        update: impl Fn(&V) -> V,
        make: impl FnOnce() -> V,
    ) -> NestedRef<'_, K1, K2, V> {
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        let successor = move |old: Pair<'_, K2, V>| update(old.value);
        let new = self.core.update_or_insert_with(&guard, outer, inner, successor, make);
        keep!(guard, new, NestedRef)
    }

    /// Inserts, overwrites, removes or leaves the key as `next` says, in one step; see [`HashMap::compute`](crate::HashMap::compute). `next` may be asked more than once.
    ///
    /// ```
    /// use tidymap::{Compute, NestedMap, Operation};
    ///
    /// let seats = NestedMap::from([("hall", 1, "free")]);
    /// let taken = seats.compute("hall", 1, |seat| match seat {
    ///     Some((_, &"free")) => Operation::Insert("alice"),
    ///     _ => Operation::Abort("taken"),
    /// });
    /// assert!(matches!(taken, Compute::Updated { new, .. } if *new == "alice"));
    /// ```
    ///
    /// # Panics
    /// As [`insert`](Self::insert), or if `next` does.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn compute<T>(
        &self,
        outer: K1,
        inner: K2,
        mut next: impl FnMut(Option<(&K2, &V)>) -> Operation<V, T>,
    ) -> Compute<NestedRef<'_, K1, K2, V>, T> {
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        let computed = self.core.compute(&guard, outer, inner, move |old| next(old.map(Pair::parts)).into());
        keep_computed!(guard, computed, NestedRef)
    }

    /// Removes the key, and the outer key with its last one. Returns the pair, which is dropped with the result.
    ///
    /// Linearizes as [`HashMap::remove`](crate::HashMap::remove), waits for nothing (P2).
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", 1, "one")]);
    /// assert_eq!(map.remove("eu", &1).as_deref(), Some(&"one"));
    /// assert!(!map.contains_outer("eu"));
    /// ```
    ///
    /// # Panics
    /// If `Hash`, `Eq` or a destructor panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove<Q1, Q2>(&self, outer: &Q1, inner: &Q2) -> Option<NestedRef<'_, K1, K2, V>>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        self.remove_if(outer, inner, |_, _| true).unwrap_or(None)
    }

    /// Removes the key if `wanted` says so of its pair, and the outer key with its last one; see [`HashMap::remove_if`](crate::HashMap::remove_if). Waits for nothing.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", 1, 10)]);
    /// assert!(map.remove_if("eu", &1, |_, value| *value > 10).is_err());
    /// assert!(map.remove_if("eu", &1, |_, value| *value == 10).unwrap().is_some());
    /// ```
    ///
    /// # Errors
    /// If `wanted` says no: the pair, which stays.
    ///
    /// # Panics
    /// If `Hash`, `Eq`, `wanted` or a destructor panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    #[expect(clippy::type_complexity, reason = "the same as HashMap's")]
    pub fn remove_if<Q1, Q2>(
        &self,
        outer: &Q1,
        inner: &Q2,
        mut wanted: impl FnMut(&K2, &V) -> bool,
    ) -> Result<Option<NestedRef<'_, K1, K2, V>>, NestedRef<'_, K1, K2, V>>
    where
        Q1: Hash + Equivalent<K1> + ?Sized,
        Q2: Hash + Equivalent<K2> + ?Sized,
    {
        if self.core.is_vacant() {
            return Ok(None);
        }
        let (outer, inner) = (self.hashed(outer), self.hashed(inner));
        let guard = self.guard();
        match self.core.remove_if(&guard, outer, inner, move |pair| wanted(pair.key, pair.value)) {
            Ok(None) => Ok(None),
            Ok(Some(pair)) => Ok(Some(keep!(guard, pair, NestedRef))),
            Err(pair) => Err(keep!(guard, pair, NestedRef)),
        }
    }

    /// Removes an outer key with everything that belongs to it: a tenant, a transaction, a whole generation. Tells how many entries that were.
    ///
    /// One step for all who look: linearizes at the exchange of the inner map's tables, as [`HashMap::clear`](crate::HashMap::clear) does. Inserts that come after it go to a
    /// new inner map.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("eu", 1, "one"), ("eu", 2, "two"), ("us", 1, "one")]);
    /// assert_eq!((map.remove_outer("eu"), map.remove_outer("eu"), map.len()), (2, 0, 1));
    /// ```
    ///
    /// O(capacity of the inner map), and waits for writers that are linking entries of it.
    ///
    /// # Panics
    /// If `Hash` or `Eq` panics: nothing is removed then. If a destructor does: all of it has been removed and dropped all the same.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_outer<Q>(&self, outer: &Q) -> usize
    where
        Q: Hash + Equivalent<K1> + ?Sized,
    {
        if self.core.is_vacant() {
            return 0;
        }
        let outer = self.hashed(outer);
        self.core.remove_outer(&self.guard(), outer)
    }
}
