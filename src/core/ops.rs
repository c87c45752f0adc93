//! The operations on one key. Each is a loop: search, let the caller decide, try the one compare-and-swap or the one link
//! that the decision takes, and search again if another thread was faster.
//!
//! The caller's closures run without the mutex, and may use the map.

use equivalent::Equivalent;

use super::entry::{Boxed, Entry, boxed, unboxed};
use super::garbage::{Host, Unlinked};
use super::hash::Hash;
use super::searched::Searched;
use super::table::NoTable;
use super::writer::Link;
use super::{Found, Pair, Tables};
use crate::reclaim::Held;

/// What to do with a key, as [`Tables::compute`] is told.
pub(crate) enum Next<V, T> {
    Insert(V),
    Remove,
    Abort(T),
}

/// What [`Tables::compute`] did.
pub(crate) enum Computed<'g, K, V, T> {
    Inserted(Pair<'g, K, V>),
    Updated { old: Pair<'g, K, V>, new: Pair<'g, K, V> },
    Removed(Pair<'g, K, V>),
    Absent,
    Aborted(T),
}

/// A key and a value on their way into the map.
pub(crate) struct Fresh<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
}

/// Why a new entry was not linked: what it was made of.
enum NotLinked<K, V> {
    SearchAgain(Fresh<K, V>),
    Closed(Fresh<K, V>),
}

