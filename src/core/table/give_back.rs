//! Giving a large table back a part at a time: the system takes pages back one by one, and a large table has many.
//!
//! The system's own tables of these pages, one page of 512 entries for each 2 MiB, go with the last part, and that was most of what
//! the last part cost (100 to 200 µs for the table of ten million entries). Since 6.14, Linux gives such a table back when one call lets go of all that it covers
//! (`CONFIG_PT_RECLAIM`). So the part that completes 2 MiB names all of them again: that costs a look at 512 empty entries.

use super::Table;

/// A table that is on its way back. Its memory is the allocator's when all of it has been let go.
pub(crate) struct GivingBack<K> {
    table: Table<K>,
    /// Bytes, from the beginning, of which the pages have not been let go.
    left: usize,
}

impl<K> GivingBack<K> {
    pub(in crate::core) fn new(table: Table<K>) -> GivingBack<K> {
        GivingBack { table, left: table.bytes() }
    }

    pub(in crate::core) fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Lets the pages of so many bytes go, and all of it when that was the last of them: then None.
    ///
    /// # Safety
    /// The table came from a [`Blank`](super::Blank), and nobody uses it any more.
    pub(in crate::core) unsafe fn give(mut self, bytes: usize) -> Option<GivingBack<K>> {
        if bytes >= self.left {
            // SAFETY: by the caller's promise.
            unsafe { self.table.free() };
            return None;
        }
        let gone = self.bytes() - self.left;
        self.left -= bytes;
        // SAFETY: T1: the memory is ours alone, by the caller's promise, and nobody reads it again.
        unsafe { pages::let_go(self.table.buckets.cast::<u8>().add(self.left), bytes, gone) };
        Some(self)
    }
}

/// The whole pages that begin among so many bytes from an address on, and end there or among the `gone` bytes behind them: how many bytes on
/// they begin, and how many they are. If 2 MiB have become complete with these bytes, to the end of those.
#[cfg_attr(
    not(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri))),
    allow(dead_code, reason = "nothing is let go of there")
)]
fn whole_pages(start: usize, bytes: usize, gone: usize, page: usize) -> (usize, usize) {
    let skipped = start.next_multiple_of(page) - start;
    // What one table of the system's covers: eight bytes name a page. Where it is otherwise nothing is lost.
    let covered = page.saturating_mul(page / 8);
    let first = start.next_multiple_of(covered) - start;
    let is_complete = first < bytes && first.saturating_add(covered) <= bytes + gone;
    let end = if is_complete { first + covered } else { bytes + gone.min(page - 1) };
    (skipped, end.saturating_sub(skipped) / page * page)
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri)))]
mod pages {
    /// Lets the system have the [pages](super::whole_pages) back. They are still the caller's, with any content.
    ///
    /// # Safety
    /// All of these bytes, and the `gone` ones behind them, are the caller's alone, and what is in them is not needed any more.
    pub(super) unsafe fn let_go(start: *mut u8, bytes: usize, gone: usize) {
        // SAFETY: asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(1 << 12);
        let (skipped, whole) = super::whole_pages(start.addr(), bytes, gone, page);
        if whole > 0 {
            // SAFETY: by the caller's promise: these pages lie among its bytes and those that are gone, and may come back as zeros. A failure changes
            // nothing: then they go back with the rest.
            unsafe { libc::madvise(start.add(skipped).cast(), whole, libc::MADV_DONTNEED) };
        }
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri))))]
mod pages {
    /// There is no way to do so: all of it goes back at the end.
    pub(super) unsafe fn let_go(_start: *mut u8, _bytes: usize, _gone: usize) {}
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Blank, Size};
    use super::{GivingBack, whole_pages};
    use crate::core::shape::PART;

    #[test]
    #[cfg_attr(miri, ignore = "arithmetic, and much of it")]
    fn the_part_that_completes_what_a_page_table_covers_names_all_of_it() {
        const PAGE: usize = 4096;
        const COVERED: usize = 2 << 20;
        for start in [0, 16, PAGE, COVERED - PART + 64, COVERED - 16, COVERED, COVERED + PART] {
            for bytes in [COVERED, 3 * COVERED - 48, 4 * COVERED + 5 * PAGE] {
                let (mut left, mut named) = (bytes, vec![false; (start + bytes) / PAGE + 1]);
                let mut tables = 0;
                while left > 0 {
                    let part = PART.min(left);
                    left -= part;
                    let (skipped, whole) = whole_pages(start + left, part, bytes - left - part, PAGE);
                    let first = start + left + skipped;
                    assert!(first + whole <= start + bytes, "nothing that is another's");
                    assert!(whole <= PART || whole <= COVERED + PART, "no more than a part and what it completes");
                    (first / PAGE..(first + whole) / PAGE).for_each(|page| named[page] = true);
                    tables += (first..first + whole)
                        .step_by(PAGE)
                        .filter(|at| at % COVERED == 0 && at + COVERED <= first + whole)
                        .count();
                }
                let pages = start.div_ceil(PAGE)..(start + bytes) / PAGE;
                assert!(pages.clone().all(|page| named[page]), "{start} {bytes}: all whole pages");
                let whole_tables = ((start + bytes) / COVERED).saturating_sub(start.div_ceil(COVERED));
                assert_eq!(tables, whole_tables, "{start} {bytes}: each table once, by one call");
            }
        }
    }

    #[test]
    fn pages_are_let_go_part_by_part() {
        let table = Blank::<u64>::allocate(Size::for_entries(10_000)).unwrap().cleared();
        let bytes = table.bytes();
        // SAFETY: T1: the table is our own, and nobody searches it.
        unsafe { table.buckets.cast::<u8>().write_bytes(1, bytes) };
        let mut parts = 1;
        let mut left = Some(GivingBack::new(table));
        while let Some(giving) = left {
            let kept = giving.left;
            // SAFETY: as above; what has been let go is still ours to look at.
            let byte = |at: usize| unsafe { giving.table.buckets.cast::<u8>().add(at).read() };
            assert_eq!(byte(kept - 1), 1, "what is left is as it was");
            if cfg!(all(target_os = "linux", not(miri))) {
                // All pages that begin above, but for the table's last one.
                let page =
                    |at: usize| (giving.table.buckets.addr() + at).next_multiple_of(4096) - giving.table.buckets.addr();
                let pages = (page(kept)..bytes.saturating_sub(4096)).step_by(4096);
                assert!(
                    pages.into_iter().all(|at| byte(at) == 0 && byte(at + 4095) == 0),
                    "of {kept} bytes that are left"
                );
            }
            // SAFETY: as above.
            left = unsafe { giving.give(PART) };
            parts += 1;
        }
        assert_eq!(parts, bytes.div_ceil(PART) + 1);
    }
}
