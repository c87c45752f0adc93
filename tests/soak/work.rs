//! What the threads do.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tidymap::{HashMap, Operation};

use crate::common::{Counted, GoodHash, Ledger, Random};

pub(crate) type Value<'l> = Counted<'l, Box<[u8]>>;
pub(crate) type Map<'l> = HashMap<u64, Value<'l>, GoodHash>;

/// Garbage that may wait, but for what sessions and bulk removals unlink.
pub(crate) const CAP: usize = 10_000;
/// Keys of a writer, mostly.
const WINDOW: u64 = 4000;
/// So many times as many when it lets them grow.
const SURGE: u64 = 4;
pub(crate) const WRITERS: u64 = 2;
/// The most entries that there can be: writers add no more than a few keys before they take some away.
pub(crate) const MOST: u64 = WRITERS * (SURGE * WINDOW + 1000);

/// A value of `key`: some bytes or some thousand, all the same.
fn value<'l>(ledger: &'l Ledger, key: u64, random: &mut Random) -> Value<'l> {
    let length = match random.below(10) {
        0 => 0,
        1..6 => random.below(64),
        6..9 => random.below(512),
        _ => random.below(4096),
    };
    ledger.make(vec![key as u8; length as usize].into_boxed_slice())
}

fn check(key: u64, value: &Value<'_>) {
    assert!(value.iter().all(|byte| *byte == key as u8), "a value of another key, or of none, under {key}");
}

/// One writer's keys, all of which are new: from a number that only grows.
#[derive(Default)]
pub(crate) struct Window {
    first: AtomicU64,
    end: AtomicU64,
}

pub(crate) struct World<'l> {
    pub(crate) map: Map<'l>,
    pub(crate) ledger: &'l Ledger,
    pub(crate) windows: [Window; WRITERS as usize],
    /// Calls, of whichever kind.
    pub(crate) calls: AtomicU64,
    pub(crate) most_pending: AtomicU64,
}

