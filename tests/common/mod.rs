//! What the test files share: values that are counted and may be hostile, hashers good and bad, threads that start together, a
//! source of numbers, and an allocator that counts.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod fuse;
pub(crate) mod rounds;

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Borrow;
use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use fuse::burn;

/// Knows which of the values that it made are alive.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: AtomicU64,
    live: AtomicUsize,
    /// The sum of the marks of all live values.
    marks: AtomicU64,
}

impl Ledger {
    pub(crate) const fn new() -> Ledger {
        Ledger { made: AtomicU64::new(0), live: AtomicUsize::new(0), marks: AtomicU64::new(0) }
    }

    pub(crate) fn make<T>(&self, value: T) -> Counted<'_, T> {
        let id = self.made.fetch_add(1, Relaxed);
        self.live.fetch_add(1, Relaxed);
        self.marks.fetch_add(mark(id), Relaxed);
        Counted { value, id, mark: AtomicU64::new(mark(id)), ledger: self }
    }

    /// How many values have been made and not dropped.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// How many values have been made.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// Fails unless exactly these values are alive: none was forgotten, and none dropped twice or too early.
    pub(crate) fn assert_alive<'c, 'l: 'c, T: 'c>(&self, values: impl IntoIterator<Item = &'c Counted<'l, T>>) {
        let (mut live, mut marks) = (0, 0u64);
        for value in values {
            live += 1;
            marks = marks.wrapping_add(mark(value.id()));
        }
        assert_eq!(self.live(), live, "values that are alive");
        assert_eq!(self.marks.load(Relaxed), marks, "the right number of values is alive, but others");
    }
}

/// A value that its ledger counts. Every look at it checks that it has not been dropped. Its methods panic when a [`fuse`] says so.
pub(crate) struct Counted<'l, T> {
    value: T,
    id: u64,
    /// Zero once it has been dropped.
    mark: AtomicU64,
    ledger: &'l Ledger,
}

impl<T> Counted<'_, T> {
    /// Its number in the ledger: tells it from equal ones.
    pub(crate) fn id(&self) -> u64 {
        assert_eq!(self.mark.load(Relaxed), mark(self.id), "used after it was dropped");
        self.id
    }
}

impl<T> Deref for Counted<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.id();
        &self.value
    }
}

impl<T> Borrow<T> for Counted<'_, T> {
    fn borrow(&self) -> &T {
        burn();
        self
    }
}

impl<T> Drop for Counted<'_, T> {
    fn drop(&mut self) {
        assert_eq!(self.mark.swap(0, Relaxed), mark(self.id), "dropped twice");
        self.ledger.live.fetch_sub(1, Relaxed);
        self.ledger.marks.fetch_sub(mark(self.id), Relaxed);
        burn();
    }
}

impl<T: Clone> Clone for Counted<'_, T> {
    fn clone(&self) -> Self {
        burn();
        self.ledger.make(T::clone(self))
    }
}

impl<T: PartialEq> PartialEq for Counted<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        burn();
        T::eq(self, other)
    }
}

impl<T: Eq> Eq for Counted<'_, T> {}

impl<T: Hash> Hash for Counted<'_, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        burn();
        T::hash(self, state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Counted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// Bits that have nothing to do with those of `id`, and are never zero.
fn mark(id: u64) -> u64 {
    scramble(id) | 1
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
fn scramble(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(scramble(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        scramble(self.0) % end
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// A hash function that spreads keys well.
pub(crate) type GoodHash = BuildHasherDefault<DefaultHasher>;

/// Gives every key the same hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConstantHash;

/// Gives keys one of 16 hashes, which differ in their low bits only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LowBitsHash;

/// What is left of a good hash.
#[derive(Debug)]
pub(crate) struct Masked {
    good: DefaultHasher,
    mask: u64,
}

impl Hasher for Masked {
    fn write(&mut self, bytes: &[u8]) {
        self.good.write(bytes);
    }

    fn finish(&self) -> u64 {
        self.good.finish() & self.mask
    }
}

impl BuildHasher for ConstantHash {
    type Hasher = Masked;

    fn build_hasher(&self) -> Masked {
        Masked { good: DefaultHasher::new(), mask: 0 }
    }
}

impl BuildHasher for LowBitsHash {
    type Hasher = Masked;

    fn build_hasher(&self) -> Masked {
        Masked { good: DefaultHasher::new(), mask: 0xF }
    }
}

/// Runs `work` on so many threads, which start together and are told their numbers. Returns when all are done; a panic in
/// one goes on here.
pub(crate) fn in_parallel(threads: usize, work: impl Fn(usize) + Sync) {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for id in 0..threads {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(id);
            });
        }
    });
}

/// Raises a flag when it goes, even if that is because of a panic: threads that run until they are told must be told.
#[derive(Debug)]
pub(crate) struct RaiseOnDrop<'f>(pub(crate) &'f AtomicBool);

impl Drop for RaiseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// As many threads as Go's tests would take here, but enough to get in each other's way.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(4, |processors| processors.get().clamp(4, 8))
}

/// The system's allocator, counting for each thread what it takes. A test file that wants it declares it global.
#[derive(Debug)]
pub(crate) struct CountingAllocator;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How many times `work` allocates on this thread, where [`CountingAllocator`] is the global allocator.
pub(crate) fn allocations_in(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}
