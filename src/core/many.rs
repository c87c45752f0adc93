//! The operations on many keys, in groups. What a key costs by itself is paid once for all of a group: the wait for memory, the mutex,
//! the stamp, the guard.
//!
//! The user's code runs before the mutex is taken, or after: a group is searched, key by key, without it; then what is new is linked,
//! or what was removed is unlinked. So each key has a linearization point of its own, as in a call of its own.

use equivalent::Equivalent;

use super::entry::Entry;
use super::hash::Hash;
use super::searched::Searched;
use super::table::{FAR, NoTable};
use super::writer::Link;
use super::{Core, Found, MapHeld, State};
use crate::sync::IN_MODEL;

/// Keys of a group. More would save little, and others wait for the mutex while it is held for a group: some ten microseconds.
pub(crate) const GROUP: usize = if IN_MODEL { 4 } else { 64 };

impl<K> State<K> {
    fn is_far(&self) -> bool {
        self.read.buckets() + self.young[0].buckets() > FAR
    }
}

/// Hashes, by 12 bits of each.
struct Hashes([u64; 64]);

impl Hashes {
    fn add(&mut self, hash: Hash) {
        let (word, bit) = Self::place(hash);
        self.0[word] |= bit;
    }

    /// Is it one of them? Sometimes it is only taken for one.
    fn may_have(&self, hash: Hash) -> bool {
        let (word, bit) = Self::place(hash);
        self.0[word] & bit != 0
    }

    fn place(hash: Hash) -> (usize, u64) {
        (hash.place as usize % 64, 1 << (hash.place / 64 % 64))
    }
}

/// A new entry that is not linked yet. If it never is, it goes with its key and value.
struct Built<K, V> {
    hash: Hash,
    entry: Option<Entry<K, V>>,
}

impl<K, V> Built<K, V> {
    fn into_parts(mut self) -> Option<(Hash, K, V)> {
        // SAFETY: E2, E5: it is not linked, so nobody else knows it; and it is taken out here, once.
        let (key, value) = unsafe { self.entry.take()?.take() };
        Some((self.hash, key, value))
    }
}

impl<K, V> Drop for Built<K, V> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            // SAFETY: as above.
            drop(unsafe { entry.take() });
        }
    }
}

/// Entries that this thread has killed: buried when this goes, be it because the user's code panics at the next key.
struct Killed<'g, 'm, K, V> {
    core: &'g Core<K, V>,
    guard: &'g MapHeld<'m, K, V>,
    found: Vec<Found<K, V>>,
}

impl<K, V> Drop for Killed<'_, '_, K, V> {
    fn drop(&mut self) {
        if !self.found.is_empty() {
            // SAFETY: W1: killed by us, and E2: found under the guard.
            unsafe { self.core.bury(self.guard, &self.found) };
            self.guard.seal();
        }
    }
}

/// Stamps what has been unlinked when this goes, be it because the user's code panics.
struct Sealing<'g, 'm, K, V>(&'g MapHeld<'m, K, V>);

impl<K, V> Drop for Sealing<'_, '_, K, V> {
    fn drop(&mut self) {
        self.0.seal();
    }
}

impl<K, V> Core<K, V> {
    /// Are the tables so large that it pays to [ask for](Self::prefetch) what is to be looked at?
    #[inline]
    pub(crate) fn is_far(&self, guard: &MapHeld<'_, K, V>) -> bool {
        self.state(guard).is_far()
    }

    /// Asks the processor for what searches for these hashes will look at first, if the tables are large: their home buckets, all at
    /// once, and then the entries that look like theirs.
    #[inline]
    pub(crate) fn prefetch(&self, guard: &MapHeld<'_, K, V>, hashes: impl Iterator<Item = Hash> + Clone) {
        let state = self.state(guard);
        if !state.is_far() {
            return;
        }
        for hash in hashes.clone() {
            state.tables().for_each(|table| table.prefetch_home(hash));
        }
        for hash in hashes {
            // SAFETY: T1: the guard keeps the tables of the state.
            state.tables().any(|table| unsafe { table.prefetch_entry(hash) });
        }
    }

