//! Records what threads do to a map. Each keeps its own list; what they share is the clock, a counter.
//!
//! A counter, not the time of day: its numbers are never equal, so there is one order of all beginnings and ends, and on
//! every machine what returned at one number has happened before what began at a higher one, in the sense of the memory model. Clocks
//! of different processors promise no such thing. The price: a counter is a fence around each call, so what a call itself forgets
//! to order can go unseen; that is for the models under loom.

use std::hash::BuildHasher;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

use crate::common::{Random, in_parallel};
use crate::model::{Call, KEYS, Operation, Outcome, State, Value};
use crate::subject::{Key, Map, Subject};

#[derive(Default)]
struct Clock(AtomicU64);

impl Clock {
    fn now(&self) -> u64 {
        self.0.fetch_add(1, SeqCst)
    }
}

/// What the threads of a history do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) threads: usize,
    /// Of each thread.
    pub(crate) calls: usize,
    pub(crate) keys: usize,
    pub(crate) with_clear: bool,
    /// How many other keys come at a time, at most.
    pub(crate) crowd: usize,
    pub(crate) seed: u64,
}

/// The calls of a thread: chosen by chance, and noted.
pub(crate) struct Script<'c> {
    plan: Plan,
    clock: &'c Clock,
    thread: usize,
    random: Random,
    /// What this thread has found or written last: what its `compare_exchange` expects.
    latest: State,
    operations: Vec<Operation>,
}

impl<'c> Script<'c> {
    fn new(plan: Plan, clock: &'c Clock, thread: usize) -> Script<'c> {
        let random = Random::new(plan.seed * 100 + thread as u64);
        Script { plan, clock, thread, random, latest: State::default(), operations: Vec::with_capacity(plan.calls) }
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.random.below(end as u64) as usize
    }

    /// Has the next call performed, and notes what it returned, and when.
    pub(crate) fn record(&mut self, perform: impl FnOnce(usize, Call) -> Outcome) {
        let key = self.below(self.plan.keys);
        let call = self.choose(key);
        self.record_call(key, call, perform);
    }

    fn record_call(&mut self, key: usize, call: Call, perform: impl FnOnce(usize, Call) -> Outcome) {
        let invoked = self.clock.now();
        let outcome = perform(key, call);
        let returned = self.clock.now();
        self.latest[key] = match outcome {
            Outcome::Found(now) | Outcome::Kept(now) => now,
            _ => call.writes(),
        };
        self.operations.push(Operation { thread: self.thread, invoked, returned, key, call, outcome });
    }

    fn choose(&mut self, key: usize) -> Call {
        let new = Value { thread: self.thread as u16, number: self.operations.len() as u16 };
        match self.below(20) {
            0..3 => Call::Insert(new),
            3 | 4 => Call::TryInsert(new),
            5 => Call::GetOrInsert(new),
            6 => Call::Update(new),
            7 | 8 => Call::Compute(new),
            9 | 10 => match self.latest[key] {
                Some(expected) => Call::CompareExchange { expected, new },
                None => Call::Update(new),
            },
            11..14 => Call::Remove,
            14 => Call::RemoveIf,
            15 => Call::ContainsKey,
            // Rarely, or there would be little to clear.
            16 if self.plan.with_clear && self.random.once_in(4) => Call::Clear,
            _ => Call::Get,
        }
    }
}

/// A history, and how much the map's tables moved meanwhile.
pub(crate) struct Recorded {
    pub(crate) operations: Vec<Operation>,
    pub(crate) movement: Movement,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Movement {
    pub(crate) promotions: u64,
    /// How often the tables took more memory than before.
    pub(crate) growths: u64,
}

/// Records what the plan's threads do to a new map, and what is there when they are done.
pub(crate) fn record<M: Subject>(plan: Plan) -> Recorded {
    let subject = M::default();
    let clock = Clock::default();
    let working = AtomicUsize::new(plan.threads);
    let recorded = Mutex::new(Recorded { operations: Vec::new(), movement: Movement::default() });
    let recorded_now = || recorded.lock().expect("no thread panics with this in its hands");
    in_parallel(plan.threads + 1, |thread| {
        if thread == plan.threads {
            let movement = disturb(subject.map(), plan, &working);
            recorded_now().movement = movement;
            return;
        }
        let _last = Countdown(&working);
        let mut script = Script::new(plan, &clock, thread);
        subject.follow(&mut script, plan.calls);
        recorded_now().operations.append(&mut script.operations);
    });
    let mut recorded = recorded.into_inner().expect("no thread has panicked");
    let mut last = Script::new(plan, &clock, plan.threads);
    (0..plan.keys).for_each(|key| last.record_call(key, Call::Get, |key, call| subject.perform(key, call)));
    recorded.operations.append(&mut last.operations);
    recorded
}

/// Keeps the tables moving while others work: ever new keys come and go, so that tables grow, are promoted, and shrink.
fn disturb<S: BuildHasher>(map: &Map<S>, plan: Plan, working: &AtomicUsize) -> Movement {
    let mut random = Random::new(plan.seed);
    let (mut movement, mut bytes) = (Movement::default(), 0);
    let mut next = KEYS;
    while working.load(Relaxed) > 0 {
        let new = next..next + 1 + random.below(plan.crowd as u64) as usize;
        next = new.end;
        let value = Value { thread: u16::MAX, number: 0 };
        new.clone().for_each(|key| drop(map.insert(Key(key), value)));
        // Reads that miss the read table: they make promotions due.
        (0..4).for_each(|_| new.clone().for_each(|key| drop(map.get(&Key(key)))));
        match random.below(8) {
            0 => map.shrink_to_fit(),
            1 => map.reserve(plan.crowd),
            2 => map.retain(|key, _| key.0 < KEYS),
            3 => assert_eq!(map.reclaim(), Ok(())),
            4 | 5 => (),
            _ => new.for_each(|key| drop(map.remove(&Key(key)))),
        }
        let stats = map.stats();
        movement.promotions = stats.promotions;
        movement.growths += u64::from(stats.heap.tables > bytes);
        bytes = stats.heap.tables;
    }
    movement
}

/// Counts down when it goes, even if that is because of a panic: who waits for zero must be told.
struct Countdown<'c>(&'c AtomicUsize);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
