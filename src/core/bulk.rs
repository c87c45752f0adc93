//! The operations on all entries.

use std::ptr::NonNull;

use super::entry::{Entry, Head};
use super::garbage::{Host, Unlinked};
use super::hash::Hash;
use super::table::{Backwards, Table};
use super::{Found, Pair, State, Tables};
use crate::reclaim::{Held, Weight};

/// All entries of the state at its beginning that are live when it comes to them.
///
/// The youngest table first, from its end, the read table last. So a key is never yielded twice: a second entry of a key is
/// linked only when the first one is dead, and always in a place that the iterator has passed or does not visit.
pub(crate) struct Iter<'g, K, V> {
    places: Places<K>,
    _guard: std::marker::PhantomData<(&'g K, &'g V)>,
}

/// Where entries are linked, in the order that [`Iter`] visits them in.
pub(super) struct Places<K> {
    entries: Backwards<K>,
    state: NonNull<State<K>>,
    /// How many tables have been visited, or are being.
    tables: usize,
}

impl<K> Places<K> {
    /// # Safety
    /// The state and its tables are not freed before this (S1, T1).
    pub(super) unsafe fn new(state: &State<K>) -> Places<K> {
        // SAFETY: T1: it has no buckets.
        Places { entries: unsafe { Table::EMPTY.entries_backwards() }, state: state.into(), tables: 0 }
    }

    /// The next entry, with its table and slot.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(NonNull<Head<K>>, Table<K>, usize)> {
        loop {
            if let Some((head, slot)) = self.entries.next() {
                return Some((head, self.entries.table(), slot));
            }
            // SAFETY: S1, T1 by the promise made to `new`.
            self.entries = unsafe { self.state.as_ref().youngest_first(self.tables)?.entries_backwards() };
            self.tables += 1;
        }
    }
}

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    pub(crate) fn iter<'g>(&self, guard: &'g Held<'_, G>) -> Iter<'g, K, V> {
        // SAFETY: S1, T1: the guard keeps the state and its tables, and the iterator borrows it.
        Iter { places: unsafe { Places::new(self.state(guard)) }, _guard: std::marker::PhantomData }
    }

    /// Removes each entry of which `keep` says no. Others may be inserted and removed meanwhile.
    pub(crate) fn retain<'g>(&self, guard: &'g Held<'_, G>, mut keep: impl FnMut(Pair<'g, K, V>) -> bool)
    where
        K: 'g,
        V: 'g,
    {
        let mut entries = self.iter(guard);
        while let Some(mut found) = entries.next_found() {
            // SAFETY: E2, E3: found in the tables of a state that was read under the guard.
            unsafe {
                while !found.word.is_dead() && !keep(found.pair()) && !self.kill(guard, &found) {
                    found.word = found.entry.load();
                }
            }
        }
    }

    /// Removes everything. Linearizes at the exchange of the state: what others do afterwards to an entry of the old
    /// tables, before it is killed below, they began before, so it counts as done before.
    ///
    /// Tells how many entries it has killed.
    pub(crate) fn clear(&self, guard: &Held<'_, G>) -> usize {
        let mut lock = self.lock();
        let entries = self.iter(guard);
        self.forget_tables(guard, &mut lock);
        self.unlock(guard, lock);
        let killed = self.kill_all(guard, entries);
        guard.seal();
        killed
    }

    /// Kills the entries of tables that are not the map's any more.
    fn kill_all(&self, guard: &Held<'_, G>, mut entries: Iter<'_, K, V>) -> usize {
        let mut killed = 0;
        while let Some(mut found) = entries.next_found() {
            // SAFETY: E2: as in `retain`.
            unsafe {
                while !found.word.is_dead() {
                    if found.entry.kill(found.word) {
                        self.writer.census.died(1);
                        // W1: we killed it, and it is linked nowhere that a new reader looks.
                        guard.retire(Unlinked::Entry(found.entry));
                        killed += 1;
                        break;
                    }
                    found.word = found.entry.load();
                }
            }
        }
        killed
    }
}

