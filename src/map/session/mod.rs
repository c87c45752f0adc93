//! Sessions: many operations under one guard, which is the [thread's or the owner's](guard).

mod guard;

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

pub use guard::{LocalGuard, OwnedGuard, SessionGuard};

use super::{CompareExchangeError, Compute, HashMap, Iter, Keys, OccupiedError, Operation, Values};
use crate::core::{Computed, Core, MapHeld, Pair};

/// What a session returns of a pair.
type Refs<'s, K, V> = (&'s K, &'s V);

/// A session on a map, opened by [`HashMap::pin`]: one guard for many operations.
///
/// It has the operations of [`HashMap`] on keys and entries, with plain references as results; see there for what each does, and where it linearizes. But not those that wait or make a
/// copy: `read` and `get_cloned` are `get` here, `get_or_init` and its like are called on the [`map`](Self::map), and `remove_owned` would wait for this session.
/// What is removed while the session is open is dropped when it ends, so that these references stay good.
///
/// Not `Send`: it belongs to its thread. [`OwnedPinned`] is the same for tasks, and for sessions that several threads share.
///
/// ```compile_fail,E0597
/// let value = {
///     let map = tidymap::HashMap::from([(1, "one")]);
///     let session = map.pin();
///     session.get(&1).unwrap() // does not live longer than the session
/// };
/// println!("{value}");
/// ```
#[must_use = "a session that is dropped at once protects nothing"]
pub struct Pinned<'m, K, V, S = RandomState, G = LocalGuard<'m, K, V>> {
    pub(super) map: &'m HashMap<K, V, S>,
    pub(super) guard: G,
}

/// A session that belongs to whoever owns it, opened by [`HashMap::pin_owned`]: `Send` and `Sync`, so that it may live across an
/// `await`, and be used by several threads at once.
///
/// Reading costs what it does in a session of a thread. Operations that may write take a guard of the calling thread beside, and what
/// they unlink is handed over to wait for this session, so they cost what they do beside a reader.
///
/// The session is a live guard ([`guards`](HashMap::guards) tells the thread that opened it), but not one of any thread. So those that
/// would wait for it, [`reclaim`](HashMap::reclaim) and its like, [`remove_owned`](HashMap::remove_owned), and one-shot writes under a
/// [cap](crate::Builder::max_pending), **do so also if the caller owns it**: they return when another thread ends the session, or never.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::sync::Arc;
///
/// let map = Arc::new(tidymap::HashMap::from([("route", 1)]));
/// let task = tokio::spawn({
///     let map = map.clone();
///     async move {
///         let session = map.pin_owned();
///         let route = session.get("route");
///         tokio::task::yield_now().await; // and goes on on any thread
///         assert_eq!(route, Some(&1));
///     }
/// });
/// task.await.unwrap();
/// # });
/// ```
pub type OwnedPinned<'m, K, V, S = RandomState> = Pinned<'m, K, V, S, OwnedGuard<'m, K, V>>;

impl<'m, K, V, S> Pinned<'m, K, V, S> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn new(map: &'m HashMap<K, V, S>) -> Self {
        let guard = map.core.guard();
        guard.note_time();
        Pinned { map, guard: LocalGuard(guard) }
    }
}

impl<'m, K, V, S> OwnedPinned<'m, K, V, S> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn new_owned(map: &'m HashMap<K, V, S>) -> Self {
        Pinned { map, guard: OwnedGuard(map.core.domain.lease()) }
    }
}

impl<K, V, S, G: SessionGuard<K, V>> Pinned<'_, K, V, S, G> {
    /// For operations that only read.
    #[inline(always)]
    pub(super) fn reading(&self) -> (&Core<K, V>, &MapHeld<'_, K, V>) {
        (&self.map.core, self.guard.reading())
    }

    /// Runs an operation of any kind.
    #[inline(always)]
    pub(super) fn writing<'s, R>(&'s self, operation: impl FnOnce(&'s Core<K, V>, &'s MapHeld<'s, K, V>) -> R) -> R {
        let core = &self.map.core;
        self.guard.writing(core, |guard| operation(core, guard))
    }
}

