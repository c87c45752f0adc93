//! The records of one map: one for each thread slot that has used it, found by index.
//!
//! Chunks of records are allocated when the first thread of the chunk arrives and live as long as the map.

use std::cell::{Cell, UnsafeCell};

use super::epochs::Epoch;
use super::fences::Fencing;
use super::nested::Nested;
use super::patience::Patience;
use super::place::{Announced, Places};
use super::slot::{CHUNKS, FIRST_CHUNK, Slot};
use crate::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering, const_unless_loom};

/// What a record announces whose thread holds no guard, and has last seen `epoch`. Above all epochs.
#[inline(always)]
pub(super) const fn at_rest(epoch: Epoch) -> Epoch {
    !epoch
}

#[inline(always)]
pub(super) fn is_at_rest(announced: Epoch) -> bool {
    (announced as i64) < 0
}

/// The inverse of [`at_rest`].
#[inline(always)]
pub(super) fn last_seen(announced: Epoch) -> Epoch {
    debug_assert!(is_at_rest(announced));
    !announced
}

/// No guard has ever been taken.
pub(super) const UNUSED: Epoch = at_rest(0);

/// Bytes of a record, of any map: so a thread's slot says how far into its chunk the record lies.
pub(super) const STRIDE: usize = if cfg!(loom) { 4096 } else { 256 };

/// What a map knows of one thread. Its own cache lines.
#[derive(Debug)]
#[repr(C)]
#[cfg_attr(not(loom), repr(align(256)))]
#[cfg_attr(loom, repr(align(4096)))]
pub(crate) struct Record<L> {
    /// The epoch of the oldest guard this thread holds on the map; if it holds none, the last that it has seen, [at rest](at_rest). Written by the owner,
    /// read by reclaimers.
    pub(super) epoch: AtomicU64,
    /// Does the owner execute a fence when it takes a guard?
    pub(super) fencing: Fencing,
    /// How many guards it holds beside that. Written by the owner. 64 bits: leaked ones add up, and must not overflow.
    pub(super) more: AtomicU64,
    /// When the oldest guard was taken (ticks of [`super::age`]), or 0 if nobody has asked yet.
    pub(super) since: AtomicU64,
    /// Where the oldest guard was taken. Written by the owner.
    pub(super) place: Announced,
    /// The owner's guards, if there is more than one. Owner only.
    pub(super) nested: UnsafeCell<Nested>,
    /// Where these were taken. Owner only.
    pub(super) places: UnsafeCell<Places>,
    // Others look at the first cache line again and again, and each store to it waits for them. What they do not look at lies behind it.
    /// The end of a guard may have more to do than to clear `epoch`, because there are others beside it, or the owner has unlinked something: the end of a
    /// read asks no more than this. Owner only.
    pub(super) is_laden: Cell<bool>,
    /// Does it belong to no thread, but to a [`Lease`](super::lease::Lease)? Written by who takes and ends it.
    pub(super) is_leased: Cell<bool>,
    /// Owner only.
    pub(super) patience: Patience,
    /// Reads that had to look into the dirty table and are not yet in the map's count. Owner only.
    pub(super) misses: Cell<u32>,
    /// What the layer above keeps for each thread.
    pub(crate) local: L,
}

#[cfg(all(target_pointer_width = "64", not(loom)))]
const _: () = assert!(std::mem::offset_of!(Record<()>, is_laden) >= 64, "on another line than `epoch`");

// SAFETY: Sync: D2: what is not atomic is touched by the owner only.
unsafe impl<L: Sync> Sync for Record<L> {}

impl<L: Default> Default for Record<L> {
    fn default() -> Self {
        Record {
            epoch: AtomicU64::new(UNUSED),
            fencing: Fencing::default(),
            more: AtomicU64::new(0),
            since: AtomicU64::new(0),
            place: Announced::default(),
            nested: UnsafeCell::default(),
            places: UnsafeCell::default(),
            is_laden: Cell::new(false),
            is_leased: Cell::new(false),
            patience: Patience::default(),
            misses: Cell::new(0),
            local: L::default(),
        }
    }
}

/// In this order: `top` is looked at again and again by who waits for others, and what lies behind it all is the clock, which they take away from each other.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Directory<L> {
    /// One more than the greatest index of a chunk that is there, or is about to be.
    top: AtomicUsize,
    /// The last stays null: it is [`Slot::NONE`]'s.
    chunks: [AtomicPtr<Record<L>>; CHUNKS + 1],
}

