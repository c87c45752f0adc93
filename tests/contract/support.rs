//! Values whose drops are counted, keys that do as they are told, an allocator that counts for each thread; and how to wait in tests.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tidymap::HashMap;

/// Counts the values made from it that have not been dropped.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicUsize>);

impl Counter {
    pub(crate) fn value(&self, number: u64) -> Counted {
        self.0.fetch_add(1, Ordering::SeqCst);
        Counted { number, counter: self.clone() }
    }

    pub(crate) fn live(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A value or key that is counted. Equal to others of the same number.
pub(crate) struct Counted {
    pub(crate) number: u64,
    counter: Counter,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.counter.0.fetch_sub(1, Ordering::SeqCst);
        assert!(before > 0, "dropped once");
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Counted({})", self.number)
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// A map of so many counted keys and values.
pub(crate) fn filled(counter: &Counter, entries: u64) -> HashMap<Counted, Counted> {
    let map = HashMap::new();
    for number in 0..entries {
        map.insert(counter.value(number), counter.value(number));
    }
    map
}

/// A key to ask with.
pub(crate) fn key(number: u64) -> Counted {
    // Counted apart, so as not to be mistaken for one in a map.
    Counter::default().value(number)
}

/// Does something when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A value that tells which thread dropped it.
pub(crate) fn tells_thread(told: &Arc<std::sync::Mutex<Vec<ThreadId>>>) -> OnDrop<impl FnMut() + use<>> {
    let told = told.clone();
    OnDrop(move || told.lock().unwrap().push(std::thread::current().id()))
}

/// Runs `work` on a thread of its own, and fails if that does not end.
pub(crate) fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = work();
        // A thread that is ending is part of the work.
        thread::spawn(move || done.send(()));
        result
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => thread.join().expect("it has not panicked"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("it has panicked"),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it waits for ever"),
    }
}

/// Long enough for another thread to fall asleep, where that cannot be seen from outside.
pub(crate) fn let_it_fall_asleep() {
    thread::sleep(Duration::from_millis(100));
}

/// Waits until `ready`.
pub(crate) fn until(ready: impl Fn() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it waits for ever");
        thread::yield_now();
    }
}

thread_local! {
    /// What this thread does when a [`Nosy`] key is hashed or compared next.
    pub(crate) static ON_HASH: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    pub(crate) static ON_EQ: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// A key whose `Hash` and `Eq` do as they are told.
#[derive(Debug)]
pub(crate) struct Nosy(pub(crate) u64);

impl Hash for Nosy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(act) = ON_HASH.take() {
            act();
        }
        self.0.hash(state);
    }
}

impl PartialEq for Nosy {
    fn eq(&self, other: &Self) -> bool {
        if let Some(act) = ON_EQ.take() {
            act();
        }
        self.0 == other.0
    }
}

impl Eq for Nosy {}

pub(crate) fn nosy(max_pending: usize) -> &'static HashMap<Nosy, u64> {
    let map = HashMap::builder().max_pending(max_pending).build();
    (0..10).for_each(|number| drop(map.insert(Nosy(number), number)));
    leak(map)
}

/// Leaks a value on purpose. What is leaked here stays reachable, so that a search for leaks finds only others.
pub(crate) fn leak<'a, T>(value: T) -> &'a T {
    static LEAKED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let leaked = Box::leak(Box::new(value));
    LEAKED.lock().unwrap().push((&raw const *leaked).expose_provenance());
    leaked
}

/// Wakes a thread.
pub(crate) struct Unpark(pub(crate) thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The system's allocator, with the balance of each thread.
pub(crate) struct CountingAllocator;

thread_local! {
    static BALANCE: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static FAIL_TABLES_FROM: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Runs once, at this thread's next allocation of at least so many bytes.
    static STALL: Cell<Option<(usize, fn())>> = const { Cell::new(None) };
}

/// Has this thread find no memory for tables of so many bytes and more. They are what is aligned like a cache line.
pub(crate) fn fail_tables_from(bytes: usize) {
    FAIL_TABLES_FROM.set(bytes);
}

/// Bytes that this thread has allocated and not given back.
pub(crate) fn balance() -> isize {
    BALANCE.get()
}

/// How often this thread has allocated.
pub(crate) fn allocations() -> usize {
    CALLS.get()
}

/// Has this thread call `stall` inside its next allocation of at least `bytes`.
pub(crate) fn stall_at_allocation(bytes: usize, stall: fn()) {
    STALL.set(Some((bytes, stall)));
}

// SAFETY: all is done by the system's allocator; the rest is counting, in thread-locals without destructors.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() == 64 && layout.size() >= FAIL_TABLES_FROM.get() {
            return std::ptr::null_mut();
        }
        count(layout.size() as isize);
        // SAFETY: our caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: our caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BALANCE.set(BALANCE.get() - layout.size() as isize);
        // SAFETY: our caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: our caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(bytes: isize) {
    BALANCE.set(BALANCE.get() + bytes);
    CALLS.set(CALLS.get() + 1);
    if let Some((least, stall)) = STALL.get() {
        if bytes >= least as isize {
            STALL.set(None);
            stall();
        }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;
