//! A table: buckets in a row, and beside them the hashes, which only rebuilds read.
//!
//! An entry's place is its first choice (*home*) or, if that bucket is full, the next one that is not; each full bucket
//! passed is marked as overflowing. Places do not wrap around: behind the homes stand some spare buckets, and a table
//! whose spare buckets run out is rebuilt with more of them.
//!
//! A slot is used once, or again by entries of the very same hash if none of these stands further on. So of two entries with
//! the same key the younger stands further on, or in the older one's place, and an iteration from the back
//! ([`Table::entries_backwards`]) cannot meet a key twice: if it has yielded the older one, alive, the younger one was
//! linked behind its back.

mod backwards;
mod blank;
mod give_back;
mod link;
mod part;
mod prefetch;
mod size;

use std::alloc::{Layout, LayoutError};

#[cfg(not(loom))]
use super::bucket::nothing;
use super::bucket::{Bucket, SLOTS, Writers, is_linked};
use super::entry::Head;
use super::hash::Hash;
use crate::sync::{AtomicU32, Ordering, dealloc};

pub(in crate::core) use backwards::Backwards;
pub(in crate::core) use blank::Blank;
pub(crate) use give_back::GivingBack;
pub(in crate::core) use link::Used;
pub(in crate::core) use prefetch::FAR;
pub(crate) use prefetch::FETCHED;
pub(crate) use size::NoTable;
pub(in crate::core) use size::Size;

/// A handle to a table; copied freely. May stand for no table at all. What keeps the memory valid is said where it is used.
#[repr(C)]
pub(crate) struct Table<K> {
    buckets: *mut Bucket<K>,
    homes: u64,
    total: u32,
    /// See [`Size::scatter`].
    scatter: u32,
}

impl<K> Clone for Table<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Table<K> {}

impl<K> PartialEq for Table<K> {
    fn eq(&self, other: &Self) -> bool {
        self.buckets == other.buckets
    }
}

/// There is no place for an entry with this hash before the end that was named; of the whole table: it needs more spare buckets.
#[derive(Debug)]
pub(in crate::core) struct Full;

impl<K> Table<K> {
    /// The table without buckets.
    pub(in crate::core) const EMPTY: Table<K> = Table {
        #[cfg(not(loom))]
        buckets: nothing(),
        #[cfg(loom)]
        buckets: std::ptr::dangling_mut(),
        homes: 0,
        total: 0,
        scatter: 1,
    };

    /// Gives the memory back.
    ///
    /// # Safety
    /// The table came from a [`Blank`], and nobody uses it any more.
    pub(in crate::core) unsafe fn free(self) {
        let layout = Self::layout(self.total).expect("it was allocated with this layout");
        // SAFETY: by the caller's promise; buckets and hashes have no destructors, but for loom's.
        unsafe {
            #[cfg(loom)]
            for index in 0..self.total as usize {
                (0..SLOTS).for_each(|slot| self.hash_at(index, slot).drop_in_place());
                self.buckets.add(index).drop_in_place();
            }
            dealloc(self.buckets.cast(), layout);
        }
    }

    /// The buckets, then the hashes.
    fn layout(total: u32) -> Result<Layout, LayoutError> {
        let hashes = Layout::array::<[AtomicU32; SLOTS]>(total as usize)?;
        Ok(Layout::array::<Bucket<K>>(total as usize)?.extend(hashes)?.0)
    }

    /// What tells it from all others, as long as it is there.
    pub(in crate::core) fn address(self) -> *const () {
        self.buckets.cast_const().cast()
    }

    pub(in crate::core) fn is_empty(self) -> bool {
        self.total == 0
    }

    pub(in crate::core) fn bytes(self) -> usize {
        Self::layout(self.total).map_or(0, |layout| layout.size())
    }

    pub(in crate::core) fn buckets(self) -> usize {
        self.total as usize
    }

    /// How many entries it has place for.
    pub(in crate::core) fn slots(self) -> usize {
        self.homes as usize * SLOTS
    }

    pub(in crate::core) fn size(self) -> Size {
        Size { homes: self.homes as usize, spare: self.total as usize - self.homes as usize, scatter: self.scatter }
    }

