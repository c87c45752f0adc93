//! How large a table is, and why there may be none.

use std::alloc::{Layout, handle_alloc_error};
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::sync::IN_MODEL;

/// Mean number of entries in a home bucket of a table that was built for its entries.
const DENSITY_NUM: usize = if cfg!(loom) { 2 } else { 7 };
const DENSITY_DEN: usize = 2;

/// A table's size and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) struct Size {
    pub(super) homes: usize,
    pub(super) spare: usize,
    /// What a hash is multiplied by before its high bits choose the home. Odd.
    ///
    /// Who removes entries in the order of an iteration leaves those whose hashes begin with zeros. In a smaller table
    /// these would crowd in the first buckets; so a table that is smaller has another factor.
    pub(super) scatter: u32,
}

impl Size {
    /// The least size for `entries` entries.
    pub(in crate::core) fn for_entries(entries: usize) -> Size {
        let homes = entries.saturating_mul(DENSITY_DEN).div_ceil(DENSITY_NUM).max(1);
        Size { homes, spare: homes.ilog2() as usize + 1, scatter: 1 }
    }

    pub(in crate::core) fn is_smaller(self, than: Size) -> bool {
        self.homes < than.homes
    }

    /// The same, for entries that stand in a table of size `from` now.
    pub(in crate::core) fn after(self, from: Size) -> Size {
        let factor = if from.homes / self.homes > 1 { 0x9E37_79B1 } else { 1 };
        Size { scatter: from.scatter.wrapping_mul(factor), ..self }
    }

    /// The same, with homes in the order of `other`'s: what is copied from one to the other lies in the same order.
    pub(in crate::core) fn like(self, other: Size) -> Size {
        Size { scatter: other.scatter, ..self }
    }

    /// The same, with homes in an order of its own: for the first table of a map, and the first after it was emptied.
    ///
    /// Who inserts in the order in which another table was iterated, with the same hasher, would fill homes one after the other in a
    /// table of the same order, and each search would have to pass all that are full.
    pub(in crate::core) fn in_new_order(self) -> Size {
        // Models and fuzzing run everything again, in the same way.
        let is_fixed = IN_MODEL || cfg!(fuzzing);
        Size { scatter: if is_fixed { 1 } else { RandomState::new().build_hasher().finish() as u32 | 1 }, ..self }
    }

    pub(in crate::core) fn with_more_spare_than(self, other: Size) -> Size {
        Size { spare: self.spare.max(other.spare * 2), ..self }
    }

    pub(in crate::core) fn with_more_spare(self) -> Size {
        Size { spare: self.spare * 2, ..self }
    }

    /// How many entries a table of this size takes before it is due for a rebuild.
    pub(in crate::core) fn limit(self) -> usize {
        if cfg!(loom) { self.homes * 2 } else { self.homes * 5 + self.homes / 2 }
    }
}

/// Why there is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTable {
    /// Its size overflows what can be counted.
    Capacity,
    /// The allocator has no memory for this layout.
    Memory(Layout),
}

impl NoTable {
    /// Does what the standard library's collections do.
    pub(crate) fn fail(self) -> ! {
        match self {
            NoTable::Capacity => panic!("capacity overflow"),
            NoTable::Memory(layout) => handle_alloc_error(layout),
        }
    }
}
