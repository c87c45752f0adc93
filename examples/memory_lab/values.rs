//! The values in the maps: they count themselves, so that no map has to be believed about when it drops them.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

/// One map's run through one scenario. What a map drops late is not counted for the next run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run(u32);

/// More runs than one process makes: the tests take each scenario and map once or twice.
const RUNS: usize = 1024;

static ALIVE: [AtomicI64; RUNS] = [const { AtomicI64::new(0) }; RUNS];
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Run {
    pub(crate) fn new() -> Run {
        let run = Run(NEXT.fetch_add(1, Ordering::Relaxed));
        assert!((run.0 as usize) < RUNS, "too many runs in one process");
        run
    }

    /// A value of this run.
    pub(crate) fn value<P>(self, payload: P) -> Counted<P> {
        self.alive_counter().fetch_add(1, Ordering::Relaxed);
        Counted { run: self, _payload: payload }
    }

    /// How many values of this run exist, wherever they are.
    pub(crate) fn alive(self) -> i64 {
        self.alive_counter().load(Ordering::Relaxed)
    }

    fn alive_counter(self) -> &'static AtomicI64 {
        &ALIVE[self.0 as usize]
    }
}

/// A value that is counted while it exists.
#[derive(Debug)]
pub(crate) struct Counted<P> {
    run: Run,
    _payload: P,
}

impl<P> Drop for Counted<P> {
    fn drop(&mut self) {
        self.run.alive_counter().fetch_sub(1, Ordering::Relaxed);
    }
}

/// 8 bytes.
pub(crate) type Small = Counted<u32>;
/// 48 bytes: what a program keeps of a session, say.
pub(crate) type Session = Counted<[u32; 11]>;
/// 24 bytes, and a large block that they own.
pub(crate) type Big = Counted<Box<[u8]>>;

/// How large that block is.
pub(crate) const BIG_BYTES: usize = 16 << 10;
/// How long the keys are that own heap.
pub(crate) const KEY_BYTES: usize = 512;

impl Run {
    pub(crate) fn small(self, n: usize) -> Small {
        self.value(n as u32)
    }

    pub(crate) fn session(self, n: usize) -> Session {
        self.value([n as u32; 11])
    }

    pub(crate) fn big(self, n: usize) -> Big {
        self.value(vec![n as u8; BIG_BYTES].into_boxed_slice())
    }
}

/// A key of [`KEY_BYTES`] bytes on the heap.
pub(crate) fn heavy_key(n: usize) -> Box<str> {
    format!("{n:0KEY_BYTES$}").into_boxed_str()
}
