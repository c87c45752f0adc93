//! An allocator that counts: how many bytes of the heap are in use, in how many blocks, and how many bytes were at most.
//!
//! It counts what is asked for, not what the system's allocator rounds it up to. What that adds, it adds to each block, so
//! the blocks are counted, too.

#![allow(dead_code, reason = "shared by the soak test, benches and examples, of which none uses all of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counted.
pub(crate) struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static BLOCKS: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// What is in use at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    bytes: usize,
    blocks: usize,
}

impl Level {
    /// What is in use now.
    pub(crate) fn now() -> Level {
        Level { bytes: IN_USE.load(Relaxed), blocks: BLOCKS.load(Relaxed) }
    }

    /// Bytes in use now beyond this level; less than none if some have gone back since.
    pub(crate) fn bytes_since(self) -> i64 {
        Level::now().bytes as i64 - self.bytes as i64
    }

    /// Blocks likewise.
    pub(crate) fn blocks_since(self) -> i64 {
        Level::now().blocks as i64 - self.blocks as i64
    }

    /// The most bytes beyond this level since the last [`reset_peak`].
    pub(crate) fn peak_since(self) -> i64 {
        PEAK.load(Relaxed) as i64 - self.bytes as i64
    }
}

/// Counts the peak anew, from what is in use now.
pub(crate) fn reset_peak() {
    PEAK.store(IN_USE.load(Relaxed), Relaxed);
}

fn grown(bytes: usize) {
    let in_use = IN_USE.fetch_add(bytes, Relaxed) + bytes;
    // Most allocations set no new peak: spare them the write.
    if in_use > PEAK.load(Relaxed) {
        PEAK.fetch_max(in_use, Relaxed);
    }
}

fn shrunk(bytes: usize) {
    IN_USE.fetch_sub(bytes, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches static atomics and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            grown(layout.size());
            BLOCKS.fetch_add(1, Relaxed);
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            grown(layout.size());
            BLOCKS.fetch_add(1, Relaxed);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above; the block came from `System`, since all blocks do.
        unsafe { System.dealloc(block, layout) };
        shrunk(layout.size());
        BLOCKS.fetch_sub(1, Relaxed);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        let moved = unsafe { System.realloc(block, layout, new_size) };
        if !moved.is_null() {
            // A block that moves may be there twice for a moment: count the larger peak.
            grown(new_size);
            shrunk(layout.size());
        }
        moved
    }
}