/// What an operation gives that may link; or what it was to link, if the map is closed.
pub(crate) type Linking<T, G, K, V> = Result<T, <G as Host<K, V>>::Closed<Fresh<K, V>>>;

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    /// Inserts or overwrites; returns the pair from before.
    pub(crate) fn insert<'g>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: K,
        value: V,
    ) -> Linking<Option<Pair<'g, K, V>>, G, K, V>
    where
        K: Eq,
    {
        let (mut key, mut value) = (key, value);
        loop {
            let searched = self.searching(guard, hash);
            value = match self.replace(guard, hash, &key, value) {
                Ok(old) => {
                    guard.seal();
                    return Ok(Some(old));
                }
                Err(value) => value,
            };
            match self.link_fresh(guard, searched, hash, Fresh { key, value }) {
                Ok(_) => return Ok(None),
                Err(NotLinked::SearchAgain(again)) => Fresh { key, value } = again,
                Err(NotLinked::Closed(fresh)) => return Err(G::closed(fresh)),
            }
        }
    }

    /// Overwrites the key's value, and returns the pair from before; or returns the value, because at a moment of the call the key was
    /// absent. What it unlinks is the caller's to stamp.
    #[inline(always)]
    pub(super) fn replace<'g>(&self, guard: &'g Held<'_, G>, hash: Hash, key: &K, value: V) -> Result<Pair<'g, K, V>, V>
    where
        K: Eq,
    {
        let Some(mut found) = self.find(guard, hash, key) else { return Err(value) };
        let mut value = boxed(value);
        // Stay with this entry until it dies; another value of it is as good to overwrite.
        loop {
            value = match self.exchange(guard, &found, value) {
                // SAFETY: found under the guard.
                Ok(_) => return Ok(unsafe { found.pair() }),
                Err(value) => value,
            };
            // SAFETY: E2: found under the guard.
            found.word = unsafe { found.entry.load() };
            if found.word.is_dead() {
                return Err(unboxed(value));
            }
        }
    }

    /// Inserts if the key is absent. Else returns the pair that is there, and key and value.
    pub(crate) fn try_insert<'g>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: K,
        value: V,
    ) -> Linking<Result<Pair<'g, K, V>, (Pair<'g, K, V>, K, V)>, G, K, V>
    where
        K: Eq,
    {
        let mut fresh = Fresh { key, value };
        loop {
            let searched = self.searching(guard, hash);
            if let Some(found) = self.find(guard, hash, &fresh.key) {
                // SAFETY: found under the guard.
                return Ok(Err((unsafe { found.pair() }, fresh.key, fresh.value)));
            }
            match self.link_fresh(guard, searched, hash, fresh) {
                Ok(pair) => return Ok(Ok(pair)),
                Err(NotLinked::SearchAgain(again)) => fresh = again,
                Err(NotLinked::Closed(fresh)) => return Err(G::closed(fresh)),
            }
        }
    }

    /// The key's pair, inserted with what `make` makes if it is absent.
    pub(crate) fn get_or_insert_with<'g>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: K,
        make: impl FnOnce() -> V,
    ) -> Linking<Pair<'g, K, V>, G, K, V>
    where
        K: Eq,
    {
        if let Some(pair) = self.get(guard, hash, &key) {
            return Ok(pair);
        }
        let (Ok(pair) | Err((pair, ..))) = self.try_insert(guard, hash, key, make())?;
        Ok(pair)
    }

    /// Replaces the key's value by its successor; returns the new pair.
    pub(crate) fn update<'g, Q>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: &Q,
        mut successor: impl FnMut(Pair<'g, K, V>) -> V,
    ) -> Option<Pair<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            let found = self.find(guard, hash, key)?;
            // SAFETY: found under the guard.
            let value = successor(unsafe { found.pair() });
            if let Ok(new) = self.overwrite(guard, &found, boxed(value)) {
                return Some(new);
            }
        }
    }

    /// Replaces the key's value by its successor, or inserts what `make` makes; returns the new pair.
    pub(crate) fn update_or_insert_with<'g>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: K,
        mut successor: impl FnMut(Pair<'g, K, V>) -> V,
        make: impl FnOnce() -> V,
    ) -> Linking<Pair<'g, K, V>, G, K, V>
    where
        K: Eq,
    {
        if let Some(new) = self.update(guard, hash, &key, &mut successor) {
            return Ok(new);
        }
        let mut fresh = Fresh { key, value: make() };
        loop {
            let searched = self.searching(guard, hash);
            if let Some(new) = self.update(guard, hash, &fresh.key, &mut successor) {
                return Ok(new);
            }
            match self.link_fresh(guard, searched, hash, fresh) {
                Ok(pair) => return Ok(pair),
                Err(NotLinked::SearchAgain(again)) => fresh = again,
                Err(NotLinked::Closed(fresh)) => return Err(G::closed(fresh)),
            }
        }
    }

    /// Replaces the value if it equals `expected`. Else returns the pair that is there, if there is one, and `new`.
    pub(crate) fn compare_exchange<'g, Q>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: &Q,
        expected: &V,
        new: V,
    ) -> Result<Pair<'g, K, V>, (Option<Pair<'g, K, V>>, V)>
    where
        Q: Equivalent<K> + ?Sized,
        V: PartialEq,
    {
        let mut new = new;
        loop {
            let Some(found) = self.find(guard, hash, key) else { return Err((None, new)) };
            // SAFETY: found under the guard.
            let old = unsafe { found.pair() };
            if old.value != expected {
                return Err((Some(old), new));
            }
            match self.overwrite(guard, &found, boxed(new)) {
                Ok(_) => return Ok(old),
                Err(again) => new = unboxed(again),
            }
        }
    }

    /// Inserts, overwrites, removes or leaves the key as `next` says, which may be asked more than once.
    pub(crate) fn compute<'g, T>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: K,
        mut next: impl FnMut(Option<Pair<'g, K, V>>) -> Next<V, T>,
    ) -> Linking<Computed<'g, K, V, T>, G, K, V>
    where
        K: Eq,
    {
        let mut key = key;
        loop {
            let searched = self.searching(guard, hash);
            let found = self.find(guard, hash, &key);
            // SAFETY: found under the guard.
            let old = found.as_ref().map(|found| unsafe { found.pair() });
            match (next(old), found.zip(old)) {
                (Next::Abort(why), _) => return Ok(Computed::Aborted(why)),
                (Next::Remove, None) => return Ok(Computed::Absent),
                (Next::Remove, Some((found, old))) => {
                    if self.kill(guard, &found) {
                        return Ok(Computed::Removed(old));
                    }
                }
                (Next::Insert(value), Some((found, old))) => {
                    if let Ok(new) = self.overwrite(guard, &found, boxed(value)) {
                        return Ok(Computed::Updated { old, new });
                    }
                }
                (Next::Insert(value), None) => match self.link_fresh(guard, searched, hash, Fresh { key, value }) {
                    Ok(pair) => return Ok(Computed::Inserted(pair)),
                    Err(NotLinked::SearchAgain(again)) => key = again.key,
                    Err(NotLinked::Closed(fresh)) => return Err(G::closed(fresh)),
                },
            }
        }
    }

    /// [`compute`](Self::compute) for a key that is there, and need not be given away.
    pub(crate) fn compute_present<'g, Q, T>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: &Q,
        mut next: impl FnMut(Pair<'g, K, V>) -> Next<V, T>,
    ) -> Computed<'g, K, V, T>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            let Some(found) = self.find(guard, hash, key) else { return Computed::Absent };
            // SAFETY: E2, E3: found under the guard.
            let old = unsafe { found.pair() };
            match next(old) {
                Next::Abort(why) => return Computed::Aborted(why),
                Next::Remove => {
                    if self.kill(guard, &found) {
                        return Computed::Removed(old);
                    }
                }
                Next::Insert(value) => {
                    if let Ok(new) = self.overwrite(guard, &found, boxed(value)) {
                        return Computed::Updated { old, new };
                    }
                }
            }
        }
    }

    /// Removes the key if `wanted` says so of its pair. `Err` is the pair that was not wanted.
    pub(crate) fn remove_if<'g, Q>(
        &self,
        guard: &'g Held<'_, G>,
        hash: Hash,
        key: &Q,
        mut wanted: impl FnMut(Pair<'g, K, V>) -> bool,
    ) -> Result<Option<Pair<'g, K, V>>, Pair<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            let Some(found) = self.find(guard, hash, key) else { return Ok(None) };
            // SAFETY: found under the guard.
            let pair = unsafe { found.pair() };
            if !wanted(pair) {
                return Err(pair);
            }
            if self.kill(guard, &found) {
                return Ok(Some(pair));
            }
        }
    }

    /// Kills what was found, if its value is still the one that was found.
    pub(super) fn kill(&self, guard: &Held<'_, G>, found: &Found<K, V>) -> bool {
        // SAFETY: E2: found under the guard.
        let killed = unsafe { found.entry.kill(found.word) };
        if killed {
            // SAFETY: as above.
            unsafe { self.bury(guard, std::slice::from_ref(found)) };
            guard.seal();
        }
        killed
    }

    /// Overwrites the value that was found, if it is still there; returns the new pair.
    fn overwrite<'g>(
        &self,
        guard: &'g Held<'_, G>,
        found: &Found<K, V>,
        value: Boxed<V>,
    ) -> Result<Pair<'g, K, V>, Boxed<V>> {
        let new = self.exchange(guard, found, value)?;
        guard.seal();
        Ok(new)
    }

    /// [`overwrite`](Self::overwrite) for those who stamp what they have unlinked themselves.
    #[inline(always)]
    fn exchange<'g>(
        &self,
        guard: &'g Held<'_, G>,
        found: &Found<K, V>,
        value: Boxed<V>,
    ) -> Result<Pair<'g, K, V>, Boxed<V>> {
        // SAFETY: E2: found under the guard.
        let (old, word) = unsafe { found.entry.overwrite(found.word, value) }?;
        self.note_overwriting();
        guard.allocated(Entry::<K, V>::value_weight());
        guard.retire(Unlinked::Value(old));
        // SAFETY: E3: the guard protects the new value as it did the old one.
        Ok(unsafe { found.entry.pair(word) })
    }

    /// Links a new entry, or returns its parts because the search has to be done again.
    ///
    /// # Panics
    /// If the number of entries overflows what a table can count. Aborts if there is no memory.
    fn link_fresh<'g>(
        &self,
        guard: &'g Held<'_, G>,
        searched: Searched,
        hash: Hash,
        fresh: Fresh<K, V>,
    ) -> Result<Pair<'g, K, V>, NotLinked<K, V>> {
        // A search has had the bucket fetched; and while an entry is made of memory there is time for the hashes.
        self.state(guard).young[0].prefetch_hashes(hash);
        let entry = Entry::new(fresh.key, fresh.value);
        // SAFETY: E2: nobody can reclaim it before it is linked, and the guard protects it from then on.
        let pair = unsafe { entry.pair(entry.load()) };
        match self.link(guard, searched, hash, entry) {
            Link::Done => {
                guard.seal();
                Ok(pair)
            }
            not_linked => {
                // SAFETY: it was not linked, so nobody has seen it, and `pair` is not used any more.
                let (key, value) = unsafe { entry.take() };
                match not_linked {
                    Link::NoTable(no_table) => {
                        drop((key, value));
                        NoTable::fail(no_table)
                    }
                    Link::Closed => Err(NotLinked::Closed(Fresh { key, value })),
                    _ => Err(NotLinked::SearchAgain(Fresh { key, value })),
                }
            }
        }
    }
}
