//! Memory for a table.

use super::{NoTable, Size, Table};
use crate::core::bucket::{Bucket, SLOTS};
#[cfg(loom)]
use crate::sync::AtomicU32;
use crate::sync::alloc;

/// The memory of a table that nobody sees yet. It is cleared a part at a time: an allocator that is asked for zeros may
/// write all of them at once, and a large table has many.
pub(in crate::core) struct Blank<K> {
    table: Table<K>,
    /// Buckets that are empty.
    cleared: usize,
}

impl<K> Blank<K> {
    pub(in crate::core) fn allocate(size: Size) -> Result<Blank<K>, NoTable> {
        let homes = u32::try_from(size.homes).map_err(|_| NoTable::Capacity)?;
        let total = size.homes.checked_add(size.spare).and_then(|total| u32::try_from(total).ok());
        let total = total.ok_or(NoTable::Capacity)?;
        let layout = Table::<K>::layout(total).map_err(|_| NoTable::Capacity)?;
        // SAFETY: the layout's size is not zero, because there is at least one bucket.
        let buckets = unsafe { alloc(layout) }.cast::<Bucket<K>>();
        if buckets.is_null() {
            return Err(NoTable::Memory(layout));
        }
        Ok(Blank { table: Table { buckets, homes: u64::from(homes), total, scatter: size.scatter }, cleared: 0 })
    }

    /// The table. To be searched only when it is cleared.
    pub(in crate::core) fn table(&self) -> Table<K> {
        self.table
    }

    /// Buckets that are cleared.
    #[cfg(all(test, not(loom)))]
    pub(in crate::core) fn progress(&self) -> usize {
        self.cleared
    }

    pub(in crate::core) fn is_cleared(&self) -> bool {
        self.cleared == self.table.total as usize
    }

    /// Buckets that are not cleared yet.
    pub(in crate::core) fn left(&self) -> usize {
        self.table.total as usize - self.cleared
    }

    /// Clears so many buckets more; true if all are.
    pub(in crate::core) fn clear(&mut self, buckets: usize) -> bool {
        let left = self.left();
        let count = buckets.min(left);
        let bucket = self.table.buckets.wrapping_add(self.cleared);
        let hashes = self.table.hash_at(self.cleared, 0);
        // SAFETY: T1: the memory is ours alone, and has so many buckets and hashes; zeros are what both begin with.
        #[cfg(not(loom))]
        unsafe {
            bucket.write_bytes(0, count);
            hashes.write_bytes(0, count * SLOTS);
        }
        #[cfg(loom)]
        for index in 0..count {
            // SAFETY: as above.
            unsafe {
                bucket.add(index).write(Bucket::new());
                (0..SLOTS).for_each(|slot| hashes.add(index * SLOTS + slot).write(AtomicU32::new(0)));
            }
        }
        self.cleared += count;
        count == left
    }

    /// The table, with whatever is left cleared now.
    pub(in crate::core) fn cleared(mut self) -> Table<K> {
        self.clear(usize::MAX);
        self.table
    }

    /// The table, to be given back; or to be used, if all of it is cleared.
    pub(in crate::core) fn into_table(self) -> Table<K> {
        // Under loom what is given back has to be there.
        if cfg!(loom) { self.cleared() } else { self.table }
    }
}
