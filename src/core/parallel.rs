//! One iteration for several threads, each of which takes a part of it.
//!
//! Within one table an iteration goes from the last slot to the first, so that an entry that is linked behind its back is not met. Parts
//! are visited in any order. So of the dirty table, the only one in which entries are linked, it is noted first which
//! entries are linked there: their pointers, in that order and by one thread, without a look at any of them. The other tables are
//! not noted: none of their keys comes back but as a new entry, which is linked in a dirty table.
//!
//! That is enough for C2. Of two entries with one key the younger was linked when the older was dead. If the older is yielded,
//! alive, the younger is linked after that, and so after the dirty table was noted: it is not there, and in the other tables neither.

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;

use super::bucket::SLOTS;
use super::entry::{Entry, Head};
use super::table::Table;
use super::{Core, MapHeld, Pair, YOUNG};

/// All entries of the state at its beginning that are live when somebody comes to them, in as many parts as are wanted.
pub(crate) struct Parts<'g, K, V> {
    /// What was linked in the dirty table.
    dirty: Vec<NonNull<Head<K>>>,
    /// Those in which nothing is linked any more.
    others: [Table<K>; YOUNG],
    _guard: PhantomData<(&'g K, &'g V)>,
}

// SAFETY: Send: T1, E2, E3: stands for keys and values that are borrowed from the guard's owner, as references to them would.
unsafe impl<K: Sync, V: Sync> Send for Parts<'_, K, V> {}
// SAFETY: Sync: as above. What else is read is atomic.
unsafe impl<K: Sync, V: Sync> Sync for Parts<'_, K, V> {}

impl<K, V> Core<K, V> {
    /// O(what is in the dirty table).
    pub(crate) fn parts<'g>(&self, guard: &'g MapHeld<'_, K, V>) -> Parts<'g, K, V> {
        let (read, mut others) = self.tables(guard);
        let dirty = std::mem::replace(&mut others[0], read);
        // SAFETY: T1: the guard keeps the tables of the state, and this borrows it.
        let dirty = unsafe { dirty.entries_backwards() }.map(|(head, _)| head).collect();
        Parts { dirty, others, _guard: PhantomData }
    }
}

impl<'g, K, V> Parts<'g, K, V> {
    /// How many buckets there are to be shared out, each of which has a few entries.
    pub(crate) fn buckets(&self) -> usize {
        self.dirty.len().div_ceil(SLOTS) + self.others.iter().map(|table| table.buckets()).sum::<usize>()
    }

    /// The pairs of some buckets.
    pub(crate) fn pairs(&self, buckets: Range<usize>) -> impl Iterator<Item = Pair<'g, K, V>> {
        let noted = |bucket: usize| (bucket * SLOTS).min(self.dirty.len());
        let dirty = self.dirty[noted(buckets.start)..noted(buckets.end)].iter().copied();
        let mut first = self.dirty.len().div_ceil(SLOTS);
        let others = self.others.into_iter().flat_map(move |table| {
            let place = |bucket: usize| bucket.saturating_sub(first).min(table.buckets());
            let places = place(buckets.start)..place(buckets.end);
            first += table.buckets();
            // SAFETY: T1: the guard keeps the tables, and the places are below the number of its buckets.
            places.flat_map(move |place| unsafe { table.entries_in(place) })
        });
        // SAFETY: E2: linked in a table of a state that was read under the guard.
        dirty.chain(others).filter_map(|head| unsafe { Entry::from_raw(head.as_ptr()).live_pair() })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::HashSet;

    use super::super::{Core, Hash, Limits};

    fn hash(key: u64) -> Hash {
        // Few homes: most keys stand in each other's way.
        Hash::new((key % 5).wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    fn insert(core: &Core<u64, u64>, key: u64) {
        core.insert(&core.guard(), hash(key), key, key);
    }

    #[test]
    fn parts_are_disjoint_and_all() {
        let core = Core::<u64, u64>::new(Limits::NONE, None);
        for keys in 0..if cfg!(miri) { 12 } else { 300 } {
            let guard = core.guard();
            let parts = core.parts(&guard);
            for step in [1, 2, 7, 1000] {
                let all = (0..parts.buckets()).step_by(step);
                let part = |first: usize| parts.pairs(first..(first + step).min(parts.buckets()));
                let mut found: Vec<u64> = all.flat_map(part).map(|pair| *pair.key).collect();
                found.sort_unstable();
                assert_eq!(found, (0..keys).collect::<Vec<_>>(), "by {step} buckets");
            }
            drop(guard);
            insert(&core, keys);
        }
    }

    /// C2: keys that are removed and inserted again are met once, if at all, though parts are visited in any order.
    #[test]
    fn c2_no_part_has_what_another_has() {
        const KEYS: u64 = if cfg!(miri) { 12 } else { 40 };
        let core = Core::<u64, u64>::new(Limits::NONE, None);
        (0..KEYS).for_each(|key| insert(&core, key));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for _ in 0..if cfg!(miri) { 2 } else { 5000 } {
                    for key in (1..KEYS).step_by(2) {
                        assert!(matches!(core.remove_if(&core.guard(), hash(key), &key, |_| true), Ok(Some(_))));
                        insert(&core, key);
                    }
                }
            });
            while !writer.is_finished() {
                let guard = core.guard();
                let parts = core.parts(&guard);
                let half = parts.buckets() / 2;
                let keys = |from, to| parts.pairs(from..to).map(|pair| *pair.key).collect::<Vec<_>>();
                let (first, second) = std::thread::scope(|scope| {
                    let other = scope.spawn(|| keys(half, parts.buckets()));
                    (keys(0, half), other.join().unwrap())
                });
                let found: HashSet<u64> = first.iter().chain(&second).copied().collect();
                assert_eq!(found.len(), first.len() + second.len(), "a key came twice");
                assert!((0..KEYS).step_by(2).all(|key| found.contains(&key)), "one that stays is missing");
            }
        });
    }

    /// A part that is visited late has nothing that has come since, and what it has is there, though it has been removed.
    #[test]
    fn c2_what_has_come_since_is_in_no_part() {
        for keys in if cfg!(miri) { 14..15 } else { 1..120 } {
            let core = Core::<u64, u64>::new(Limits::NONE, None);
            (0..keys).for_each(|key| insert(&core, key));
            let guard = core.guard();
            let parts = core.parts(&guard);
            let half = parts.buckets() / 2;
            let mut found: Vec<u64> = parts.pairs(0..half).map(|pair| *pair.key).collect();
            for key in 0..keys {
                assert!(matches!(core.remove_if(&core.guard(), hash(key), &key, |_| true), Ok(Some(_))));
                insert(&core, key);
            }
            let late: Vec<_> = parts.pairs(half..parts.buckets()).map(|pair| *pair.key).collect();
            assert_eq!(late, [0; 0], "all of it is dead, and what has come is none of it");
            found.sort_unstable();
            found.dedup();
            assert!(found.len() as u64 <= keys);
        }
    }
}