impl<'m, K, V, S, G: SessionGuard<K, V>> Pinned<'m, K, V, S, G> {
    /// The map.
    pub fn map(&self) -> &'m HashMap<K, V, S> {
        self.map
    }

    /// Ends the session and opens a new one: what only it held back is dropped. Costs as much as a new session.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// let mut session = map.pin();
    /// session.remove(&1);
    /// assert_eq!(map.stats().pending.entries, 1);
    /// session.refresh();
    /// assert_eq!(map.stats().pending.entries, 0);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn refresh(&mut self) {
        self.guard.refresh();
    }

    /// All pairs that are there throughout, each once, and some of those that come or go meanwhile; none twice (C2).
    ///
    /// Takes no lock, waits for nothing, allocates nothing. O(capacity).
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
    /// let mut keys: Vec<i32> = map.pin().iter().map(|(key, _)| *key).collect();
    /// keys.sort();
    /// assert_eq!(keys, [1, 2]);
    /// ```
    #[doc(alias = "Range")]
    pub fn iter(&self) -> Iter<'_, K, V> {
        let (core, guard) = self.reading();
        Iter::new(core.iter(guard))
    }

    /// The keys, as [`iter`](Self::iter) yields them.
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys::new(self.iter())
    }

    /// The values, as [`iter`](Self::iter) yields them.
    pub fn values(&self) -> Values<'_, K, V> {
        Values::new(self.iter())
    }

    /// See [`HashMap::len`].
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// See [`HashMap::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// See [`HashMap::clear`].
    #[doc(alias = "Clear")]
    pub fn clear(&self) {
        self.writing(|core, guard| core.clear(guard));
    }

    /// See [`HashMap::retain`].
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.writing(|core, guard| core.retain(guard, |pair| keep(pair.key, pair.value)));
    }
}

