//! What a map goes through, and what it holds on the way.

use std::collections::HashMap as StdMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;

use crate::heap::{self, Level};
use crate::maps::{Family, Key, Map, MapOf, Value};

/// Where the heap is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// As inserts leave it.
    Filled,
    /// The most while it was filled.
    PeakOfGrowing,
    /// After the map's own call for giving memory back.
    Fitted,
    /// After removing nine entries of ten, one by one.
    TenthLeft,
    /// After removing the rest.
    AllRemoved,
    /// The most during a clear, of another map that was filled.
    PeakOfClear,
    Cleared,
    /// A reader stalls, and all but the one entry that it looks at are overwritten once.
    StalledOverwritten,
    /// The reader has left.
    LeftOverwritten,
    /// A reader stalls, and all but the one entry that it looks at are removed.
    StalledRemoved,
    LeftRemoved,
}

impl Stage {
    pub(crate) const ALL: [Stage; 11] = [
        Stage::Filled,
        Stage::PeakOfGrowing,
        Stage::Fitted,
        Stage::TenthLeft,
        Stage::AllRemoved,
        Stage::PeakOfClear,
        Stage::Cleared,
        Stage::StalledOverwritten,
        Stage::LeftOverwritten,
        Stage::StalledRemoved,
        Stage::LeftRemoved,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Filled => "filled",
            Stage::PeakOfGrowing => "peak-of-growing",
            Stage::Fitted => "fitted",
            Stage::TenthLeft => "tenth-left",
            Stage::AllRemoved => "all-removed",
            Stage::PeakOfClear => "peak-of-clear",
            Stage::Cleared => "cleared",
            Stage::StalledOverwritten => "stalled-overwritten",
            Stage::LeftOverwritten => "left-overwritten",
            Stage::StalledRemoved => "stalled-removed",
            Stage::LeftRemoved => "left-removed",
        }
    }

    /// Small maps are only filled: what they hold is what matters there. Stalls are enough at a hundred thousand.
    pub(crate) fn is_reached_with(self, entries: usize) -> bool {
        match self {
            Stage::Filled => true,
            _ if entries < 1_000 => false,
            Stage::StalledOverwritten | Stage::LeftOverwritten | Stage::StalledRemoved | Stage::LeftRemoved => {
                entries <= 100_000
            }
            _ => true,
        }
    }
}

/// True if no write gets done in that stage: all of them wait for the reader.
pub(crate) fn waits(map: &str, stage: Stage) -> bool {
    map == crate::maps::Locked::NAME && matches!(stage, Stage::StalledOverwritten | Stage::StalledRemoved)
}

/// What was in use in a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// The map itself and its heap.
    pub(crate) bytes: i64,
    /// How many writes were not done because they would have waited for the reader.
    pub(crate) refused: usize,
}

/// The stages that a map went through.
pub(crate) type Lived = StdMap<Stage, Held>;
/// Takes a map with so many entries through its stages.
pub(crate) type Life = fn(usize) -> Lived;

/// Keys and values, made of numbers.
pub(crate) trait Pairs: 'static {
    type Key: Key;
    type Value: Value;
    fn key(n: usize) -> Self::Key;
    fn value(n: usize) -> Self::Value;
    /// Whether it is the one that was made of that number.
    fn is(value: &Self::Value, n: usize) -> bool;
}

pub(crate) enum Numbers {}

impl Pairs for Numbers {
    type Key = u64;
    type Value = u64;

    fn key(n: usize) -> u64 {
        n as u64
    }

    fn value(n: usize) -> u64 {
        !(n as u64)
    }

    fn is(value: &u64, n: usize) -> bool {
        *value == Self::value(n)
    }
}

/// Strings of 24 to 40 bytes, to 32 bytes.
pub(crate) enum Texts {}

impl Pairs for Texts {
    type Key = String;
    type Value = [u64; 4];

    fn key(n: usize) -> String {
        let width = 24 + n % 17;
        let mut key = String::with_capacity(width);
        write!(key, "{n:0width$}").expect("strings take it");
        key
    }

    fn value(n: usize) -> [u64; 4] {
        [n as u64; 4]
    }

    fn is(value: &[u64; 4], n: usize) -> bool {
        *value == Self::value(n)
    }
}

/// On a thread of its own, on which this kind of map has been used before: what a process or a thread needs once is not counted, but
/// what each map has for each thread is.
pub(crate) fn life<F: Family, P: Pairs>(entries: usize) -> Lived {
    let living = thread::spawn(move || {
        warm_up::<F, P>();
        let mut walk = Walk::<F, P>::new(entries);
        walk.fill_and_remove();
        if entries >= 1_000 {
            walk.fill_and_clear();
            if Stage::StalledRemoved.is_reached_with(entries) {
                walk.stall(
                    Stage::StalledOverwritten,
                    Stage::LeftOverwritten,
                    |map, n| map.try_insert(P::key(n), P::value(n)),
                    |map, n| map.insert(P::key(n), P::value(n)),
                );
                walk.stall(
                    Stage::StalledRemoved,
                    Stage::LeftRemoved,
                    |map, n| map.try_remove(&P::key(n)),
                    |map, n| assert!(map.remove(&P::key(n))),
                );
            }
        }
        walk.lived
    });
    living.join().expect("no life ends in a panic")
}

