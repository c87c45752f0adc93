//! What concerns all keys, or all of an inner map.

use std::time::Instant;

use super::super::bulk::Iter;
use super::super::entry::Entry;
use super::super::garbage::table_weight;
use super::super::table::Blank;
use super::super::{State, Tables};
use super::{FoundInner, Inner, Nested, NestedHeld, Pair};
use crate::reclaim::{Held, Weight, WouldWait};

impl<K1, K2, V> Nested<K1, K2, V> {
    /// Runs an operation that links nothing on each inner map.
    fn for_each_inner<'g>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        mut operation: impl FnMut(&'g K1, &'g Inner<K1, K2, V>),
    ) {
        for found in self.outer_iter(guard) {
            self.on(guard, found, |inner| operation(found.key, inner));
        }
    }

    /// All inner maps. An outer key that is there throughout comes once; none comes twice with entries.
    pub(crate) fn outer_iter<'g>(&self, guard: &'g NestedHeld<'_, K1, K2, V>) -> OuterIter<'g, K1, K2, V> {
        OuterIter(self.outer.iter(guard))
    }

    pub(crate) fn iter<'g>(&self, guard: &'g NestedHeld<'_, K1, K2, V>) -> NestedIter<'g, K1, K2, V> {
        NestedIter { outer: self.outer.iter(guard), inner: None, guard }
    }

    /// Removes each entry of which `keep` says no.
    pub(crate) fn retain<'g>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        mut keep: impl FnMut(&'g K1, Pair<'g, K2, V>) -> bool,
    ) {
        self.for_each_inner(guard, |key, inner| inner.retain(guard, |pair| keep(key, pair)));
    }

    /// Removes one outer key after the other.
    pub(crate) fn clear(&self, guard: &NestedHeld<'_, K1, K2, V>) {
        self.for_each_inner(guard, |_, inner| {
            inner.clear(guard);
        });
    }

    /// Entries of all inner maps.
    pub(crate) fn len(&self, guard: &NestedHeld<'_, K1, K2, V>) -> usize {
        self.outer.iter(guard).map(|pair| pair.value.len()).sum()
    }

    /// Outer keys.
    pub(crate) fn outer_len(&self) -> usize {
        self.outer.len()
    }

    /// Returns when all that was unlinked before the call has been dropped, or the deadline has passed (then false); or says why it would
    /// wait for its own thread. Waits for all guards that are live, also for those that see nothing of it.
    ///
    /// What was killed while a mutex was taken, and left to its holder, has no stamp before that has let go. So each mutex is taken once. An inner
    /// map that we do not meet has left the outer one; its mutex may be passed on from one call to the next, but only among those who have
    /// found it, and they are all here when we have looked: so we wait for all who are. Then all of them have taken out what they had closed, or left that to whoever
    /// has the outer map's mutex, which comes last.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn reclaim(&self, deadline: Option<Instant>) -> Result<bool, WouldWait> {
        if let Some(would_wait) = self.domain.would_wait() {
            return Err(would_wait);
        }
        let guard = self.guard();
        self.for_each_inner(&guard, |_, inner| inner.unlock(&guard, inner.lock()));
        // Before our guard ends, which may run destructors: a guard that one of them keeps is not waited for here ...
        let stamp = self.domain.stamp();
        drop(guard);
        let passed = self.domain.wait_passed(stamp, deadline);
        let guard = self.guard();
        self.outer.unlock(&guard, self.outer.lock());
        drop(guard);
        // ... and would be below, where what others have unlinked meanwhile counts, too.
        if let Some(would_wait) = self.domain.would_wait() {
            return Err(would_wait);
        }
        Ok(self.domain.reclaim(deadline) && passed)
    }
}

impl<K1, K2, V> Inner<K1, K2, V> {
    /// What it has taken from the allocator: its own place in the outer map, its tables, and its entries. O(capacity).
    ///
    /// Takes the mutex for a moment, so it is for [`on`](Nested::on).
    pub(crate) fn weight(&self, guard: &NestedHeld<'_, K1, K2, V>) -> Weight {
        let own = Entry::<K1, Inner<K1, K2, V>>::weight();
        let entries = self.iter(guard).weights().fold(own, Weight::plus);
        entries.plus(self.tables_weight(guard))
    }
}

impl<K, V, G: super::Host<K, V>> Tables<K, V, G> {
    fn tables_weight(&self, guard: &Held<'_, G>) -> Weight {
        let lock = self.lock();
        let (read, young) = self.tables(guard);
        let making = lock.next.iter().map(|next| next.table()).chain(lock.spare.as_deref().map(Blank::table));
        let tables: usize = [read].into_iter().chain(young).chain(making).map(|table| table.bytes()).sum();
        let state = if self.is_vacant() { 0 } else { size_of::<State<K>>() };
        self.let_go(guard, lock, 0);
        table_weight(tables + state)
    }
}

/// All inner maps.
pub(crate) struct OuterIter<'g, K1, K2, V>(Iter<'g, K1, Inner<K1, K2, V>>);

impl<'g, K1, K2, V> Iterator for OuterIter<'g, K1, K2, V> {
    type Item = FoundInner<'g, K1, K2, V>;

    fn next(&mut self) -> Option<FoundInner<'g, K1, K2, V>> {
        let (hash, Pair { key, value: inner }) = self.0.next_hashed()?;
        Some(FoundInner { hash, key, inner })
    }
}

/// All entries of all inner maps.
pub(crate) struct NestedIter<'g, K1, K2, V> {
    outer: Iter<'g, K1, Inner<K1, K2, V>>,
    inner: Option<(&'g K1, Iter<'g, K2, V>)>,
    guard: &'g NestedHeld<'g, K1, K2, V>,
}

impl<'g, K1, K2, V> Iterator for NestedIter<'g, K1, K2, V> {
    type Item = (&'g K1, Pair<'g, K2, V>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, inner)) = &mut self.inner {
                if let Some(pair) = inner.next() {
                    return Some((*key, pair));
                }
            }
            let Pair { key, value } = self.outer.next()?;
            self.inner = Some((key, value.iter(self.guard)));
        }
    }
}