impl<K, V, S, G> Pinned<'_, K, V, S, G>
where
    K: Eq + Hash,
    S: BuildHasher,
    G: SessionGuard<K, V>,
{
    /// The value of `key`; see [`HashMap::get`].
    #[doc(alias = "Load")]
    #[inline(always)]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let (core, guard) = self.reading();
        core.get(guard, self.map.hash(key), key).map(|pair| pair.value)
    }

    /// The pair of `key`; see [`HashMap::get`].
    #[inline(always)]
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<Refs<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let (core, guard) = self.reading();
        core.get(guard, self.map.hash(key), key).map(Pair::parts)
    }

    /// See [`HashMap::contains_key`].
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.get(key).is_some()
    }

    /// Returns the value from before; see [`HashMap::insert`].
    #[doc(alias = "Store")]
    #[doc(alias = "Swap")]
    pub fn insert(&self, key: K, value: V) -> Option<&V> {
        let hash = self.map.hash(&key);
        self.writing(|core, guard| core.insert(guard, hash, key, value)).map(|old| old.value)
    }

    /// Returns the new value; see [`HashMap::try_insert`].
    ///
    /// # Errors
    /// If the key is there.
    pub fn try_insert(&self, key: K, value: V) -> Result<&V, OccupiedError<Refs<'_, K, V>, K, V>> {
        let hash = self.map.hash(&key);
        match self.writing(|core, guard| core.try_insert(guard, hash, key, value)) {
            Ok(pair) => Ok(pair.value),
            Err((pair, key, value)) => Err(OccupiedError { entry: pair.parts(), key, value }),
        }
    }

    /// See [`HashMap::get_or_insert`].
    #[doc(alias = "LoadOrStore")]
    pub fn get_or_insert(&self, key: K, value: V) -> &V {
        self.get_or_insert_with(key, || value)
    }

    /// See [`HashMap::get_or_insert_with`].
    #[doc(alias = "LoadOrStore")]
    pub fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> &V {
        let hash = self.map.hash(&key);
        self.writing(|core, guard| core.get_or_insert_with(guard, hash, key, make)).value
    }

    /// [`get_or_insert`](Self::get_or_insert) with the stored key: all that a set has.
    pub(crate) fn get_key_value_or_insert(&self, key: K, value: V) -> Refs<'_, K, V> {
        let hash = self.map.hash(&key);
        self.writing(|core, guard| core.get_or_insert_with(guard, hash, key, || value)).parts()
    }

    /// Returns the new value; see [`HashMap::update`].
    pub fn update<Q>(&self, key: &Q, update: impl Fn(&V) -> V) -> Option<&V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.map.hash(key);
        let successor = |old: Pair<'_, K, V>| update(old.value);
        self.writing(|core, guard| core.update(guard, hash, key, successor)).map(|new| new.value)
    }

    /// Returns the new value; see [`HashMap::update_or_insert`].
    pub fn update_or_insert(&self, key: K, update: impl Fn(&V) -> V, value: V) -> &V {
        self.update_or_insert_with(key, update, || value)
    }

    /// Returns the new value; see [`HashMap::update_or_insert_with`].
    pub fn update_or_insert_with(&self, key: K, update: impl Fn(&V) -> V, make: impl FnOnce() -> V) -> &V {
        let hash = self.map.hash(&key);
        let successor = |old: Pair<'_, K, V>| update(old.value);
        self.writing(|core, guard| core.update_or_insert_with(guard, hash, key, successor, make)).value
    }

    /// See [`HashMap::compute`].
    pub fn compute<T>(
        &self,
        key: K,
        mut next: impl FnMut(Option<(&K, &V)>) -> Operation<V, T>,
    ) -> Compute<Refs<'_, K, V>, T> {
        let hash = self.map.hash(&key);
        match self.writing(|core, guard| core.compute(guard, hash, key, |old| next(old.map(Pair::parts)).into())) {
            Computed::Inserted(pair) => Compute::Inserted(pair.parts()),
            Computed::Updated { old, new } => Compute::Updated { old: old.parts(), new: new.parts() },
            Computed::Removed(pair) => Compute::Removed(pair.parts()),
            Computed::Absent => Compute::Absent,
            Computed::Aborted(why) => Compute::Aborted(why),
        }
    }

    /// Returns the value from before; see [`HashMap::compare_exchange`].
    ///
    /// # Errors
    /// If the value is another one, or the key is absent.
    #[doc(alias = "CompareAndSwap")]
    pub fn compare_exchange<Q>(
        &self,
        key: &Q,
        expected: &V,
        new: V,
    ) -> Result<&V, CompareExchangeError<Refs<'_, K, V>, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: PartialEq,
    {
        let hash = self.map.hash(key);
        match self.writing(|core, guard| core.compare_exchange(guard, hash, key, expected, new)) {
            Ok(old) => Ok(old.value),
            Err((current, new)) => Err(CompareExchangeError { current: current.map(Pair::parts), new }),
        }
    }

    /// Returns the removed value, which is dropped when the session ends; see [`HashMap::remove`].
    #[doc(alias = "Delete")]
    #[doc(alias = "LoadAndDelete")]
    pub fn remove<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Returns the removed pair; see [`HashMap::remove`].
    pub fn remove_entry<Q>(&self, key: &Q) -> Option<Refs<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.remove_if(key, |_, _| true).unwrap_or(None)
    }

    /// See [`HashMap::remove_if`].
    ///
    /// # Errors
    /// If `wanted` says no: the pair, which stays.
    #[doc(alias = "CompareAndDelete")]
    pub fn remove_if<Q>(
        &self,
        key: &Q,
        mut wanted: impl FnMut(&K, &V) -> bool,
    ) -> Result<Option<Refs<'_, K, V>>, Refs<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.map.hash(key);
        let wanted = |pair: Pair<'_, K, V>| wanted(pair.key, pair.value);
        let removed = self.writing(|core, guard| core.remove_if(guard, hash, key, wanted));
        removed.map(|pair| pair.map(Pair::parts)).map_err(Pair::parts)
    }
}

impl<'s, K, V, S, G: SessionGuard<K, V>> IntoIterator for &'s Pinned<'_, K, V, S, G> {
    type Item = (&'s K, &'s V);
    type IntoIter = Iter<'s, K, V>;

    fn into_iter(self) -> Iter<'s, K, V> {
        self.iter()
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S, G: SessionGuard<K, V>> fmt::Debug for Pinned<'_, K, V, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}
