//! The bench at which one map goes through one scenario: what is measured there, and when.
//!
//! The heap is read after fixed numbers of operations, not by the clock, so that two runs give the same figures.

use std::thread;

use crate::heap::{self, Level};
use crate::maps::{Family, Key, Map, MapOf, Value};
use crate::report::{Body, MapReport, Point, Stage, StageFigures};
use crate::values::{Run, Small};

/// A curve never has more points than this. When it would, every other one goes.
const POINTS: usize = 256;
/// How many ordinary operations come after the event, before the map is said to be at rest.
///
/// A multiple of 16, so that what is inserted is removed again.
pub(crate) const ORDINARY: usize = 1024;

/// Some of the numbers that keys are made of. Takes no heap, so that it can be at hand while that is measured.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) from: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
}

impl Keys {
    /// The first `count`.
    pub(crate) fn first(count: usize) -> Keys {
        Keys { from: 0, step: 1, count }
    }

    /// Every `step`th of the first `among`.
    pub(crate) fn every(step: usize, among: usize) -> Keys {
        Keys { from: 0, step, count: among.div_ceil(step) }
    }

    pub(crate) fn nth(self, n: usize) -> usize {
        self.from + n * self.step
    }

    pub(crate) fn iter(self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.count).map(move |n| self.nth(n))
    }
}

/// One map's run through one scenario.
pub(crate) struct Lab {
    /// How large the scenario is.
    pub(crate) entries: usize,
    pub(crate) run: Run,
    base: Level,
    operations: u64,
    /// The curve has a point after each so many operations.
    every: u64,
    curve: Vec<Point>,
    peak: i64,
    stages: Vec<StageFigures>,
    /// Live entries, as the scenario has it.
    live: usize,
    refused: usize,
}

/// Takes one kind of map through `scenario`, on a thread of its own: what maps keep for each thread begins anew.
pub(crate) fn measure<F: Family>(entries: usize, scenario: fn(Lab) -> MapReport) -> MapReport {
    on_new_thread::<F, _>(move || scenario(Lab::new(entries)))
}

/// What a map takes that is as good as empty.
pub(crate) fn body<F: Family>() -> Body {
    on_new_thread::<F, _>(|| {
        let run = Run::new();
        let before = Level::now();
        let map = MapOf::<F, usize, Small>::default();
        let new = before.bytes_since();
        map.insert(0, run.small(0));
        let with_one = before.bytes_since();
        map.remove(&0);
        Body { map: F::NAME, itself: size_of_val(&map), new, with_one, after_one: before.bytes_since() }
    })
}

fn on_new_thread<F: Family, R: Send + 'static>(measure: impl FnOnce() -> R + Send + 'static) -> R {
    let measured = thread::Builder::new().name(F::NAME.to_owned()).spawn(move || {
        warm_up::<F>();
        measure()
    });
    measured.expect("a thread").join().expect("no scenario panics")
}

/// Has what a thread or a process needs only once allocated before the heap is measured.
fn warm_up<F: Family>() {
    let run = Run::new();
    let map = MapOf::<F, usize, _>::default();
    for n in 0..ORDINARY {
        map.insert(n, run.small(n));
        map.insert(n, run.small(n));
        map.remove(&n);
    }
    map.own_call();
}

impl Lab {
    fn new(entries: usize) -> Lab {
        let (curve, stages) = (Vec::with_capacity(POINTS), Vec::with_capacity(8));
        let run = Run::new();
        heap::reset_peak();
        let base = Level::now();
        Lab { entries, run, base, operations: 0, every: 1, curve, peak: 0, stages, live: 0, refused: 0 }
    }

    /// Counts an operation that has just been done.
    #[inline]
    pub(crate) fn done(&mut self) {
        self.operations += 1;
        if self.operations % self.every == 0 {
            self.point();
        }
    }