    pub(in crate::core) fn home(self, hash: Hash) -> usize {
        // Range reduction by multiplication (Lemire 2018): any number of homes will do.
        ((u64::from(hash.place.wrapping_mul(self.scatter)) * self.homes) >> 32) as usize
    }

    #[inline]
    unsafe fn bucket<'t>(self, index: usize) -> &'t Bucket<K> {
        debug_assert!(index < self.total as usize);
        // SAFETY: T1: the table is not freed by the caller's promise, and has `total` buckets.
        unsafe { &*self.buckets.add(index) }
    }

    /// The hash under which the entry of a slot was linked.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1), and an entry was met in the slot.
    pub(in crate::core) unsafe fn hash_of(self, slot: usize) -> Hash {
        let (index, slot) = (slot / SLOTS, slot % SLOTS);
        // SAFETY: T1 by the caller's promise; E1: the hash of a slot is written before its entry, and does not change.
        unsafe {
            let tag = self.bucket(index).meta().tag(slot);
            Hash::from_parts((*self.hash_at(index, slot)).load(Ordering::Relaxed), tag)
        }
    }

    fn hash_at(self, index: usize, slot: usize) -> *mut AtomicU32 {
        // The hashes begin where the buckets end: a bucket is aligned more strictly than a hash.
        self.buckets.wrapping_add(self.total as usize).cast::<AtomicU32>().wrapping_add(index * SLOTS + slot)
    }

    /// The bucket in which an entry with this hash stands, if not further on. Under loom none, if there are no buckets: there
    /// is no static one.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1).
    #[inline(always)]
    pub(in crate::core) unsafe fn home_bucket<'t>(self, hash: Hash) -> Option<&'t Bucket<K>> {
        if cfg!(loom) && self.is_empty() {
            return None;
        }
        // SAFETY: T1 by the caller's promise. Without buckets the home is 0, which stands for `nothing`.
        Some(unsafe { &*self.buckets.add(self.home(hash)) })
    }

    /// The first entry with this hash for which `found` gives something. `found` also sees entries of other hashes, and is
    /// told the slot.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1).
    #[inline(always)]
    pub(in crate::core) unsafe fn find<R>(
        self,
        hash: Hash,
        mut found: impl FnMut(*mut Head<K>, usize) -> Option<R>,
    ) -> Option<R> {
        if cfg!(loom) && self.is_empty() {
            return None;
        }
        let mut index = self.home(hash);
        loop {
            // SAFETY: T1 by the caller's promise. `index` stays in bounds: the last bucket never overflows, and without
            // buckets it is 0, which stands for `nothing`.
            let bucket = unsafe { &*self.buckets.add(index) };
            let meta = bucket.meta();
            for slot in meta.matching(hash.tag()) {
                if let Some(result) = found(bucket.entry(slot), index * SLOTS + slot) {
                    return Some(result);
                }
            }
            if !meta.overflows() {
                return None;
            }
            index += 1;
        }
    }

    /// Calls `seen` for each linked entry whose 39 bits of hash are `hash`, until it returns true. Never calls user code.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1).
    pub(in crate::core) unsafe fn any_with_hash(self, hash: Hash, mut seen: impl FnMut(*mut Head<K>) -> bool) -> bool {
        // SAFETY: by the caller's promise.
        unsafe { self.locate(hash, &mut seen) }.is_some()
    }

    /// Unlinks an entry; false if it is not here.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1), and the caller holds the writer mutex; those are the writers (L1).
    pub(in crate::core) unsafe fn unlink(self, hash: Hash, entry: *mut Head<K>, writers: Writers) -> bool {
        // SAFETY: by the caller's promise.
        unsafe {
            match self.locate(hash, |other| other == entry) {
                Some((index, slot)) => {
                    self.bucket(index).unlink(slot, writers);
                    true
                }
                None => false,
            }
        }
    }

    /// Unlinks the entry of a slot.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1), the caller holds the writer mutex, `entry` is linked in the slot, and those are the writers (L1).
    pub(in crate::core) unsafe fn unlink_at(self, slot: usize, entry: *mut Head<K>, writers: Writers) {
        let (index, slot) = (slot / SLOTS, slot % SLOTS);
        // SAFETY: by the caller's promise.
        let bucket = unsafe { self.bucket(index) };
        debug_assert!(is_linked(bucket.meta().tag(slot)) && bucket.entry(slot) == entry);
        bucket.unlink(slot, writers);
    }

