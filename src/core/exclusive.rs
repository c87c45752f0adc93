//! What is possible for who has the map to itself: values to be changed in place, and pairs by value that nobody waits for.
//!
//! `&mut` says that no call is running and that no guard is in use, since what a guard gives out borrows from the map (X1). Guards may
//! still count as live, because they were leaked. What they hold back is not linked any more, and stays where it waits.
//!
//! Pairs are unlinked one by one, each before it is moved out: an iterator that is leaked leaves the rest where it was.

use std::marker::PhantomData;

use equivalent::Equivalent;

use super::bulk::Places;
use super::entry::Entry;
use super::garbage::Unlinked;
use super::hash::Hash;
use super::table::Table;
use super::{Core, Found, State, Tables};
use crate::reclaim::Panics;
use crate::sync::Ordering;

impl<K, V> Core<K, V> {
    /// The state, which nobody else replaces or reclaims while it is borrowed.
    fn state_mut(&mut self) -> &State<K> {
        let state = self.state.load(Ordering::Relaxed);
        // SAFETY: S1, X1: the current state is there, and only another call would replace it.
        unsafe { &*state }
    }

    /// All places, which are good until something is linked or a table replaced.
    fn places_mut(&mut self) -> Places<K> {
        // SAFETY: S1, T1, X1: the current state, and its tables, which are freed only when they are replaced, and then this is not
        // used any more.
        unsafe { Places::new(self.state_mut()) }
    }

    fn find_mut<Q>(&mut self, hash: Hash, key: &Q) -> Option<Found<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let state = self.state_mut();
        // SAFETY: T1, E2, X1: current tables, whose entries nobody else unlinks.
        unsafe {
            Tables::<K, V, Unlinked<K, V>>::find_in(state.read, hash, key)
                .or_else(|| Tables::<K, V, Unlinked<K, V>>::find_young(state, hash, key))
        }
    }

    /// The pair of `key`, its value to be changed.
    pub(crate) fn get_mut<Q>(&mut self, hash: Hash, key: &Q) -> Option<(&K, &mut V)>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let found = self.find_mut(hash, key)?;
        // SAFETY: X1: linked, and for as long as `self` is borrowed nobody else reaches it.
        Some(unsafe { found.entry.pair_mut(found.word) })
    }

    /// Removes `key` and returns its pair, whoever has leaked a guard.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn remove_mut<Q>(&mut self, hash: Hash, key: &Q) -> Option<(K, V)>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let Found { entry, table, slot, .. } = self.find_mut(hash, key)?;
        let place = Place { entry, table, slot };
        // SAFETY: X1: found in a current table just now.
        let pair = unsafe { self.take(&place) };
        self.tend_after(1);
        Some(pair)
    }

    /// Unlinks the next entry, and moves its pair out.
    ///
    /// # Safety
    /// The places are those of this map, and none of its tables has been replaced since.
    unsafe fn take_next(&mut self, places: &mut Places<K>) -> Option<(K, V)> {
        let place = places.next_place()?;
        // SAFETY: X1: linked in a current table, by the caller's promise.
        Some(unsafe { self.take(&place) })
    }

    /// Unlinks an entry and moves its pair out.
    ///
    /// # Safety
    /// It is linked there, in a current table.
    unsafe fn take(&mut self, place: &Place<K, V>) -> (K, V) {
        // SAFETY: X1, W1: nobody else reaches the entry, and it is linked nowhere any more, so this is its only end (E5).
        unsafe {
            self.unlink_mut(place);
            place.entry.take()
        }
    }

    /// Unlinks an entry, which is the caller's then.
    ///
    /// # Safety
    /// It is linked there, in a current table.
    unsafe fn unlink_mut(&mut self, place: &Place<K, V>) {
        let Place { entry, table, slot } = *place;
        let young = self.state_mut().young.iter().position(|young| *young == table);
        let shape = self.shape_mut();
        shape.reserved = false;
        let writers = shape.unlinked(young);
        // SAFETY: T1, T2: a current table, and the next one. X1 is as good as the mutex, and says that the entry is there.
        let weight = unsafe {
            if let Some(next) = &mut shape.next {
                next.unlink(table.hash_of(slot), entry.into_raw());
            }
            table.unlink_at(slot, entry.into_raw(), writers);
            entry.weight_now()
        };
        self.writer.census.died_alone();
        self.domain.taken_away(weight);
    }

    /// Does for the tables what those do who remove so many entries.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn tend_after(&self, removed: usize) {
        if removed > 0 && !self.is_vacant() {
            let guard = self.guard();
            self.unlock_after(&guard, self.lock(), removed);
        }
    }

    /// Gives the next read table up, if there is one in the making: who unlinks everything need not look for it there.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn give_up_next(&mut self) {
        if let Some(next) = self.shape_mut().next.take() {
            self.guard().retire(Unlinked::Table(next.into_table()));
        }
    }

    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn into_pairs(mut self) -> IntoIter<K, V> {
        self.give_up_next();
        IntoIter { places: self.places_mut(), core: self }
    }

    pub(crate) fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        IterMut { left: self.len(), places: self.places_mut(), _map: PhantomData }
    }

    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn drain_mut(&mut self) -> Drain<'_, K, V> {
        self.give_up_next();
        Drain { places: self.places_mut(), core: self }
    }

    pub(crate) fn extract(&mut self) -> Extract<'_, K, V> {
        Extract { places: self.places_mut(), core: self, taken: 0 }
    }
}

