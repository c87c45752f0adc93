//! Keys and values that are remembered beyond their end: when each was removed, and whether it has been dropped.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};

/// Of keys and values in a round, all together.
pub(crate) const MOST: usize = 1 << 16;

/// A number of the clock, which goes on with each call that has removed or inserted something.
pub(crate) type Moment = u64;

/// What is known of a key or a value. Never freed, so that it can be asked about what has been.
struct Memory {
    /// When the call that inserted it had returned, or 0.
    inserted: AtomicU64,
    /// When the call that removed it had returned, or 0.
    removed: AtomicU64,
    dropped: AtomicBool,
}

static MEMORIES: [Memory; MOST] =
    [const { Memory { inserted: AtomicU64::new(0), removed: AtomicU64::new(0), dropped: AtomicBool::new(false) } };
        MOST];
static MADE: AtomicUsize = AtomicUsize::new(0);
static CLOCK: AtomicU64 = AtomicU64::new(1);
/// When the last `clear` that has returned had begun.
static CLEARED: AtomicU64 = AtomicU64::new(0);

/// A key or a value.
pub(crate) struct Item {
    pub(crate) number: u64,
    id: Id,
}

/// Outlives its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(usize);

/// What a look at an item says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It was in the map when it was looked at.
    Live,
    /// It has been removed since the lookup began.
    RemovedSince,
    /// The call that removed it had returned when the lookup began.
    RemovedBefore,
    Dropped,
}

/// What a lookup that begins now must not find: what had been removed by then.
#[derive(Clone, Copy)]
pub(crate) struct Since {
    moment: Moment,
    cleared: Moment,
}

impl Since {
    pub(crate) fn now() -> Since {
        // The clearing first: it is over at the moment.
        let cleared = CLEARED.load(Acquire);
        Since { moment: CLOCK.load(Acquire), cleared }
    }
}

/// Forgets all items, which have been dropped.
pub(crate) fn begin_round() {
    for memory in &MEMORIES[..MADE.load(Relaxed).min(MOST)] {
        memory.inserted.store(0, Relaxed);
        memory.removed.store(0, Relaxed);
        memory.dropped.store(false, Relaxed);
    }
    MADE.store(0, Relaxed);
    CLEARED.store(0, Relaxed);
}

/// Are there items enough for some more calls of all threads?
pub(crate) fn goes_on() -> bool {
    MADE.load(Relaxed) < MOST - 100
}

/// Runs `clear`, and has readers know of it.
pub(crate) fn while_clearing(clear: impl FnOnce()) {
    let begun = CLOCK.fetch_add(1, AcqRel);
    clear();
    CLEARED.store(begun, Release);
}

/// How many items have been made, and not dropped.
pub(crate) fn alive() -> usize {
    MEMORIES[..MADE.load(Relaxed)].iter().filter(|memory| !memory.dropped.load(Relaxed)).count()
}

/// How many of those that had been removed before are still there.
pub(crate) fn left_over(since: Since) -> usize {
    let made = &MEMORIES[..MADE.load(Relaxed).min(MOST)];
    let removed = |memory: &&Memory| (1..=since.moment).contains(&memory.removed.load(Acquire));
    made.iter().filter(removed).filter(|memory| !memory.dropped.load(Acquire)).count()
}

impl Item {
    pub(crate) fn new(number: u64) -> Item {
        let id = MADE.fetch_add(1, Relaxed);
        assert!(id < MOST, "there are enough items");
        Item { number, id: Id(id) }
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    /// The number, of an item that is found by it.
    fn found(&self) -> &u64 {
        assert!(!self.id.is_dropped(), "a key that has been dropped was compared");
        &self.number
    }
}

impl Id {
    fn memory(self) -> &'static Memory {
        MEMORIES.get(self.0).expect("what was read is no item: its memory has been used again")
    }

    pub(crate) fn is_dropped(self) -> bool {
        self.memory().dropped.load(Acquire)
    }

    /// The call that inserted it has returned.
    pub(crate) fn inserted(self) {
        self.memory().inserted.store(CLOCK.fetch_add(1, AcqRel) + 1, Release);
    }

    /// The call that removed it has returned.
    pub(crate) fn removed(self) {
        self.memory().removed.store(CLOCK.fetch_add(1, AcqRel) + 1, Release);
    }

    /// Of an item that a lookup has found which began at `since`.
    pub(crate) fn age(self, since: Since) -> Age {
        let (inserted, removed) = (self.memory().inserted.load(Acquire), self.memory().removed.load(Acquire));
        let cleared = inserted != 0 && inserted <= since.cleared;
        match removed {
            _ if self.is_dropped() => Age::Dropped,
            _ if cleared => Age::RemovedBefore,
            0 => Age::Live,
            _ if removed <= since.moment => Age::RemovedBefore,
            _ => Age::RemovedSince,
        }
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        assert!(!self.id.memory().dropped.swap(true, AcqRel), "dropped twice");
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.found() == other.found()
    }
}

impl Eq for Item {}

impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl Borrow<u64> for Item {
    fn borrow(&self) -> &u64 {
        self.found()
    }
}