    /// Where the first entry stands that has these 39 bits of hash and for which `wanted` holds.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1).
    unsafe fn locate(self, hash: Hash, mut wanted: impl FnMut(*mut Head<K>) -> bool) -> Option<(usize, usize)> {
        if self.is_empty() {
            return None;
        }
        for index in self.home(hash)..self.total as usize {
            // SAFETY: T1 by the caller's promise.
            let bucket = unsafe { self.bucket(index) };
            let meta = bucket.meta();
            for slot in meta.matching(hash.tag()).filter(|slot| meta.tag(*slot) == hash.tag()) {
                // SAFETY: as above; the hash of a linked slot was written before its tag.
                let place = unsafe { (*self.hash_at(index, slot)).load(Ordering::Relaxed) };
                if place == hash.place && wanted(bucket.entry(slot)) {
                    return Some((index, slot));
                }
            }
            if !meta.overflows() {
                return None;
            }
        }
        None
    }

    /// All linked entries with their slots, the last first. See [`Backwards`] for the moment at which an entry is met.
    ///
    /// # Safety
    /// The table is not freed before the iterator (T1).
    pub(in crate::core) unsafe fn entries_backwards(self) -> Backwards<K> {
        Backwards::new(self)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn empty(size: Size) -> Result<Table<u64>, NoTable> {
        Ok(Blank::allocate(size)?.cleared())
    }

    /// Something to point to; never looked at.
    fn entry(number: usize) -> *mut Head<u64> {
        std::ptr::without_provenance_mut(64 * (number + 1))
    }

    #[test]
    fn a_slot_is_used_again_by_its_own_hash_only_and_only_if_it_is_the_furthest() {
        let table = empty(Size::for_entries(100)).expect("there is memory");
        let (hash, other) = (Hash::new(1), Hash::from_parts(Hash::new(1).place ^ 1, Hash::new(1).tag()));
        // SAFETY: the table is ours.
        unsafe {
            assert_eq!(table.link(hash, entry(1)).unwrap(), Used::First);
            assert!(table.unlink(hash, entry(1), Writers::One));
            assert!(!table.unlink(hash, entry(1), Writers::One));
            for round in 0..10_000 {
                assert_eq!(table.link(hash, entry(round)).unwrap(), Used::Again, "churn of one key takes one slot");
                assert!(table.unlink(hash, entry(round), Writers::One));
            }
            assert_eq!(table.link(other, entry(2)).unwrap(), Used::First);
            assert_eq!(table.link(hash, entry(3)).unwrap(), Used::Again);
            assert_eq!(table.link(hash, entry(4)).unwrap(), Used::First);
            assert!(table.unlink(hash, entry(3), Writers::One));
            assert_eq!(table.link(hash, entry(5)).unwrap(), Used::First, "entry 4 stands further on");
            let order: Vec<_> = table.entries_backwards().map(|(head, _)| head.as_ptr()).collect();
            assert_eq!(order, [entry(5), entry(4), entry(2)]);
            table.free();
        }
    }

    #[test]
    fn entries_that_are_left_after_removal_in_order_do_not_crowd_in_a_smaller_table() {
        let large = empty(Size::for_entries(10_000)).expect("there is memory");
        // SAFETY: the tables are ours.
        unsafe {
            for number in 0..10_000 {
                large.link(Hash::new(number as u64), entry(number)).unwrap();
            }
            let all: Vec<_> = large.entries_backwards().collect();
            for (head, slot) in &all[..9000] {
                assert!(large.unlink(large.hash_of(*slot), head.as_ptr(), Writers::One));
            }
            let small = empty(Size::for_entries(1000).after(large.size())).expect("there is memory");
            for (head, slot) in large.entries_backwards() {
                small.link_first(large.hash_of(slot), head.as_ptr()).expect("they spread");
            }
            let furthest = |table: Table<u64>| {
                let far = |(_, slot): (_, usize)| slot / SLOTS - table.home(table.hash_of(slot));
                table.entries_backwards().map(far).max()
            };
            assert!(furthest(small) <= Some(4), "{:?} buckets from home", furthest(small));
            small.free();
            large.free();
        }
    }
}
