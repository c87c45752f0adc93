//! The operations on all entries.

use std::ptr::NonNull;

use super::entry::{Entry, Head};
use super::garbage::{Host, Unlinked};
use super::hash::Hash;
use super::table::{Backwards, Table};
use super::{Found, Pair, Tables, YOUNG};
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
    then: std::array::IntoIter<Table<K>, YOUNG>,
}

impl<K> Places<K> {
    /// # Safety
    /// The tables are not freed before this (T1).
    pub(super) unsafe fn new(read: Table<K>, young: [Table<K>; YOUNG]) -> Places<K> {
        let mut then = young;
        then[0] = read;
        then.rotate_left(1);
        // SAFETY: T1 by the caller's promise.
        Places { entries: unsafe { young[0].entries_backwards() }, then: then.into_iter() }
    }

    /// The next entry, with its table and slot.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(NonNull<Head<K>>, Table<K>, usize)> {
        loop {
            if let Some((head, slot)) = self.entries.next() {
                return Some((head, self.entries.table(), slot));
            }
            // SAFETY: T1 by the promise made to `new`.
            self.entries = unsafe { self.then.next()?.entries_backwards() };
        }
    }
}

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    pub(crate) fn iter<'g>(&self, guard: &'g Held<'_, G>) -> Iter<'g, K, V> {
        let (read, young) = self.tables(guard);
        // SAFETY: T1: the guard keeps the tables of the state, and the iterator borrows it.
        Iter { places: unsafe { Places::new(read, young) }, _guard: std::marker::PhantomData }
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
                        self.writer.died(1);
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
    fn next_found(&mut self) -> Option<Found<K, V>> {
        let (head, table, slot) = self.places.next()?;
        let entry = Entry::from_raw(head.as_ptr());
        // SAFETY: E2: linked in a table of a state that was read under the guard.
        let word = unsafe { entry.load() };
        Some(Found { entry, word, table, slot })
    }

    /// The next live entry.
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

    fn next(&mut self) -> Option<Pair<'g, K, V>> {
        // SAFETY: E2, E3: found under the guard `'g`.
        self.next_live().map(|found| unsafe { found.pair() })
    }
}
