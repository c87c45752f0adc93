//! What is held, and by whom.

use super::guards::GuardInfo;
use crate::core::Core;

/// The figures of a map: [`HashMap::stats`](super::HashMap::stats).
///
/// Counters of other threads are read while they run: figures agree with each other when no operation is running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Entries.
    pub len: usize,
    /// How many entries the map can hold without a new table.
    pub capacity: usize,
    /// Entries in the read table, where one search finds them.
    pub read_len: usize,
    /// Entries in the dirty table, and in those that are being merged into the next read table: they are searched when the
    /// read table has no answer.
    pub dirty_len: usize,
    /// Reads that had to look beyond the read table. Threads tell them in lots of 64.
    pub misses: u64,
    /// How often the entries were moved to a new read table.
    pub promotions: u64,
    /// Removed entries and overwritten values, since the map was made.
    pub retired: u64,
    /// How many of these have been dropped.
    pub freed: u64,
    /// The others.
    pub pending: Pending,
    /// Sessions and [`Ref`](super::Ref)s that are live, and calls that are running.
    pub live_guards: usize,
    /// The one that has been live for longest, and its thread. All of them: [`HashMap::guards`](super::HashMap::guards).
    pub oldest_guard: Option<GuardInfo>,
    /// Memory that the map holds.
    pub heap: Heap,
    /// Does each thread that has used the map execute a memory fence in its next read? So it is where that was chosen or there is no other way, and while removals have met them all at rest: see [`ReadFence`](crate::ReadFence).
    pub read_fence: bool,
}

/// What has been unlinked and not yet dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// Removed entries and overwritten values.
    pub entries: u64,
    /// The memory that goes back with them and with replaced tables. An overwritten value that lives in its entry counts
    /// nothing: its memory goes back with the entry.
    pub bytes: u64,
}

/// Memory, in bytes asked of the allocator. The pending garbage is part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heap {
    /// Tables and what names them; one KiB more once several threads have inserted at once.
    pub tables: u64,
    /// Keys and values, without what these own elsewhere.
    pub entries: u64,
    /// Records of the threads that have used the map. They stay until the map goes.
    pub records: u64,
}

impl Heap {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.tables + self.entries + self.records
    }
}

pub(super) fn pending<K, V>(core: &Core<K, V>) -> Pending {
    Pending::new(core.domain.pending_weight())
}

#[cfg_attr(feature = "guard-locations", track_caller)]
pub(super) fn stats<K, V>(core: &Core<K, V>) -> Stats {
    // Before we take a guard ourselves.
    let (live_guards, oldest) = core.domain.oldest();
    let oldest_guard = oldest.map(GuardInfo::new);
    let pending = pending(core);
    let (allocated, retired, freed) = core.domain.tallies();
    let held = allocated.minus(freed);
    let heap = Heap { tables: held.table_bytes, entries: held.entry_bytes, records: core.domain.record_bytes() as u64 };
    let ((read_len, dirty_len), capacity) = match core.is_vacant() {
        true => ((0, 0), 0),
        false => {
            let guard = core.guard();
            (core.table_lens(&guard), core.capacity(&guard))
        }
    };
    let (promotions, misses) = core.promotions_and_misses();
    Stats {
        len: core.len(),
        capacity,
        read_len,
        dirty_len,
        misses,
        promotions,
        retired: retired.entries,
        freed: freed.entries,
        pending,
        live_guards,
        oldest_guard,
        heap,
        read_fence: core.domain.is_read_fenced(),
    }
}
