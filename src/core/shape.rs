//! What the holder of the mutex knows of the tables, and the sizes by which it decides.

use super::YOUNG;
use super::bucket::{SLOTS, Writers};
use super::next::{Next, steps_to_clear};
use super::table::Blank;
use crate::sync::IN_MODEL;

/// What the tables hold. Only under the mutex, so no primitive of `sync`.
pub(super) struct Shape<K> {
    /// Entries linked in the read table, live or dead.
    pub(super) read: usize,
    /// Entries linked in each of the young tables, live or dead. While the stripes are open, without what was linked by them.
    pub(super) young: [usize; YOUNG],
    /// The sum of these. Kept, because to add up what has been written a moment ago has the processor wait for it.
    all: usize,
    /// Slots of the dirty table that have been used. While the stripes are open, without those that were used by them.
    pub(super) dirty_used: usize,
    /// Are the [stripes](super::stripes) open?
    pub(super) is_open: bool,
    /// Somebody was linking by a stripe when it was to be seen whether the tables have become too large.
    pub(super) ask_again: bool,
    /// The dirty table is as large as it is because somebody asked for that, and nothing has been unlinked since.
    pub(super) reserved: bool,
    /// What will be the read table. In a box, because most maps have none most of the time.
    pub(super) next: Option<Box<Next<K>>>,
    /// What will be the dirty table when this one is full. In a box, too.
    pub(super) spare: Option<Box<Blank<K>>>,
}

// SAFETY: Send: T1: tables that are its own; what may be done with them is said at each use.
unsafe impl<K> Send for Shape<K> {}

impl<K> Shape<K> {
    pub(super) const NONE: Shape<K> = Shape {
        read: 0,
        young: [0; YOUNG],
        all: 0,
        dirty_used: 0,
        is_open: false,
        ask_again: false,
        reserved: false,
        next: None,
        spare: None,
    };

    /// While the stripes are open, too little: so much that it may be below zero, modulo the size of the number.
    pub(super) fn linked(&self) -> usize {
        self.all
    }

    /// Who changes the young table of this index, or the read table.
    pub(super) fn writers(&self, young: Option<usize>) -> Writers {
        if self.is_open && young == Some(0) { Writers::Several } else { Writers::One }
    }

    /// Counts an entry that is unlinked there: of the dirty table perhaps one that has not been counted yet. Tells who changes it.
    pub(super) fn unlinked(&mut self, young: Option<usize>) -> Writers {
        let linked = young.map_or(&mut self.read, |index| &mut self.young[index]);
        debug_assert!(*linked > 0 || self.is_open);
        *linked = linked.wrapping_sub(1);
        self.all = self.all.wrapping_sub(1);
        debug_assert_eq!(self.all, self.added_up());
        self.writers(young)
    }

    /// Counts so many entries that have been linked in the dirty table, in slots of which so many had not been used before.
    #[inline]
    pub(super) fn linked_dirty(&mut self, linked: usize, used: usize) {
        self.young[0] = self.young[0].wrapping_add(linked);
        self.all = self.all.wrapping_add(linked);
        self.dirty_used += used;
        debug_assert_eq!(self.all, self.added_up());
    }

    /// What `all` has to be.
    fn added_up(&self) -> usize {
        self.young.iter().fold(self.read, |sum, young| sum.wrapping_add(*young))
    }

    /// [`linked`](Self::linked) in young tables.
    pub(super) fn linked_young(&self) -> usize {
        self.all.wrapping_sub(self.read)
    }

    /// So many shares are left, at most, of what is in the making.
    pub(super) fn shares_left(&self) -> usize {
        let spare = self.spare.as_ref().map_or(0, |spare| steps_to_clear(spare, STEP));
        let next = self.next.as_ref().map_or(0, |next| next.steps_left(STEP));
        // Each share goes on with both.
        spare.max(next)
    }

    /// But for the dirty table.
    pub(super) fn linked_sealed(&self) -> usize {
        self.read + self.young[1..].iter().sum::<usize>()
    }
}

/// The least number of entries a table is made for, where nobody knows better.
pub(super) const LEAST: usize = if IN_MODEL { 1 } else { 16 };
/// The same for maps of which there are many, most of them with a few entries: a single home bucket.
pub(super) const LEAST_OF_MANY: usize = if IN_MODEL { 1 } else { 3 };
/// Bytes of a table that are given back in one call.
pub(super) const PART: usize = if IN_MODEL { 192 } else { 32 << 10 };

/// Tables of so many bytes and less go back at once: that takes the system some 30 µs, and each part has to be told to all
/// processors.
const AT_ONCE: usize = if IN_MODEL { 4 * PART } else { 256 << 10 };

/// Does a table of so many bytes go back in parts, beside tables of `current` bytes? Not if these are much smaller: to a map
/// that has shrunk it is a burden.
pub(super) fn goes_in_parts(bytes: usize, current: usize) -> bool {
    bytes > AT_ONCE && current >= bytes / 16
}

/// May any table go back in parts, beside tables of so many bytes?
pub(super) fn may_go_in_parts(current: usize) -> bool {
    current > AT_ONCE / 16
}

/// Tables that take no more bytes than this are left as they are, however few entries are in them.
pub(super) const SMALL: usize = if IN_MODEL { 400 } else { 2048 };
/// A map with more entries than this counts its bytes.
pub(super) const BIG: usize = 1 << 18;
/// A dirty table for more entries than this is made ready before it is needed.
pub(super) const LARGE: usize = if IN_MODEL { 1 } else { 1024 };
/// A thread tells its misses in lots of this size.
pub(super) const MISS_LOT: u32 = if IN_MODEL { 1 } else { 64 };
/// So many lots are told while no writer comes, before readers go on with the tables.
pub(super) const LOTS_ALONE: usize = if IN_MODEL { 1 } else { 4 };
/// Slots that a call which has the mutex looks at for the next read table. The dirty table takes at least a fifth of the
/// entries there are: before it is full, all of their slots have been looked at several times over, or, where several threads link, once.
pub(super) const STEP: usize = if IN_MODEL { SLOTS } else { 64 };
const _: () = assert!(STEP >= SLOTS, "buckets are looked at as a whole");
/// So many calls' shares does a reader that tells its misses: a few microseconds.
pub(super) const READER_SHARES: usize = if IN_MODEL { 1 } else { 8 };
