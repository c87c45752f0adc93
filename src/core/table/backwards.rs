//! The entries of a table: all of them, the last one first; and those of one bucket.

use std::ptr::NonNull;

use super::Table;
#[cfg(any(all(test, not(loom)), feature = "rayon"))]
use crate::core::bucket::is_linked;
use crate::core::bucket::{Bucket, Linked, SLOTS};
use crate::core::entry::Head;

/// See [`Table::entries_backwards`].
///
/// Some buckets are looked at together, and which of their slots are linked is noted; the pointer of a slot is loaded when the slot's
/// turn comes. What is unlinked in between is met nevertheless, or what has been linked in its slot again. For an iteration that makes
/// no difference:
///
/// - Slots come from the last to the first, each once. If an entry is yielded, alive, a younger one of its key is linked later, and
///   stands further on or in its place: in a slot that does not come any more, whenever that was noted.
/// - If the younger is yielded, the older was dead before, and is seen dead: its word is loaded when it is met, and that is later.
/// - An entry that is linked throughout was linked when its bucket was looked at, and its slot is nobody else's. One that is linked
///   later, in a slot that was not noted, was not there throughout, nor was its key.
/// - One that has been unlinked is not reclaimed, as it was met under a guard (E2).
///
/// Rebuilds have no guard that is as old, and what is unlinked they must not meet (T2): see [`next_of`](Self::next_of).
pub(in crate::core) struct Backwards<K> {
    table: Table<K>,
    /// The first of the buckets that have been looked at.
    first: *mut Bucket<K>,
    /// What comes next, of these buckets.
    linked: Linked,
}

impl<K> Backwards<K> {
    pub(super) fn new(table: Table<K>) -> Backwards<K> {
        Backwards { table, first: table.buckets.wrapping_add(table.buckets()), linked: Linked::NONE }
    }

    pub(in crate::core) fn table(&self) -> Table<K> {
        self.table
    }

    pub(in crate::core) fn is_done(&self) -> bool {
        self.left() == 0 && self.linked.is_none()
    }

    /// How many buckets have not been looked at.
    #[inline(always)]
    pub(in crate::core) fn left(&self) -> usize {
        (self.first.addr() - self.table.buckets.addr()) / size_of::<Bucket<K>>()
    }

    /// Looks at the next buckets, `most` of them at most. Tells how many.
    #[inline(always)]
    fn look(&mut self, most: usize) -> usize {
        let buckets = self.left().min(most).min(Linked::BUCKETS);
        self.first = self.first.wrapping_sub(buckets);
        // SAFETY: T1 by the promise made to `entries_backwards`; so many are left, and so many are there from `first` on.
        self.linked = Linked::of(unsafe { std::slice::from_raw_parts(self.first, buckets) });
        buckets
    }

    /// Passes the next buckets in which nothing is linked: as a look at each of them, and no more.
    #[inline(always)]
    fn pass_none(&mut self) {
        // SAFETY: T1 by the promise made to `entries_backwards`; so many are left, from the first one on.
        let left = unsafe { std::slice::from_raw_parts(self.table.buckets, self.left()) };
        self.first = self.first.wrapping_sub(Linked::none_of(left));
    }

    /// The next one of those that were linked when their buckets were looked at.
    #[inline(always)]
    fn next_noted(&mut self) -> Option<(NonNull<Head<K>>, usize)> {
        let (bucket, slot) = self.linked.next()?;
        // SAFETY: T1 by the promise made to `entries_backwards`; E1: the slot's tag was seen, so an entry is there.
        let entry = unsafe { NonNull::new_unchecked((*self.first.add(bucket)).entry(slot)) };
        Some((entry, (self.left() + bucket) * SLOTS + slot))
    }

    /// The next one, if there is one among the next `slots`, of which those are taken off that were looked at: whole buckets. One in
    /// which nothing is linked is looked at like one slot.
    ///
    /// If there is none, nothing is noted any more. So who asks until there is none, under one hold of the writer mutex, meets what is linked.
    pub(in crate::core) fn next_of(&mut self, slots: &mut usize) -> Option<(NonNull<Head<K>>, usize)> {
        loop {
            if let Some(next) = self.next_noted() {
                return Some(next);
            }
            let looked_at = self.look(*slots / SLOTS);
            if looked_at == 0 {
                return None;
            }
            *slots -= looked_at + self.linked.buckets() * (SLOTS - 1);
        }
    }
}

impl<K> Iterator for Backwards<K> {
    type Item = (NonNull<Head<K>>, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.next_noted() {
                return Some(next);
            }
            if self.look(Linked::BUCKETS) == 0 {
                return None;
            }
            if self.linked.is_none() {
                self.pass_none();
            }
        }
    }
}

