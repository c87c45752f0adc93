//! A table in parts: ranges of its homes, about equally long. The spare buckets belong to the last one.

use super::Table;
use crate::core::hash::Hash;

impl<K> Table<K> {
    /// The part in which entries with this hash have their home, and the bucket behind it.
    #[inline]
    pub(in crate::core) fn part(self, parts: usize, hash: Hash) -> (usize, usize) {
        let (homes, part) = (self.homes as usize, self.part_of_home(parts, self.home(hash)));
        let end = (homes * (part + 1)).div_ceil(parts);
        let end = if end < homes { end } else { self.total as usize };
        (part, end)
    }

    fn part_of_home(self, parts: usize, home: usize) -> usize {
        home * parts / self.homes.max(1) as usize
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Blank, Size};
    use super::*;

    #[test]
    fn the_parts_of_a_table_follow_each_other() {
        for (entries, parts) in [(1, 2), (10, 16), (56, 16), (100, 16), (1000, 16), (1001, 2)] {
            let table = Blank::<u64>::allocate(Size::for_entries(entries)).unwrap().cleared();
            let homes = table.homes as usize;
            assert!((0..homes).map(|home| table.part_of_home(parts, home)).is_sorted());
            for n in 0..if cfg!(miri) { 20 } else { 10_000_u64 } {
                let hash = Hash::new(n.wrapping_mul(0xD6E8_FEB8_6659_FD93));
                let ((part, end), home) = (table.part(parts, hash), table.home(hash));
                assert!(part < parts && home < end);
                assert!((home..end.min(homes)).all(|home| table.part_of_home(parts, home) == part));
                let is_last = part == table.part_of_home(parts, homes - 1);
                assert!(if is_last { end == table.buckets() } else { table.part_of_home(parts, end) > part });
            }
            // SAFETY: T1: the table is our own.
            unsafe { table.free() };
        }
        assert_eq!(Table::<u64>::EMPTY.part(16, Hash::new(1)), (0, 0));
    }
}
