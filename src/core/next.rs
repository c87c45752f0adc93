//! A read table under construction.
//!
//! It is made from the tables whose keys do not grow any more, a few slots at a time: pointers and hashes are copied, in the
//! order in which they lie, and no entry is touched. Nobody searches it before it is published. An entry that is unlinked
//! meanwhile is unlinked in it, too, if it has been copied; if not, it is not there to be copied.

use super::YOUNG;
use super::bucket::{SLOTS, Writers};
use super::entry::Head;
use super::hash::Hash;
use super::table::{Backwards, Blank, Full, NoTable, Size, Table};

/// Buckets that are cleared in the time in which one is copied.
const CLEARED_FOR_ONE: usize = 4;

/// What a table is made from: the read table, and young tables that are not the dirty one.
pub(super) type Sources<K> = [Table<K>; YOUNG];

/// A table under construction. Only under the mutex.
pub(super) struct Next<K> {
    blank: Blank<K>,
    is_cleared: bool,
    /// Entries linked in it, live or dead.
    linked: usize,
    sources: Sources<K>,
    /// Which of the sources is being copied, and how far that is.
    current: usize,
    entries: Backwards<K>,
}

// SAFETY: Send: T1: its tables are current ones, or its own; what may be done with them is said at each use.
unsafe impl<K> Send for Next<K> {}

/// What came of some steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

impl<K> Next<K> {
    /// # Safety
    /// The sources are current tables, and stay that until this is dropped or done (T1).
    pub(super) unsafe fn new(size: Size, sources: Sources<K>) -> Result<Next<K>, NoTable> {
        let blank = Blank::allocate(size)?;
        // SAFETY: by the caller's promise.
        let entries = unsafe { sources[0].entries_backwards() };
        Ok(Next { blank, is_cleared: false, linked: 0, sources, current: 0, entries })
    }

    /// Its table, to know how large it is.
    pub(super) fn table(&self) -> Table<K> {
        self.blank.table()
    }

    /// Its table, to be published or given back.
    pub(super) fn into_table(self) -> Table<K> {
        self.blank.into_table()
    }

    pub(super) fn linked(&self) -> usize {
        self.linked
    }

    pub(super) fn is_source(&self, table: Table<K>) -> bool {
        self.sources.contains(&table)
    }

    /// Clears a part of the table's memory; when all of it is clear, looks at no more than so many slots of the sources,
    /// and copies what is linked there.
    ///
    /// `Full`: the table needs more spare buckets, and a new beginning.
    ///
    /// # Safety
    /// The caller holds the writer mutex, and the sources are current tables (T1).
    pub(super) unsafe fn advance(&mut self, slots: usize) -> Result<Progress, Full> {
        if !self.is_cleared {
            self.is_cleared = self.blank.clear(cleared_in_a_step(slots));
            return Ok(Progress::More);
        }
        let table = self.blank.table();
        let mut left = slots;
        loop {
            let source = self.sources[self.current];
            // SAFETY: by the caller's promise.
            unsafe {
                if !table.is_far() {
                    // One by one; none is left for the loop below, which is for memory that has to be waited for.
                    while let Some((entry, slot)) = self.entries.next_of(&mut left) {
                        table.link_first(source.hash_of(slot), entry.as_ptr())?;
                        self.linked += 1;
                    }
                }
                let entries = std::iter::from_fn(|| self.entries.next_of(&mut left));
                self.linked += table.link_all_first(entries.map(|(entry, slot)| (entry, source.hash_of(slot))))?;
                if !self.entries.is_done() {
                    return Ok(Progress::More);
                }
                if self.current + 1 == self.sources.len() {
                    return Ok(Progress::Done);
                }
                self.current += 1;
                self.entries = self.sources[self.current].entries_backwards();
            }
        }
    }

    /// In how many steps of so many slots it is done, at most; unless it turns out that it needs more spare buckets.
    pub(super) fn steps_left(&self, slots: usize) -> usize {
        let begun = self.entries.left();
        let others = self.sources[self.current + 1..].iter().map(|source| source.buckets());
        let copying: usize = others.chain([begun]).map(|buckets| buckets.div_ceil(slots / SLOTS) + 1).sum();
        let clearing = if self.is_cleared { 0 } else { steps_to_clear(&self.blank, slots) + 1 };
        clearing + copying
    }

    /// The same from the beginning, in a table with more spare buckets. The other one is the caller's.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(super) unsafe fn with_more_spare(&self) -> Result<Next<K>, NoTable> {
        // SAFETY: by the caller's promise.
        unsafe { Next::new(self.blank.table().size().with_more_spare(), self.sources) }
    }

    /// Unlinks an entry if it has been copied: keeps T2.
    ///
    /// # Safety
    /// The caller holds the writer mutex.
    pub(super) unsafe fn unlink(&mut self, hash: Hash, entry: *mut Head<K>) {
        // SAFETY: T1: the table is our own; nothing is linked before it is cleared.
        if self.is_cleared && unsafe { self.blank.table().unlink(hash, entry, Writers::One) } {
            self.linked -= 1;
        }
    }
}

/// In how many steps of so many slots that are copied meanwhile it is cleared.
pub(super) fn steps_to_clear<K>(blank: &Blank<K>, slots: usize) -> usize {
    blank.left().div_ceil(cleared_in_a_step(slots))
}