impl<'g, K, V> Iter<'g, K, V> {
    /// The next entry, live or dead.
    #[inline(always)]
    fn next_found(&mut self) -> Option<Found<K, V>> {
        let (head, table, slot) = self.places.next()?;
        let entry = Entry::from_raw(head.as_ptr());
        // SAFETY: E2: linked in a table of a state that was read under the guard.
        let word = unsafe { entry.load() };
        Some(Found { entry, word, table, slot })
    }

    /// The next live entry.
    #[inline(always)]
    fn next_live(&mut self) -> Option<Found<K, V>> {
        loop {
            let found = self.next_found()?;
            if !found.word.is_dead() {
                return Some(found);
            }
        }
    }

    /// The next pair, with the hash under which it is linked.
    pub(super) fn next_hashed(&mut self) -> Option<(Hash, Pair<'g, K, V>)> {
        let found = self.next_live()?;
        // SAFETY: T1, E1, E2, E3: found under the guard `'g`.
        Some(unsafe { (found.hash(), found.pair()) })
    }

    /// What the entries weigh that come.
    pub(super) fn weights(mut self) -> impl Iterator<Item = Weight> {
        // SAFETY: E2: found under the guard `'g`.
        std::iter::from_fn(move || self.next_live().map(|found| unsafe { found.entry.weight_now() }))
    }
}

impl<'g, K, V> Iterator for Iter<'g, K, V> {
    type Item = Pair<'g, K, V>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'g, K, V>> {
        // SAFETY: E2, E3: found under the guard `'g`.
        self.next_live().map(|found| unsafe { found.pair() })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Core, Hash, Limits};

    /// Few homes, and some keys of the very same hash: they follow each other in the slots.
    fn hash(key: u64) -> Hash {
        Hash::new((key % 7).wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    /// C2: whatever is removed and inserted again while the iteration stands somewhere, also in slots that it has noted already. In
    /// all of the places where it can stand, with the keys in the tables of a map that grows, in the read table, or in the dirty one,
    /// where those that come again find room, too.
    #[test]
    fn c2_no_key_comes_twice_and_what_stays_comes_though_slots_are_used_again() {
        const KEYS: u64 = if cfg!(miri) { 12 } else { 100 };
        let places = (0..=KEYS as usize).step_by(if cfg!(miri) { 5 } else { 1 });
        for (stands_at, kind) in places.flat_map(|place| (0..3).map(move |kind| (place, kind))) {
            let core = Core::<u64, u64>::new(Limits::NONE, None);
            if kind == 1 {
                core.reserve(&core.guard(), 20 * KEYS as usize).unwrap();
            }
            (0..KEYS).for_each(|key| assert!(core.insert(&core.guard(), hash(key), key, 0).is_none()));
            if kind == 2 {
                core.shrink_to_fit(&core.guard()).unwrap();
            }
            let guard = core.guard();
            let mut entries = core.iter(&guard);
            let mut found: Vec<_> = entries.by_ref().take(stands_at).map(|pair| *pair.key).collect();
            for key in (0..KEYS).filter(|key| key % 3 != 0) {
                assert!(matches!(core.remove_if(&core.guard(), hash(key), &key, |_| true), Ok(Some(_))));
            }
            // The first of a hash that comes again gets the slot of the last one, further on than its own was.
            for key in (0..KEYS).filter(|key| key % 3 != 0) {
                assert!(core.insert(&core.guard(), hash(key), key, 1).is_none());
            }
            found.extend(entries.map(|pair| *pair.key));
            let mut times = BTreeMap::<u64, usize>::new();
            found.iter().for_each(|key| *times.entry(*key).or_default() += 1);
            assert!(times.values().all(|times| *times == 1), "{stands_at}, {kind}: {found:?}");
            assert!((0..KEYS).step_by(3).all(|key| times.contains_key(&key)), "{stands_at}, {kind}: {found:?}");
        }
    }
}