    fn point(&mut self) {
        if self.curve.len() == POINTS {
            // Of each two points the later one stays, with the higher peak.
            for n in 0..POINTS / 2 {
                let (one, other) = (self.curve[2 * n], self.curve[2 * n + 1]);
                self.curve[n] = Point { peak: one.peak.max(other.peak), ..other };
            }
            self.curve.truncate(POINTS / 2);
            self.every *= 2;
        }
        let (heap, peak) = (self.base.bytes_since(), self.base.peak_since());
        self.peak = self.peak.max(peak);
        self.curve.push(Point { operations: self.operations, heap, peak });
        heap::reset_peak();
    }

    /// Notes how many writes would have waited for a reader.
    pub(crate) fn refused(&mut self, writes: usize) {
        self.refused = writes;
    }

    /// Notes what is held now that `live` entries are in the map.
    pub(crate) fn reached(&mut self, stage: Stage, live: usize) {
        self.live = live;
        // The curve ends at rest.
        if stage != Stage::OwnCall {
            self.point();
        }
        let figures = StageFigures {
            stage,
            operations: self.operations,
            heap: self.base.bytes_since(),
            blocks: self.base.blocks_since(),
            undropped: self.run.alive() - live as i64,
        };
        self.stages.push(figures);
    }

    /// Operations of the ordinary kind: most read, a few insert a new key or remove it. They say whether they were answered
    /// as they must be.
    pub(crate) fn ordinary(
        &mut self,
        live: usize,
        read: impl Fn(usize) -> bool,
        insert: impl Fn(usize),
        remove: impl Fn(usize) -> bool,
    ) {
        for n in 0..ORDINARY {
            match n % 16 {
                7 => insert(n),
                8 => assert!(remove(n - 1), "what was just inserted is there"),
                _ => assert!(read(n), "live keys are there"),
            }
            self.done();
        }
        self.reached(Stage::AtRest, live);
    }

    /// Uses a map with the keys `live` for a while, and ends the scenario. Keys from `spare` on are in no use.
    pub(crate) fn rest_and_end<F: Family, K: Key, V: Value>(
        mut self,
        map: MapOf<F, K, V>,
        live: Keys,
        spare: usize,
        key: fn(usize) -> K,
        value: fn(Run, usize) -> V,
    ) -> MapReport {
        let run = self.run;
        self.ordinary(
            live.count,
            |n| map.read(&key(live.nth(n % live.count)), |_| ()).is_some(),
            |n| map.insert(key(spare + n), value(run, n)),
            |n| map.remove(&key(spare + n)),
        );
        self.finish::<F, _, _>(
            map,
            Map::count,
            Map::own_call,
            |run| live.iter().map(|n| (key(n), value(run, n))).collect::<Box<[_]>>(),
            |run| {
                let fresh = MapOf::<F, K, V>::default();
                live.iter().for_each(|n| fresh.insert(key(n), value(run, n)));
                fresh
            },
        )
    }

    /// Ends a scenario. `pack` puts the live entries in an array, and `refill` in maps that are as new.
    pub(crate) fn finish<F: Family, M, P>(
        mut self,
        maps: M,
        count: impl Fn(&M) -> usize,
        own_call: impl Fn(&M),
        pack: impl Fn(Run) -> P,
        refill: impl Fn(Run) -> M,
    ) -> MapReport {
        let peak = self.peak;
        let found = count(&maps);
        own_call(&maps);
        self.reached(Stage::OwnCall, self.live);
        drop(maps);
        let heap_after_the_map = self.base.bytes_since();
        let undropped_after_the_map = self.run.alive();

        let needed = self.bytes_of(pack);
        let fresh = self.bytes_of(refill);
        MapReport {
            map: F::NAME,
            own_call: F::OWN_CALL,
            live: self.live,
            found,
            stages: self.stages,
            peak,
            operations: self.operations,
            refused: self.refused,
            needed,
            fresh,
            heap_after_the_map,
            undropped_after_the_map,
            curve: self.curve,
        }
    }

    /// How many bytes of the heap are in use for what `make` makes.
    fn bytes_of<T>(&self, make: impl Fn(Run) -> T) -> i64 {
        let run = Run::new();
        let before = Level::now();
        let made = make(run);
        let bytes = before.bytes_since();
        drop(made);
        bytes
    }
}