/// An entry, and where it is linked.
struct Place<K, V> {
    entry: Entry<K, V>,
    table: Table<K>,
    slot: usize,
}

impl<K> Places<K> {
    fn next_place<V>(&mut self) -> Option<Place<K, V>> {
        let (head, table, slot) = self.next()?;
        Some(Place { entry: Entry::from_raw(head.as_ptr()), table, slot })
    }
}

/// All pairs of a map, to be changed.
pub(crate) struct IterMut<'m, K, V> {
    places: Places<K>,
    left: usize,
    _map: PhantomData<&'m mut (K, V)>,
}

// SAFETY: Send: stands for a map that is borrowed exclusively (X1), and for nothing of a thread.
unsafe impl<K: Send, V: Send> Send for IterMut<'_, K, V> {}
// SAFETY: Sync: shared, it only tells how many are left.
unsafe impl<K: Sync, V: Sync> Sync for IterMut<'_, K, V> {}

impl<'m, K, V> Iterator for IterMut<'m, K, V> {
    type Item = (&'m K, &'m mut V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Place { entry, .. } = self.places.next_place()?;
        self.left -= 1;
        // SAFETY: X1: linked, and met once: its pair is borrowed for as long as the map is, and by nobody else.
        unsafe {
            let word = entry.load();
            debug_assert!(!word.is_dead(), "W2");
            Some(entry.pair_mut(word))
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// A map that is taken apart. What is left is dropped by the map's own destructor, which finds it where it was.
pub(crate) struct IntoIter<K, V> {
    places: Places<K>,
    core: Core<K, V>,
}

// SAFETY: Send, as the map that it is made of.
unsafe impl<K: Send, V: Send> Send for IntoIter<K, V> {}
// SAFETY: Sync: shared, it only tells how many are left.
unsafe impl<K: Sync, V: Sync> Sync for IntoIter<K, V> {}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        // SAFETY: T1, X1: the map is ours, and nothing replaces its tables.
        unsafe { self.core.take_next(&mut self.places) }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.core.len(), Some(self.core.len()))
    }
}

/// All pairs of a map, taken out; those that are left, when it is dropped.
pub(crate) struct Drain<'m, K, V> {
    places: Places<K>,
    core: &'m mut Core<K, V>,
}

// SAFETY: Send: as the map that it has to itself.
unsafe impl<K: Send, V: Send> Send for Drain<'_, K, V> {}
// SAFETY: Sync: shared, it only tells how many are left.
unsafe impl<K: Sync, V: Sync> Sync for Drain<'_, K, V> {}

impl<K, V> Iterator for Drain<'_, K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        // SAFETY: T1, X1: nothing replaces the tables before this is dropped.
        unsafe { self.core.take_next(&mut self.places) }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.core.len(), Some(self.core.len()))
    }
}

impl<K, V> Drop for Drain<'_, K, V> {
    fn drop(&mut self) {
        let mut panics = Panics::default();
        while let Some(place) = self.places.next_place() {
            // SAFETY: X1, E5: as in `next` and `take`.
            unsafe {
                self.core.unlink_mut(&place);
                place.entry.reclaim(self.core.domain.context().hook(), &mut panics);
            }
        }
        panics.run(|| self.core.tend_after(1));
        panics.resume();
    }
}

/// All pairs of a map, some of which are taken out.
pub(crate) struct Extract<'m, K, V> {
    places: Places<K>,
    core: &'m mut Core<K, V>,
    taken: usize,
}

// SAFETY: Send: as the map that it has to itself.
unsafe impl<K: Send, V: Send> Send for Extract<'_, K, V> {}
// SAFETY: Sync: shared, it gives nothing out.
unsafe impl<K: Sync, V: Sync> Sync for Extract<'_, K, V> {}

impl<K, V> Extract<'_, K, V> {
    /// The next pair that is `wanted`, taken out.
    pub(crate) fn next_if(&mut self, mut wanted: impl FnMut(&K, &mut V) -> bool) -> Option<(K, V)> {
        loop {
            let place = self.places.next_place()?;
            // SAFETY: X1: linked in a current table, as in `Drain`; what `wanted` borrows is given back before the pair is taken.
            unsafe {
                let (key, value) = place.entry.pair_mut(place.entry.load());
                if wanted(key, value) {
                    self.taken += 1;
                    return Some(self.core.take(&place));
                }
            }
        }
    }

    /// At most so many are left to look at.
    pub(crate) fn most(&self) -> usize {
        self.core.len()
    }
}

impl<K, V> Drop for Extract<'_, K, V> {
    fn drop(&mut self) {
        let mut panics = Panics::default();
        panics.run(|| self.core.tend_after(self.taken));
        panics.resume();
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