#[cfg(any(all(test, not(loom)), feature = "rayon"))]
impl<K> Table<K> {
    /// The linked entries of one bucket.
    ///
    /// # Safety
    /// The table has that bucket, and is not freed before the iterator (T1).
    pub(in crate::core) unsafe fn entries_in<'t>(self, bucket: usize) -> impl Iterator<Item = NonNull<Head<K>>> + 't
    where
        K: 't,
    {
        // SAFETY: by the caller's promise.
        let bucket = unsafe { self.bucket::<'t>(bucket) };
        let meta = bucket.meta();
        let linked = (0..SLOTS).filter(move |slot| is_linked(meta.tag(*slot)));
        linked.filter_map(move |slot| NonNull::new(bucket.entry(slot)))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::ptr::NonNull;

    use super::super::{Blank, Size};
    use super::SLOTS;
    use crate::core::{Hash, bucket::Writers, entry::Head, table::Table};

    const ENTRIES: u64 = 40;

    /// Nobody looks into an entry; some buckets have many.
    fn entry(number: u64) -> (Hash, *mut Head<u64>) {
        let hash = Hash::new((number / 5).wrapping_mul(0x9E37_79B9_7F4A_7C15) + number);
        (hash, std::ptr::without_provenance_mut(number as usize * 8))
    }

    fn filled() -> Table<u64> {
        let table = Blank::<u64>::allocate(Size::for_entries(60)).unwrap().cleared();
        for (hash, entry) in (1..=ENTRIES).map(entry) {
            // SAFETY: T1: the table is our own.
            unsafe { table.link(hash, entry) }.map(drop).unwrap();
        }
        table
    }

    #[test]
    fn parts_look_at_no_more_slots_than_they_may_and_find_what_the_whole_finds() {
        let table = filled();
        // SAFETY: T1: the table is our own.
        unsafe {
            // Some buckets have none, and some have some that have gone.
            (1..=ENTRIES)
                .step_by(3)
                .map(entry)
                .for_each(|(hash, entry)| assert!(table.unlink(hash, entry, Writers::One)));
            let whole: Vec<(NonNull<_>, usize)> = table.entries_backwards().collect();
            assert_eq!(whole.len(), 40 - 14);
            assert!(whole.is_sorted_by(|one, next| one.1 > next.1), "the last slot first");
            for budget in SLOTS..3 * SLOTS {
                let (mut entries, mut found) = (table.entries_backwards(), Vec::new());
                while !entries.is_done() {
                    let (before, mut left, mut empty) = (entries.left(), budget, 0);
                    while let Some(entry) = entries.next_of(&mut left) {
                        found.push(entry);
                    }
                    let passed = entries.left()..before;
                    for bucket in passed.clone() {
                        empty += usize::from(table.entries_in(bucket).next().is_none());
                    }
                    assert_eq!(SLOTS * passed.len() - (SLOTS - 1) * empty + left, budget, "{passed:?}");
                    assert!(!passed.is_empty(), "{budget}: it goes on");
                }
                assert_eq!(found, whole, "{budget}");
            }
            table.free();
        }
    }

    #[test]
    fn buckets_without_entries_are_passed_wherever_the_others_are() {
        const BUCKETS: usize = if cfg!(miri) { 20 } else { 40 };
        for distance in 1..BUCKETS {
            let table = Blank::<u64>::allocate(Size::for_entries(BUCKETS * SLOTS / 2)).unwrap().cleared();
            let homes = table.size().homes as u64;
            let hash = |bucket: u64| Hash::from_parts(((bucket << 32).div_ceil(homes)) as u32, 0x80);
            let entry = |bucket: u64| std::ptr::without_provenance_mut(8 * (bucket as usize + 1));
            let used: Vec<u64> = (0..homes).step_by(distance).collect();
            for &bucket in &used {
                // SAFETY: T1: the table is our own.
                unsafe { table.link(hash(bucket), entry(bucket)) }.map(drop).unwrap();
            }
            // SAFETY: as above.
            let found: Vec<_> =
                unsafe { table.entries_backwards() }.map(|(entry, slot)| (entry.as_ptr(), slot)).collect();
            let expected: Vec<_> = used.iter().rev().map(|&at| (entry(at), at as usize * SLOTS)).collect();
            assert_eq!(found, expected, "each {distance}th bucket");
            // SAFETY: as above.
            unsafe { table.free() };
        }
    }

    #[test]
    fn a_part_does_not_find_what_was_unlinked_before_it() {
        let table = filled();
        // SAFETY: T1: the table is our own.
        unsafe {
            let (mut entries, mut found, mut gone) = (table.entries_backwards(), Vec::new(), Vec::new());
            while !entries.is_done() {
                let mut left = SLOTS;
                while let Some((entry, _)) = entries.next_of(&mut left) {
                    found.push(entry);
                }
                // What would come next.
                if let Some((entry, slot)) = table.entries_backwards().find(|(entry, _)| !found.contains(entry)) {
                    assert!(table.unlink(table.hash_of(slot), entry.as_ptr(), Writers::One));
                    gone.push(entry);
                }
            }
            assert!(found.iter().all(|entry| !gone.contains(entry)));
            assert_eq!(found.len() + gone.len(), ENTRIES as usize);
            table.free();
        }
    }
}