impl<'l> World<'l> {
    pub(crate) fn new(ledger: &'l Ledger) -> World<'l> {
        let map = HashMap::builder().hasher(GoodHash::default()).max_pending(CAP).build();
        World { map, ledger, windows: Default::default(), calls: AtomicU64::new(0), most_pending: AtomicU64::new(0) }
    }

    /// A key of `writer` that is there, or has been a moment ago.
    fn some_key(&self, writer: usize, random: &mut Random) -> u64 {
        let Window { first, end } = &self.windows[writer];
        let (first, end) = (first.load(Relaxed), end.load(Relaxed));
        (first + random.below((end.saturating_sub(first)).max(1))) * WRITERS + writer as u64
    }

    /// New keys at one end, and the oldest ones go at the other; some are overwritten in between. Now and then many more come, and
    /// go again at once.
    pub(crate) fn write(&self, writer: usize, over: &AtomicBool, random: &mut Random) {
        let Window { first, end } = &self.windows[writer];
        let mut target = WINDOW;
        while !over.load(Relaxed) {
            if random.once_in(2000) {
                target = [WINDOW / 8, WINDOW, WINDOW * SURGE][random.below(3) as usize];
            }
            let next = end.load(Relaxed);
            let key = next * WRITERS + writer as u64;
            assert!(self.map.insert(key, value(self.ledger, key, random)).is_none(), "{key} is new");
            end.store(next + 1, Relaxed);
            for _ in 0..2 {
                let key = self.some_key(writer, random);
                match random.below(4) {
                    0 => drop(self.map.update(&key, |old| {
                        check(key, old);
                        self.ledger.make(old.to_vec().into_boxed_slice())
                    })),
                    1 => drop(self.map.compute(key, |old| match old {
                        Some((_, old)) if old.len() % 2 == 0 => {
                            Operation::<_, ()>::Insert(self.ledger.make(vec![key as u8; old.len() / 2].into()))
                        }
                        _ => Operation::Abort(()),
                    })),
                    _ => drop(self.map.get(&key).map(|value| check(key, &value))),
                }
            }
            self.trim(writer, first, next + 1, target, random);
            self.calls.fetch_add(4, Relaxed);
        }
    }

    /// Takes the oldest keys away, in one of the ways there are.
    fn trim(&self, writer: usize, first: &AtomicU64, end: u64, target: u64, random: &mut Random) {
        let oldest = first.load(Relaxed);
        let surplus = (end - oldest).saturating_sub(target);
        let key_of = |number| number * WRITERS + writer as u64;
        if surplus > 2000 {
            // All at once.
            self.map.retain(|key, _| *key % WRITERS != writer as u64 || *key >= key_of(end - target));
            first.store(end - target, Relaxed);
            return;
        }
        let goes = surplus.min(1 + random.below(3));
        if goes == 0 {
            return;
        }
        if random.once_in(8) {
            let session = self.map.pin();
            for key in (oldest..oldest + goes).map(key_of) {
                check(key, session.remove(&key).expect("it is there"));
            }
        } else {
            for key in (oldest..oldest + goes).map(key_of) {
                match random.below(8) {
                    0 => check(key, &self.map.remove_owned(&key).expect("no guard is held").expect("it is there").1),
                    1 => drop(self.map.remove_entry(&key).expect("it is there").try_into_owned()),
                    _ => check(key, &self.map.remove(&key).expect("it is there")),
                }
            }
        }
        first.store(oldest + goes, Relaxed);
    }

    /// Sessions within sessions, for a moment or for longer, and what they have found stays good.
    pub(crate) fn hold(&self, over: &AtomicBool, random: &mut Random) {
        while !over.load(Relaxed) {
            let session = self.map.pin();
            let inner = random.once_in(3).then(|| self.map.pin());
            let keys: Vec<u64> = (0..8).map(|n| self.some_key(n % WRITERS as usize, random)).collect();
            let found: Vec<_> = keys.iter().filter_map(|key| session.get_key_value(key)).collect();
            let single = self.map.get(&keys[0]);
            match random.below(50) {
                0 => std::thread::sleep(Duration::from_millis(random.below(30))),
                1..10 => (0..random.below(10)).for_each(|_| std::thread::yield_now()),
                _ => {}
            }
            found.iter().for_each(|(key, value)| check(**key, value));
            if random.once_in(2) {
                drop(inner);
            }
            drop(session);
            if let Some(single) = single {
                check(*single.key(), &single);
            }
            self.calls.fetch_add(10, Relaxed);
        }
    }

    /// Iterates, and asks for figures, for garbage to go, and for smaller tables.
    pub(crate) fn survey(&self, over: &AtomicBool, random: &mut Random) {
        while !over.load(Relaxed) {
            let mut met = HashSet::new();
            for (key, value) in &self.map.pin() {
                check(*key, value);
                assert!(met.insert(*key), "{key} was met twice");
            }
            match random.below(8) {
                0 => self.map.shrink_to_fit(),
                1 => assert_eq!(self.map.reclaim(), Ok(())),
                2 => drop(self.map.try_reclaim()),
                3 => drop(self.map.guards()),
                4 => self.map.reserve(random.below(10_000) as usize),
                _ => {}
            }
            let stats = self.map.stats();
            self.most_pending.fetch_max(stats.pending.entries, Relaxed);
            // The cap, what sessions unlink that hold a guard themselves, and what bulk removals unlink at once.
            assert!(stats.pending.entries <= CAP as u64 + MOST, "{stats:?}");
            assert!(stats.len as u64 <= MOST, "{stats:?}");
            self.calls.fetch_add(1, Relaxed);
        }
    }

    /// Without any entry, as after a day's work.
    pub(crate) fn empty(&self, random: &mut Random) {
        match random.below(3) {
            0 => self.map.clear(),
            1 => self.map.retain(|_, _| false),
            _ => {
                let keys: Vec<u64> = self.map.pin().keys().copied().collect();
                keys.iter().for_each(|key| drop(self.map.remove(key)));
            }
        }
        for Window { first, end } in &self.windows {
            first.store(end.load(Relaxed), Relaxed);
        }
    }
}