impl<L: Default> Directory<L> {
    const_unless_loom! {
        pub(crate) fn new() -> Directory<L> {
            #[cfg(not(loom))]
            let chunks = [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS + 1];
            #[cfg(loom)]
            let chunks = std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut()));
            Directory { chunks, top: AtomicUsize::new(0) }
        }
    }

    /// The record of `slot`, made if need be.
    #[inline]
    pub(crate) fn record(&self, slot: Slot) -> &Record<L> {
        self.get(slot).unwrap_or_else(|| {
            self.allocate(slot.chunk);
            self.get(slot).expect("its chunk has been allocated")
        })
    }

    /// The record of `slot`, if its chunk exists.
    #[inline(always)]
    pub(crate) fn get(&self, slot: Slot) -> Option<&Record<L>> {
        const { assert!(size_of::<Record<L>>() == STRIDE) };
        // SAFETY: D1: no slot has a chunk above `CHUNKS`.
        let chunk = unsafe { self.chunks.get_unchecked(slot.chunk) };
        // ORDERING: Acquire pairs with the Release of `allocate`: the records are seen initialized.
        let chunk = chunk.load(Ordering::Acquire);
        // SAFETY: D1: a chunk that is not null has `len(chunk)` records and lives as long as `self`; a slot is `at` the beginning
        // of one of them.
        (!chunk.is_null()).then(|| unsafe { &*chunk.byte_add(slot.at) })
    }

    /// All records that exist, used or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Record<L>)> {
        (0..self.top()).flat_map(|chunk| {
            self.chunk(chunk).iter().enumerate().map(move |(index, record)| (Slot::in_chunk(chunk, index), record))
        })
    }

    /// Visits all records that exist, like [`iter`](Self::iter), and in a tenth of its instructions: each removal does this.
    #[inline]
    pub(crate) fn each(&self, mut visit: impl FnMut(&Record<L>)) {
        for chunk in 0..self.top() {
            for record in self.chunk(chunk) {
                visit(record);
            }
        }
    }

    fn top(&self) -> usize {
        // ORDERING: Acquire pairs with the Release of `allocate`.
        self.top.load(Ordering::Acquire)
    }

    /// The records of a chunk; none if it is not there.
    fn chunk(&self, chunk: usize) -> &[Record<L>] {
        // ORDERING: Acquire, as in `get`.
        let records = self.chunks[chunk].load(Ordering::Acquire);
        if records.is_null() {
            return &[];
        }
        // SAFETY: D1, as in `get`.
        unsafe { std::slice::from_raw_parts(records, Self::len(chunk)) }
    }

    /// Bytes that the records take.
    pub(crate) fn bytes(&self) -> usize {
        self.iter().count() * size_of::<Record<L>>()
    }

    #[cold]
    fn allocate(&self, chunk: usize) {
        let records: Box<[Record<L>]> = (0..Self::len(chunk)).map(|_| Record::default()).collect();
        let fresh = Box::into_raw(records).cast::<Record<L>>();
        // ORDERING: Release, and before the chunk is published: who finds the chunk has seen this, so whoever sees that
        // thread's announcement sees it, too (*enter against horizon*).
        self.top.fetch_max(chunk + 1, Ordering::Release);
        // ORDERING: Release publishes the records to the Acquire loads of `get` and `chunk`.
        let null = std::ptr::null_mut();
        if self.chunks[chunk].compare_exchange(null, fresh, Ordering::Release, Ordering::Relaxed).is_err() {
            // Another thread was faster.
            // SAFETY: `fresh` came from such a box just now and was not published.
            unsafe { Self::free(fresh, chunk) };
        }
    }
}

impl<L> Directory<L> {
    /// Records in a chunk.
    fn len(chunk: usize) -> usize {
        FIRST_CHUNK << chunk
    }

    /// # Safety
    /// `records` came from `allocate` for this chunk, and nobody uses it any more.
    unsafe fn free(records: *mut Record<L>, chunk: usize) {
        let records = std::ptr::slice_from_raw_parts_mut(records, Self::len(chunk));
        // SAFETY: by the caller's promise this is the box that `allocate` took apart.
        drop(unsafe { Box::from_raw(records) });
    }
}

impl<L> Drop for Directory<L> {
    fn drop(&mut self) {
        for (chunk, pointer) in self.chunks.iter().enumerate() {
            let records = pointer.load(Ordering::Relaxed);
            if !records.is_null() {
                // SAFETY: D1: a chunk that is not null came from `allocate`, and `&mut self` says that nobody uses it.
                unsafe { Self::free(records, chunk) };
            }
        }
    }
}