fn warm_up<F: Family, P: Pairs>() {
    let map = MapOf::<F, P::Key, P::Value>::default();
    for n in 0..1_000 {
        map.insert(P::key(n), P::value(n));
        map.insert(P::key(n), P::value(n));
        map.remove(&P::key(n));
    }
    map.own_call();
}

struct Walk<F: Family, P: Pairs> {
    entries: usize,
    base: Level,
    lived: Lived,
    of: std::marker::PhantomData<fn() -> (F, P)>,
}

impl<F: Family, P: Pairs> Walk<F, P> {
    fn new(entries: usize) -> Walk<F, P> {
        // Room now, so that it does not grow the heap that is measured.
        let lived = Lived::with_capacity(2 * Stage::ALL.len());
        Walk { entries, base: Level::now(), lived, of: std::marker::PhantomData }
    }

    fn note(&mut self, stage: Stage, heap: i64, refused: usize) {
        let bytes = heap + size_of::<MapOf<F, P::Key, P::Value>>() as i64;
        self.lived.insert(stage, Held { bytes, refused });
    }

    fn note_now(&mut self, stage: Stage) {
        self.note(stage, self.base.bytes_since(), 0);
    }

    /// Another map. What the one before has left, now or later, is not counted.
    fn filled(&mut self) -> MapOf<F, P::Key, P::Value> {
        // Those that drop late get there.
        let settle = MapOf::<F, P::Key, P::Value>::default();
        settle.insert(P::key(0), P::value(0));
        (0..4).for_each(|_| settle.own_call());
        drop(settle);
        heap::reset_peak();
        self.base = Level::now();
        let map = MapOf::<F, P::Key, P::Value>::default();
        (0..self.entries).for_each(|n| map.insert(P::key(n), P::value(n)));
        map
    }

    fn fill_and_remove(&mut self) {
        let map = self.filled();
        self.note_now(Stage::Filled);
        self.note(Stage::PeakOfGrowing, self.base.peak_since(), 0);
        if self.entries == 0 {
            assert_eq!(black_box(&map).count(), 0);
            return;
        }
        map.own_call();
        self.note_now(Stage::Fitted);
        self.assert_holds(&map, 1);
        (0..self.entries).filter(|n| n % 10 != 0).for_each(|n| assert!(map.remove(&P::key(n))));
        self.note_now(Stage::TenthLeft);
        self.assert_holds(&map, 10);
        (0..self.entries).filter(|n| n % 10 == 0).for_each(|n| assert!(map.remove(&P::key(n))));
        self.note_now(Stage::AllRemoved);
        assert_eq!(map.count(), 0);
    }

    fn fill_and_clear(&mut self) {
        let map = self.filled();
        heap::reset_peak();
        map.clear();
        self.note(Stage::PeakOfClear, self.base.peak_since(), 0);
        self.note_now(Stage::Cleared);
        assert_eq!(map.count(), 0);
    }

    /// Has another thread look at the first entry while `write` goes over the others; what it refuses is done by `make_up`
    /// when the reader has left.
    fn stall(
        &mut self,
        stalled: Stage,
        left: Stage,
        write: impl Fn(&MapOf<F, P::Key, P::Value>, usize) -> bool,
        make_up: impl Fn(&MapOf<F, P::Key, P::Value>, usize),
    ) {
        // Neither the list of what is to be made up for nor the reader's key is of the map.
        let (mut refused, first) = (Vec::with_capacity(self.entries), P::key(0));
        let map = self.filled();
        let (holds, may_leave) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let held = map.hold(&first);
                holds.wait();
                may_leave.wait();
                drop(held);
            });
            holds.wait();
            refused.extend((1..self.entries).filter(|n| !write(&map, *n)));
            self.note(stalled, self.base.bytes_since(), refused.len());
            may_leave.wait();
            reader.join().expect("readers do not panic");
        });
        refused.drain(..).for_each(|n| make_up(&map, n));
        self.note_now(left);
        assert!(map.read(&P::key(0), |value| P::is(value, 0)) == Some(true));
        let expected = if left == Stage::LeftRemoved { 1 } else { self.entries };
        assert_eq!(map.count(), expected);
    }

    fn assert_holds(&self, map: &MapOf<F, P::Key, P::Value>, one_in: usize) {
        assert_eq!(map.count(), self.entries.div_ceil(one_in));
        for n in (0..self.entries).step_by(one_in * (self.entries / 1_000).max(1)) {
            assert_eq!(map.read(&P::key(n), |value| P::is(value, n)), Some(true));
        }
    }
}
