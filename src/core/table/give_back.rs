//! Giving a large table back a part at a time: the system takes pages back one by one, and a large table has many.

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
        self.left -= bytes;
        // SAFETY: T1: the memory is ours alone, by the caller's promise, and nobody reads it again.
        unsafe { pages::let_go(self.table.buckets.cast::<u8>().add(self.left), bytes) };
        Some(self)
    }
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri)))]
mod pages {
    /// Lets the system have the whole pages among these bytes back. They are still the caller's, with any content.
    ///
    /// # Safety
    /// The bytes are the caller's alone, and what is in them is not needed any more.
    pub(super) unsafe fn let_go(start: *mut u8, bytes: usize) {
        // SAFETY: asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(usize::MAX);
        let skipped = start.addr().next_multiple_of(page) - start.addr();
        let whole = bytes.saturating_sub(skipped) / page * page;
        if whole > 0 {
            // SAFETY: by the caller's promise: these pages lie among its bytes, and may come back as zeros. A failure changes
            // nothing: then they go back with the rest.
            unsafe { libc::madvise(start.add(skipped).cast(), whole, libc::MADV_DONTNEED) };
        }
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri))))]
mod pages {
    /// There is no way to do so: all of it goes back at the end.
    pub(super) unsafe fn let_go(_start: *mut u8, _bytes: usize) {}
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Blank, Size};
    use super::GivingBack;

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
            if cfg!(all(target_os = "linux", not(miri))) && kept + (64 << 10) <= bytes {
                assert_eq!(byte(kept + (32 << 10)), 0, "a page in the midst of what has been let go");
            }
            // SAFETY: as above.
            left = unsafe { giving.give(64 << 10) };
            parts += 1;
        }
        assert_eq!(parts, bytes.div_ceil(64 << 10) + 1);
    }
}