/// Buckets that are cleared in the time in which so many slots are copied.
pub(super) fn cleared_in_a_step(slots: usize) -> usize {
    slots.div_ceil(SLOTS).saturating_mul(CLEARED_FOR_ONE)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::shape::{LARGE, READER_SHARES, STEP};
    use super::super::{Core, Hash, Limits};

    /// How far the tables in the making are: entries copied and buckets cleared, since the map began.
    #[derive(Clone, Copy, Default)]
    struct Work {
        promotions: u64,
        copied: usize,
        next_cleared: usize,
        spare_cleared: usize,
    }

    fn work(core: &Core<u64, u64>) -> Work {
        let lock = core.lock();
        let next = lock.next.as_ref();
        Work {
            promotions: core.promotions_and_misses().0,
            copied: next.map_or(0, |next| next.linked()),
            next_cleared: next.map_or(0, |next| next.blank.progress()),
            spare_cleared: lock.spare.as_deref().map_or(0, super::Blank::progress),
        }
    }

    /// Runs `call` and asserts that it has done no more than its share.
    fn bounded(core: &Core<u64, u64>, what: u64, call: impl FnOnce()) {
        let dirty = || core.tables(&core.guard()).1[0];
        let (was, work_before) = (dirty(), work(core));
        let was_ready = core.lock().spare.as_deref().is_some_and(super::Blank::is_cleared);
        call();
        assert_bounded(work_before, work(core), what);
        let is = dirty();
        assert!(was == is || was_ready || is.slots() <= 3 * LARGE, "{what}: {} slots cleared", is.slots());
    }

    /// Asserts that one call has done no more than its share.
    fn assert_bounded(before: Work, after: Work, what: u64) {
        // A reader that tells its misses does the shares of several calls, and its own when it lets go of the mutex.
        const SHARES: usize = READER_SHARES + 1;
        let buckets = SHARES * super::CLEARED_FOR_ONE * STEP.div_ceil(super::SLOTS);
        if before.promotions == after.promotions {
            assert!(after.copied <= before.copied + SHARES * STEP, "{what}: {} copied", after.copied - before.copied);
        }
        for (before, after) in [(before.next_cleared, after.next_cleared), (before.spare_cleared, after.spare_cleared)]
        {
            assert!(after <= before + buckets, "{what}: {} buckets cleared", after - before);
        }
    }

    fn hash(key: u64) -> Hash {
        Hash::new(key.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    #[test]
    fn p3_no_insert_or_removal_makes_a_table_by_itself() {
        insert_and_remove_all(&Core::new(Limits::NONE, None));
    }

    #[test]
    fn p3_holds_for_inserts_by_stripes() {
        let core = Core::new(Limits::NONE, None);
        core.stripe_now(&core.guard());
        insert_and_remove_all(&core);
        assert!(core.linked_by_stripes() > if cfg!(miri) { 1000 } else { 250_000 });
    }

    fn insert_and_remove_all(core: &Core<u64, u64>) {
        const KEYS: u64 = if cfg!(miri) { 2000 } else { 300_000 };
        for key in 0..KEYS {
            let insert = || assert!(core.insert(&core.guard(), hash(key), key, key).is_none());
            bounded(core, key, insert);
            assert!(core.tables(&core.guard()).1[2].is_empty(), "{key}: the next table was not done in time");
        }
        let grown = core.promotions_and_misses().0;
        // Few keys under Miri: fewer promotions.
        assert!(grown > if cfg!(miri) { 5 } else { 10 });
        for key in 0..KEYS {
            let remove = || assert!(matches!(core.remove_if(&core.guard(), hash(key), &key, |_| true), Ok(Some(_))));
            bounded(core, key, remove);
        }
        assert!(core.promotions_and_misses().0 > grown + if cfg!(miri) { 0 } else { 3 }, "it has shrunk on the way");
        let (read, young) = core.tables(&core.guard());
        assert!(young.into_iter().chain([read]).map(super::Table::bytes).sum::<usize>() <= 2048);
        assert!(core.lock().next.is_none() && core.lock().spare.is_none());
    }

    /// A large table with little in it is looked through while small ones fill up; reads that miss do their part; and the
    /// first insert into a fitted map clears no large table.
    #[test]
    fn p3_holds_after_a_reservation_and_when_readers_promote() {
        const KEYS: u64 = if cfg!(miri) { 2000 } else { 100_000 };
        let core = Core::<u64, u64>::new(Limits::NONE, None);
        core.reserve(&core.guard(), 10 * KEYS as usize).unwrap();
        for key in 0..KEYS {
            if key % 1000 == 1 {
                for read in 0..200 {
                    bounded(&core, key, || assert!(core.get(&core.guard(), hash(read % key), &(read % key)).is_some()));
                }
            }
            if key == KEYS / 2 {
                for read in 0..KEYS {
                    bounded(&core, key, || assert!(core.get(&core.guard(), hash(read % key), &(read % key)).is_some()));
                }
            }
            if key == KEYS / 4 * 3 {
                core.shrink_to_fit(&core.guard()).unwrap();
            }
            bounded(&core, key, || assert!(core.insert(&core.guard(), hash(key), key, key).is_none()));
            assert!(core.tables(&core.guard()).1[2].is_empty(), "{key}: the next table was not done in time");
        }
        assert!(core.promotions_and_misses().0 > 1);
    }

    /// The first dirty table of a large map is a small one, and half full when its successor is begun.
    #[test]
    fn p3_holds_when_a_fitted_map_grows() {
        const KEYS: u64 = if cfg!(miri) { 2000 } else { 200_000 };
        let core = Core::<u64, u64>::new(Limits::NONE, None);
        (0..KEYS).for_each(|key| assert!(core.insert(&core.guard(), hash(key), key, key).is_none()));
        core.shrink_to_fit(&core.guard()).unwrap();
        for key in KEYS..KEYS / 10 * 11 {
            bounded(&core, key, || assert!(core.insert(&core.guard(), hash(key), key, key).is_none()));
            assert!(core.tables(&core.guard()).1[2].is_empty(), "{key}: the next table was not done in time");
        }
    }
}