    /// Inserts or overwrites these, as one call of [`insert`](Self::insert) after the other does. Tells how many keys were new.
    ///
    /// # Panics
    /// As [`insert`](Self::insert). What is not in the map then is dropped.
    pub(crate) fn insert_group(&self, guard: &MapHeld<'_, K, V>, group: &mut Vec<(Hash, K, V)>) -> usize
    where
        K: Eq,
    {
        self.group_by(
            guard,
            group,
            |hash, key, value| self.replace(guard, hash, key, value).map(|_| ()),
            |hash, key, value| self.insert(guard, hash, key, value).is_none(),
        )
    }

    /// Inserts those of these of which the key is absent, as one call of [`try_insert`](Self::try_insert) after the other does, and drops
    /// the others. Tells how many keys were new.
    ///
    /// # Panics
    /// As [`insert_group`](Self::insert_group).
    pub(crate) fn try_insert_group(&self, guard: &MapHeld<'_, K, V>, group: &mut Vec<(Hash, K, V)>) -> usize
    where
        K: Eq,
    {
        self.group_by(
            guard,
            group,
            |hash, key, value| self.find(guard, hash, key).map(|_| ()).ok_or(value),
            |hash, key, value| self.try_insert(guard, hash, key, value).is_ok(),
        )
    }

    /// Takes in a group. `known` does with a key that is there what is to be done, or returns the value; `single` is the whole call for one
    /// key, and says if that was new.
    ///
    /// New keys are linked last, under one hold of the mutex. So that values of one key come in their order, no two
    /// of these have the same hash; a key with the hash of one of them waits until all of them are done.
    fn group_by(
        &self,
        guard: &MapHeld<'_, K, V>,
        group: &mut Vec<(Hash, K, V)>,
        known: impl Fn(Hash, &K, V) -> Result<(), V>,
        single: impl Fn(Hash, K, V) -> bool,
    ) -> usize {
        self.prefetch(guard, group.iter().map(|(hash, ..)| *hash));
        let searched = self.searching_many();
        let (mut built, mut later, mut new) = (Vec::with_capacity(group.len()), Vec::new(), Hashes([0; 64]));
        let sealing = Sealing(guard);
        for (hash, key, value) in group.drain(..) {
            if new.may_have(hash) {
                later.push((hash, key, value));
            } else if let Err(value) = known(hash, &key, value) {
                new.add(hash);
                built.push(Built { hash, entry: Some(Entry::new(key, value)) });
            }
        }
        drop(sealing);
        let linked = if built.is_empty() { 0 } else { self.link_built(guard, searched, &mut built) };
        let again = built.into_iter().filter_map(Built::into_parts).chain(later);
        linked + again.map(|(hash, key, value)| usize::from(single(hash, key, value))).sum::<usize>()
    }

    /// Links what is new, and leaves in `built` what has to be searched for again. Their hashes differ.
    fn link_built(&self, guard: &MapHeld<'_, K, V>, searched: Searched, built: &mut Vec<Built<K, V>>) -> usize {
        let (mut searched, mut linked, mut failed) = (searched, 0, None);
        let entries = built.len();
        // The buckets have been looked at, or asked for; not what else is written.
        let dirty = self.state(guard).young[0];
        built.iter().for_each(|new| dirty.prefetch_hashes(new.hash));
        let mut lock = self.lock();
        // Nothing of the user's is dropped here: what is let go of has no entry any more.
        built.retain_mut(|new| {
            let Some(entry) = new.entry.filter(|_| failed.is_none()) else { return true };
            match self.link_locked(guard, &mut lock, searched, new.hash, entry) {
                Link::Done => {
                    new.entry = None;
                    linked += 1;
                    searched = searched.but_for_ours();
                }
                Link::SearchAgain => {}
                Link::Closed => unreachable!("only inner maps are closed"),
                Link::NoTable(no_table) => failed = Some(no_table),
            }
            new.entry.is_some()
        });
        self.unlock_after(guard, lock, entries);
        guard.seal();
        if let Some(no_table) = failed {
            built.clear();
            NoTable::fail(no_table)
        }
        linked
    }

    /// Removes these keys; tells how many were there. Each is removed when its entry is killed; then all are unlinked, under one hold of
    /// the mutex if that is free.
    pub(crate) fn remove_group<Q>(&self, guard: &MapHeld<'_, K, V>, group: &[(Hash, &Q)]) -> usize
    where
        Q: Equivalent<K> + ?Sized,
    {
        self.prefetch(guard, group.iter().map(|(hash, _)| *hash));
        let mut killed = Killed { core: self, guard, found: Vec::with_capacity(group.len()) };
        for (hash, key) in group {
            while let Some(found) = self.find(guard, *hash, *key) {
                // SAFETY: E2: found under the guard.
                if unsafe { found.entry.kill(found.word) } {
                    killed.found.push(found);
                    break;
                }
            }
        }
        killed.found.len()
    }
}
