//! Linking entries: one in a table that readers see, many in one that nobody sees yet.

use std::ptr::NonNull;

use super::{FETCHED, Full, Table};
use crate::core::bucket::{Writers, is_linked};
use crate::core::entry::Head;
use crate::core::hash::Hash;
use crate::sync::Ordering;

/// Which slot an entry was linked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Used {
    /// One that had never been used.
    First,
    /// One from which an entry of the same hash had been unlinked.
    Again,
}

impl<K> Table<K> {
    /// Links an entry.
    ///
    /// # Safety
    /// The table has buckets, and is not freed meanwhile (T1), and the caller alone may write to it (L1).
    pub(in crate::core) unsafe fn link(self, hash: Hash, entry: *mut Head<K>) -> Result<Used, Full> {
        // SAFETY: by the caller's promise.
        unsafe { self.link_before(self.total as usize, hash, entry, Writers::One) }
    }

    /// Links an entry, in a bucket before `end`. `Full`: there is no place, or one of its key might stand further on.
    ///
    /// # Safety
    /// The table has buckets, and is not freed meanwhile (T1), and the caller may link in those from the hash's home to `end` (L1), beside those writers.
    #[inline(always)]
    pub(in crate::core) unsafe fn link_before(
        self,
        end: usize,
        hash: Hash,
        entry: *mut Head<K>,
        writers: Writers,
    ) -> Result<Used, Full> {
        let home = self.home(hash);
        debug_assert!(home < end && end <= self.total as usize, "it has buckets");
        // SAFETY: by the caller's promise; a home is below `total`, where there is one.
        let meta = unsafe { self.bucket(home).meta() };
        // Mostly there is a place at home, and none for this hash.
        match meta.first_unused() {
            Some(slot) if !meta.overflows() && meta.for_hashes_of(hash.tag()).next().is_none() => {
                // SAFETY: by the caller's promise; the slot is the first of the home bucket that has not been used.
                unsafe { self.put(home, slot, hash, entry, writers) };
                Ok(Used::First)
            }
            // SAFETY: by the caller's promise.
            _ => unsafe { self.link_further(end, hash, entry, writers) },
        }
    }

    /// [`link_before`](Self::link_before) where it takes a search.
    ///
    /// # Safety
    /// The same.
    #[inline(never)]
    unsafe fn link_further(self, end: usize, hash: Hash, entry: *mut Head<K>, writers: Writers) -> Result<Used, Full> {
        // SAFETY: by the caller's promise; all indices are below `end`.
        unsafe {
            if let Some((index, slot)) = self.vacated(end, hash)? {
                self.bucket(index).link_again(slot, hash.tag(), entry, writers);
                return Ok(Used::Again);
            }
            self.link_first_before(end, hash, entry, writers)?;
        }
        Ok(Used::First)
    }

    /// Links an entry in a slot that has never been used.
    ///
    /// # Safety
    /// It is the first such one of a bucket that the caller may link in (L1), beside those writers, and all buckets from the hash's home to that one overflow. The
    /// table is not freed meanwhile (T1).
    #[inline(always)]
    unsafe fn put(self, index: usize, slot: usize, hash: Hash, entry: *mut Head<K>, writers: Writers) {
        // SAFETY: T1 and L1 by the caller's promise; E1: the hash before the tag.
        unsafe {
            (*self.hash_at(index, slot)).store(hash.place, Ordering::Relaxed);
            self.bucket(index).link(slot, hash.tag(), entry, writers);
        }
    }

    /// Links an entry in the first slot that has never been used.
    ///
    /// # Safety
    /// As for [`link`](Self::link).
    pub(in crate::core) unsafe fn link_first(self, hash: Hash, entry: *mut Head<K>) -> Result<(), Full> {
        // SAFETY: by the caller's promise.
        unsafe { self.link_first_before(self.total as usize, hash, entry, Writers::One) }
    }

    /// # Safety
    /// As for [`link_before`](Self::link_before).
    #[inline(always)]
    unsafe fn link_first_before(
        self,
        end: usize,
        hash: Hash,
        entry: *mut Head<K>,
        writers: Writers,
    ) -> Result<(), Full> {
        let home = self.home(hash);
        debug_assert!(home < end && end <= self.total as usize, "it has buckets");
        // SAFETY: T1 by the caller's promise; all indices are below `total`: a home is, where there is one.
        unsafe {
            let mut index = home;
            let slot = loop {
                if let Some(slot) = self.bucket(index).meta().first_unused() {
                    break slot;
                }
                index += 1;
                if index == end {
                    return Err(Full);
                }
            };
            for passed in home..index {
                if !self.bucket(passed).meta().overflows() {
                    self.bucket(passed).set_overflow(writers);
                }
            }
            self.put(index, slot, hash, entry, writers);
        }
        Ok(())
    }

    /// [`link_first`](Self::link_first) for many, whose memory is asked for ahead: for a table that is [far](Table::is_far). Tells how
    /// many.
    ///
    /// The homes of entries that come in the order of another table lie in a row, but as many buckets apart as this table is larger
    /// than that one: too far for the processor to see, and each would be waited for.
    ///
    /// # Safety
    /// As for [`link_first`](Self::link_first).
    #[inline(never)]
    pub(in crate::core) unsafe fn link_all_first(
        self,
        mut entries: impl Iterator<Item = (NonNull<Head<K>>, Hash)>,
    ) -> Result<usize, Full> {
        let mut linked = 0;
        let mut group = [None; FETCHED];
        loop {
            let mut gathered = 0;
            for (place, (entry, hash)) in group.iter_mut().zip(&mut entries) {
                self.prefetch_link(hash);
                *place = Some((entry, hash));
                gathered += 1;
            }
            for (entry, hash) in group[..gathered].iter().flatten() {
                // SAFETY: by the caller's promise.
                unsafe { self.link_first(*hash, entry.as_ptr()) }?;
            }
            linked += gathered;
            if gathered < FETCHED {
                return Ok(linked);
            }
        }
    }

    /// The furthest slot with this hash, if its entry has been unlinked: there an entry of the same hash may be linked
    /// again, because none of its key can stand further on. `Full` if one might stand behind `end`.
    ///
    /// # Safety
    /// As for [`link_before`](Self::link_before).
    unsafe fn vacated(self, end: usize, hash: Hash) -> Result<Option<(usize, usize)>, Full> {
        let mut last = None;
        for index in self.home(hash)..end {
            // SAFETY: T1 by the caller's promise; a slot with a tag has a hash (E1).
            unsafe {
                let meta = self.bucket(index).meta();
                for slot in meta.for_hashes_of(hash.tag()) {
                    if (*self.hash_at(index, slot)).load(Ordering::Relaxed) == hash.place {
                        last = Some((index, slot, is_linked(meta.tag(slot))));
                    }
                }
                if !meta.overflows() {
                    return Ok(last.filter(|(.., linked)| !linked).map(|(index, slot, _)| (index, slot)));
                }
            }
        }
        Err(Full)
    }
}
