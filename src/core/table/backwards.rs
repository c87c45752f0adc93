//! The entries of a table: all of them, the last one first; and those of one bucket.

use std::ptr::NonNull;

use super::Table;
use crate::core::bucket::SLOTS;
#[cfg(any(all(test, not(loom)), feature = "rayon"))]
use crate::core::bucket::is_linked;
use crate::core::entry::Head;

/// See [`Table::entries_backwards`].
pub(in crate::core) struct Backwards<K> {
    pub(super) table: Table<K>,
    /// One behind the slot that comes next.
    pub(super) next: usize,
}

impl<K> Backwards<K> {
    pub(in crate::core) fn table(&self) -> Table<K> {
        self.table
    }

    pub(in crate::core) fn is_done(&self) -> bool {
        self.next == 0
    }

    /// The next one, if there is one among the next `slots`, of which those are taken off that were looked at. A bucket in
    /// which nothing is linked is looked at like one slot.
    pub(in crate::core) fn next_of(&mut self, slots: &mut usize) -> Option<(NonNull<Head<K>>, usize)> {
        while self.next > 0 && *slots > 0 {
            let (index, slot) = ((self.next - 1) / SLOTS, (self.next - 1) % SLOTS);
            // SAFETY: T1 by the promise made to `entries_backwards`.
            let bucket = unsafe { self.table.bucket(index) };
            let linked = bucket.meta().last_linked(slot);
            let (next, looked_at) = match linked {
                Some(linked) => (linked, slot + 1 - linked),
                None => (0, if slot == SLOTS - 1 { 1 } else { slot + 1 }),
            };
            if looked_at > *slots {
                self.next -= std::mem::take(slots);
                return None;
            }
            *slots -= looked_at;
            self.next = index * SLOTS + next;
            if linked.is_some() {
                return NonNull::new(bucket.entry(next)).map(|entry| (entry, self.next));
            }
        }
        None
    }
}

impl<K> Iterator for Backwards<K> {
    type Item = (NonNull<Head<K>>, usize);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_of(&mut { usize::MAX })
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
    use crate::core::Hash;
    use crate::core::bucket::Writers;

    #[test]
    fn parts_look_at_no_more_slots_than_they_may_and_find_what_the_whole_finds() {
        let table = Blank::<u64>::allocate(Size::for_entries(60)).unwrap().cleared();
        // Nobody looks into an entry; some buckets have many, some none, and some that have gone.
        let mut entries =
            (1..=40_u64).map(|n| (Hash::new((n / 5).wrapping_mul(0x9E37_79B9_7F4A_7C15) + n), n as usize * 8));
        // SAFETY: T1: the table is our own.
        unsafe {
            entries
                .by_ref()
                .for_each(|(hash, at)| table.link(hash, std::ptr::without_provenance_mut(at)).map(drop).unwrap());
            (1..=40_u64).step_by(3).for_each(|n| {
                let hash = Hash::new((n / 5).wrapping_mul(0x9E37_79B9_7F4A_7C15) + n);
                assert!(table.unlink(hash, std::ptr::without_provenance_mut(n as usize * 8), Writers::One));
            });
            let whole: Vec<(NonNull<_>, usize)> = table.entries_backwards().collect();
            assert_eq!(whole.len(), 40 - 14);
            for budget in 1..3 * SLOTS {
                let (mut entries, mut found) = (table.entries_backwards(), Vec::new());
                while !entries.is_done() {
                    let (before, mut left, mut empty) = (entries.next, budget, 0);
                    while let Some(entry) = entries.next_of(&mut left) {
                        found.push(entry);
                    }
                    let passed = entries.next..before;
                    for bucket in (passed.start.div_ceil(SLOTS))..passed.end / SLOTS {
                        empty += usize::from(table.entries_in(bucket).next().is_none());
                    }
                    assert!(passed.len() - (SLOTS - 1) * empty <= budget, "{budget}: {passed:?}");
                    assert!(!passed.is_empty(), "{budget}: it goes on");
                }
                assert_eq!(found, whole, "{budget}");
            }
            table.free();
        }
    }
}
