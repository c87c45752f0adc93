//! The operations on `&HashMap`, each under a guard of its own: those that read, insert and overwrite.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use super::reference::{Erased, Kept, Ref, erase, keep};
use super::{CompareExchangeError, Compute, HashMap, OccupiedError, Operation};
use crate::core::{self, Computed, Glance, Lent, Next, Pair, Permit};

/// The same as a result that keeps the guard under which it was computed, in what [`keep`] makes.
macro_rules! keep_computed {
    ($guard:expr, $computed:expr, $of:ident) => {
        match $computed {
            Computed::Inserted(pair) => Compute::Inserted(keep!($guard, pair, $of)),
            Computed::Updated { old, new } => {
                Compute::Updated { old: keep!($guard.clone(), old, $of), new: keep!($guard, new, $of) }
            }
            Computed::Removed(pair) => Compute::Removed(keep!($guard, pair, $of)),
            Computed::Absent => Compute::Absent,
            Computed::Aborted(why) => {
                // As in `read`.
                drop($guard);
                Compute::Aborted(why)
            }
        }
    };
}
pub(crate) use keep_computed;

impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The pair of `key`.
    ///
    /// Linearizes at the load of the value's pointer, or, if there is no pair, at a moment of the call at which the key was absent. O(1)
    /// on average; waits for nothing. Takes no lock and allocates nothing, but for two cases: a thread's first call on a map makes
    /// its record, and a read that had to look beyond the read table and finds a promotion due does a bounded part of it if the
    /// mutex is free (P3). When the `Ref` is dropped, what waited for it and for no other guard is dropped, too (R2).
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a".to_owned(), 1)]);
    /// let a = map.get("a").unwrap();
    /// assert_eq!((a.key().as_str(), *a), ("a", 1));
    /// assert!(map.get("b").is_none());
    /// ```
    #[doc(alias = "Load")]
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get<Q>(&self, key: &Q) -> Option<Ref<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        if self.core.is_vacant() {
            return None;
        }
        self.get_hashed(self.hash(key), key)
    }

    /// The pair of a key whose hash is known.
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn get_hashed<Q>(&self, hash: core::Hash, key: &Q) -> Option<Ref<'_, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let guard = self.guard();
        let (pair, guard) = match self.core.glance(&guard, hash, key) {
            Glance::Found(pair) => (erase(pair), guard),
            Glance::Absent => return None,
            Glance::Unsure => {
                let lent = guard.lend();
                // SAFETY: G4: it has just been lent.
                let pair = unsafe { self.get_on(lent, hash, key) };
                // SAFETY: G4: `get_on` has returned.
                let guard = unsafe { lent.taken_back() };
                (pair?, guard)
            }
        };
        // SAFETY: E2, E3: found under the guard.
        Some(Ref::new(unsafe { Kept::new(guard, pair) }))
    }

    /// The rest of [`get_hashed`](Self::get_hashed). Ends the guard if it unwinds: were that left to the caller, its guard would be in memory from the
    /// beginning.
    ///
    /// # Safety
    /// The guard is lent, and taken back by the caller when this has returned (G4).
    #[inline(never)]
    unsafe fn get_on<Q>(&self, lent: Lent<'_, K, V>, hash: core::Hash, key: &Q) -> Option<Erased<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        // SAFETY: G4: the caller takes it back only if this returns, and then it is lent again.
        let guard = unsafe { lent.taken_back() };
        let pair = self.core.get_on(*guard, hash, key).map(erase);
        let _ = guard.lend();
        pair
    }

    /// Gives the pair of `key` to `read`, and returns what that returns. Like [`get`](Self::get), but nothing is left to keep the guard. `read` runs
    /// under it, and without a lock.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", "first".to_owned())]);
    /// assert_eq!(map.read("a", |_, value| value.len()), Some(5));
    /// ```
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn read<Q, R>(&self, key: &Q, read: impl FnOnce(&K, &V) -> R) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        if self.core.is_vacant() {
            return None;
        }
        let kept = self.get_hashed(self.hash(key), key)?;
        let result = read(kept.key(), kept.value());
        // Not at the end of the function: a destructor that panics there leaks what is returned.
        drop(kept);
        Some(result)
    }

    /// A clone of the value of `key`. Like [`get`](Self::get).
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_cloned<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: Clone,
    {
        self.read(key, |_, value| value.clone())
    }

    /// Is `key` in the map? Like [`get`](Self::get).
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.read(key, |_, _| ()).is_some()
    }

    /// Makes `value` the value of `key`, and returns the pair that was there before. Of an existing key the stored key
    /// stays.
    ///
    /// Linearizes at the compare-and-swap that overwrites, which waits for nothing and allocates once, or at the link of a new
    /// entry, which waits for other writers. O(1) on average. With a [cap on garbage](crate::Builder::max_pending) it first waits for
    /// room if the key is there, like all one-shot calls that overwrite or remove.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory. So do all calls that may insert.
    ///
    /// ```
    /// let map = tidymap::HashMap::new();
    /// assert!(map.insert("a", 1).is_none());
    /// assert_eq!(map.insert("a", 2).as_deref(), Some(&1));
    /// ```
    #[doc(alias = "Store")]
    #[doc(alias = "Swap")]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert(&self, key: K, value: V) -> Option<Ref<'_, K, V>> {
        // The user's code comes before the permit, and waits for nobody who waits for that.
        let hash = self.hash(&key);
        let Some(_permit) = self.core.domain.try_admit() else { return self.insert_at_cap(key, value) };
        let guard = self.guard();
        let old = self.core.insert(&guard, hash, key, value)?;
        Some(keep!(guard, old))
    }

    #[cold]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn insert_at_cap(&self, key: K, value: V) -> Option<Ref<'_, K, V>> {
        // Without garbage, if the key is absent.
        let OccupiedError { entry, key, value } = self.try_insert(key, value).err()?;
        drop(entry);
        let hash = self.hash(&key);
        let _permit = self.core.domain.admit();
        let guard = self.guard();
        let old = self.core.insert(&guard, hash, key, value)?;
        Some(keep!(guard, old))
    }

    /// Leave to overwrite or remove `key`, when there is room. None without waiting if the key is absent.
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn admit<Q>(&self, key: &Q) -> Option<Permit<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        if self.core.is_vacant() {
            return None;
        }
        self.core.domain.try_admit().or_else(|| self.contains_key(key).then(|| self.core.domain.admit()))
    }

    /// Inserts if `key` is absent, and returns the new pair. A value that is costly, or whose destructor does something, is better made only if it is
    /// needed: by [`compute`](Self::compute), or [`get_or_init`](Self::get_or_init).
    ///
    /// Linearizes like [`insert`](Self::insert), or like [`get`](Self::get) if the key is there.
    ///
    /// # Errors
    /// If the key is there: the pair that is, and what was to be inserted.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert!(map.try_insert("b", 2).is_ok());
    /// let error = map.try_insert("a", 3).unwrap_err();
    /// assert_eq!((*error.entry, error.value), (1, 3));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn try_insert(&self, key: K, value: V) -> Result<Ref<'_, K, V>, OccupiedError<Ref<'_, K, V>, K, V>> {
        let hash = self.hash(&key);
        let guard = self.guard();
        match self.core.try_insert(&guard, hash, key, value) {
            Ok(pair) => Ok(keep!(guard, pair)),
            Err((pair, key, value)) => Err(OccupiedError { entry: keep!(guard, pair), key, value }),
        }
    }

    /// Inserts if `key` is absent, or returns what was to be inserted: [`try_insert`](Self::try_insert) for sets, which look at neither pair.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn insert_or_refuse(&self, key: K, value: V) -> Result<(), (K, V)> {
        let hash = self.hash(&key);
        let guard = self.guard();
        let done = self.core.try_insert(&guard, hash, key, value).map(|_| ()).map_err(|(_, key, value)| (key, value));
        // As in `read`; and what is refused may be dropped without a guard.
        drop(guard);
        done
    }

    /// The pair of `key`, inserted with `value` if it is absent. Linearizes like [`try_insert`](Self::try_insert).
    #[doc(alias = "LoadOrStore")]
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_or_insert(&self, key: K, value: V) -> Ref<'_, K, V> {
        self.get_or_insert_with(key, || value)
    }

    /// The pair of `key`, inserted with the value that `make` makes if it is absent. Linearizes like
    /// [`try_insert`](Self::try_insert).
    ///
    /// `make` runs at most once, without a lock. If another thread inserts the key meanwhile, its value stays and
    /// what `make` made is dropped. Where that would be a waste, [`get_or_init`](Self::get_or_init) has the others wait for one that computes.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert_eq!(*map.get_or_insert_with("a", || unreachable!()), 1);
    /// assert_eq!(*map.get_or_insert_with("b", || 2), 2);
    /// ```
    #[doc(alias = "LoadOrStore")]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    #[inline]
    pub fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> Ref<'_, K, V> {
        let hash = self.hash(&key);
        // Mostly it is there.
        let Some(found) = self.get_hashed(hash, &key) else { return self.insert_with(hash, key, make) };
        // As in `read`.
        drop((key, make));
        found
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with) for a key that was absent.
    #[inline(never)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn insert_with(&self, hash: core::Hash, key: K, make: impl FnOnce() -> V) -> Ref<'_, K, V> {
        let guard = self.guard();
        let (Ok(pair) | Err((pair, ..))) = self.core.try_insert(&guard, hash, key, make());
        keep!(guard, pair)
    }

    /// Replaces the value of `key` by what `update` makes of it, and returns the new pair; `None` if the key is absent.
    ///
    /// Linearizes at the compare-and-swap that overwrites; `update` runs again if another thread was faster, without a lock.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.update("a", |n| n + 1).as_deref(), Some(&2));
    /// assert!(map.update("b", |n| n + 1).is_none());
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn update<Q>(&self, key: &Q, update: impl Fn(&V) -> V) -> Option<Ref<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let _permit = self.admit(key)?;
        let guard = self.guard();
        // By value, here and below: a closure's destructor may panic, and if that were at the end of this function, the guard in
        // what it returns would be leaked.
        let new = self.core.update(&guard, hash, key, move |old| update(old.value))?;
        Some(keep!(guard, new))
    }

    /// Like [`update`](Self::update), or inserts `value` if the key is absent. Returns the new pair.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn update_or_insert(&self, key: K, update: impl Fn(&V) -> V, value: V) -> Ref<'_, K, V> {
        self.update_or_insert_with(key, update, || value)
    }

    /// Like [`update`](Self::update), or inserts what `make` makes if the key is absent. Returns the new pair.
    ///
    /// `make` runs at most once; what it made is dropped if another thread inserts the key meanwhile.
    ///
    /// ```
    /// let counts = tidymap::HashMap::new();
    /// for word in ["to", "be", "or", "not", "to", "be"] {
    ///     counts.update_or_insert_with(word, |n| n + 1, || 1);
    /// }
    /// assert_eq!(*counts.get("be").unwrap(), 2);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn update_or_insert_with(&self, key: K, update: impl Fn(&V) -> V, make: impl FnOnce() -> V) -> Ref<'_, K, V> {
        let hash = self.hash(&key);
        let _permit = self.core.domain.admit();
        let guard = self.guard();
        let pair = self.core.update_or_insert_with(&guard, hash, key, move |old| update(old.value), make);
        keep!(guard, pair)
    }

    /// Does with `key` what `next` says of its pair (`None` if it is absent): insert or overwrite, remove, or nothing.
    ///
    /// Linearizes at the compare-and-swap or link that `next` asked for, or, for `Abort` and for a `Remove` of an absent key,
    /// like [`get`](Self::get). `next` runs without a lock, again whenever another thread was faster.
    ///
    /// ```
    /// use tidymap::{Compute, HashMap, Operation};
    ///
    /// let stock = HashMap::from([("apple", 1)]);
    /// let take = |entry: Option<(&&str, &i32)>| match entry {
    ///     Some((_, 1)) => Operation::Remove,
    ///     Some((_, n)) => Operation::Insert(n - 1),
    ///     None => Operation::Abort("sold out"),
    /// };
    /// assert!(matches!(stock.compute("apple", take), Compute::Removed(_)));
    /// assert!(matches!(stock.compute("apple", take), Compute::Aborted("sold out")));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn compute<T>(
        &self,
        key: K,
        mut next: impl FnMut(Option<(&K, &V)>) -> Operation<V, T>,
    ) -> Compute<Ref<'_, K, V>, T> {
        let hash = self.hash(&key);
        let _permit = self.core.domain.admit();
        let guard = self.guard();
        let computed = self.core.compute(&guard, hash, key, move |old| next(old.map(Pair::parts)).into());
        keep_computed!(guard, computed, Ref)
    }

    /// [`compute`](Self::compute) for a key that is there. `Absent` if it is not, or `Removed` what was.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn compute_present<Q, T>(
        &self,
        key: &Q,
        mut next: impl FnMut(&K, &V) -> Operation<V, T>,
    ) -> Compute<Ref<'_, K, V>, T>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let _permit = self.core.domain.admit();
        let guard = self.guard();
        let computed = self.core.compute_present(&guard, hash, key, move |old| next(old.key, old.value).into());
        keep_computed!(guard, computed, Ref)
    }

    /// Replaces the value of `key` by `new` if it equals `expected`, and returns the pair from before.
    ///
    /// Linearizes at the compare-and-swap that overwrites, or, on an error, like [`get`](Self::get). `PartialEq` of the value runs
    /// without a lock. A new value that equals the old one is stored all the same.
    ///
    /// # Errors
    /// If the value is another one, or the key is absent: the pair that is there, and `new`.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert_eq!(*map.compare_exchange("a", &1, 2).unwrap(), 1);
    /// let error = map.compare_exchange("a", &1, 3).unwrap_err();
    /// assert_eq!((error.current.as_deref(), error.new), (Some(&2), 3));
    /// ```
    #[doc(alias = "CompareAndSwap")]
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn compare_exchange<Q>(
        &self,
        key: &Q,
        expected: &V,
        new: V,
    ) -> Result<Ref<'_, K, V>, CompareExchangeError<Ref<'_, K, V>, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: PartialEq,
    {
        let hash = self.hash(key);
        let Some(_permit) = self.admit(key) else { return Err(CompareExchangeError { current: None, new }) };
        let guard = self.guard();
        match self.core.compare_exchange(&guard, hash, key, expected, new) {
            Ok(old) => Ok(keep!(guard, old)),
            Err((current, new)) => {
                let current = current.map(erase);
                // SAFETY: E2, E3: found under this guard.
                let current = current.map(|pair| Ref::new(unsafe { Kept::new(guard, pair) }));
                Err(CompareExchangeError { current, new })
            }
        }
    }
}

impl<V, T> From<Operation<V, T>> for Next<V, T> {
    fn from(operation: Operation<V, T>) -> Self {
        match operation {
            Operation::Insert(value) => Next::Insert(value),
            Operation::Remove => Next::Remove,
            Operation::Abort(why) => Next::Abort(why),
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use crate::{HashMap, Operation};

    /// Else reads would go on guessing where values lie.
    #[test]
    fn whatever_overwrites_a_value_is_noted() {
        let overwrites: [fn(&HashMap<u8, u8>); 6] = [
            |map| drop(map.insert(1, 2)),
            |map| drop(map.update(&1, |value| value + 1)),
            |map| drop(map.update_or_insert(1, |value| value + 1, 0)),
            |map| drop(map.compare_exchange(&1, &1, 2)),
            |map| drop(map.compute(1, |_| Operation::<u8, ()>::Insert(2))),
            |map| assert_eq!(map.insert_many([(1, 2)]), 0),
        ];
        for overwrite in overwrites {
            let map = HashMap::from([(1, 1)]);
            assert!(map.get(&1).is_some() && !map.core.is_overwritten());
            overwrite(&map);
            assert_eq!(map.get(&1).as_deref(), Some(&2));
            assert!(map.core.is_overwritten());
        }
    }
}
