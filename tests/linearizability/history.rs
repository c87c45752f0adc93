//! Records what threads do to a map. Each keeps its own list; what they share is the clock, a counter.
//!
//! A counter, not the time of day: its numbers are never equal, so there is one order of all beginnings and ends, and on
//! every machine what returned at one number has happened before what began at a higher one, in the sense of the memory model. Clocks
//! of different processors promise no such thing. The price: a counter is a fence around each call, so what a call itself forgets
//! to order can go unseen; that is for the models under loom.

use std::hash::BuildHasher;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

use crate::calls::{Calls, Key, Map};
use crate::common::{Random, in_parallel};
use crate::model::{Call, KEYS, Operation, Outcome, State, Value};
use crate::subject::Subject;

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
    /// How often other keys have come and gone before the threads begin.
    pub(crate) age: usize,
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

    /// Has the next call made, and notes what it returned, and when.
    pub(crate) fn record(&mut self, calls: &impl Calls) {
        let key = self.below(self.plan.keys);
        let call = self.choose(key);
        if call.sweeps() { self.record_sweep(call, calls) } else { self.record_call(key, call, calls) }
    }

    fn record_call(&mut self, key: usize, call: Call, calls: &impl Calls) {
        let invoked = self.clock.now();
        let outcome = calls.perform(key, call);
        self.note(invoked, key, call, outcome);
    }

    /// A call for each key, which all take as long as the sweep does.
    fn record_sweep(&mut self, call: Call, calls: &impl Calls) {
        let invoked: Vec<u64> = (0..self.plan.keys).map(|_| self.clock.now()).collect();
        let outcomes = calls.sweep(self.plan.keys, call);
        for (key, invoked) in invoked.into_iter().enumerate() {
            self.note(invoked, key, call, outcomes[key]);
        }
    }

    fn note(&mut self, invoked: u64, key: usize, call: Call, outcome: Outcome) {
        let returned = self.clock.now();
        self.latest[key] = match outcome {
            Outcome::Found(now) | Outcome::Kept(now) => now,
            Outcome::Inserted(new) | Outcome::Updated { new, .. } => Some(new),
            Outcome::Old(_) | Outcome::Present(_) | Outcome::Done => call.writes(),
        };
        self.operations.push(Operation { thread: self.thread, invoked, returned, key, call, outcome });
    }

    fn choose(&mut self, key: usize) -> Call {
        let new = Value { thread: self.thread as u16, number: self.operations.len() as u16 };
        match self.below(36) {
            0..4 => Call::Insert(new),
            4 | 5 => Call::TryInsert(new),
            6 => Call::GetOrInsert(new),
            7 => Call::GetOrInsertWith(new),
            8 => Call::Update(new),
            9 => Call::UpdateOrInsert(new),
            10 => Call::UpdateOrInsertWith(new),
            11 | 12 => Call::Compute(new),
            13..16 => match self.latest[key] {
                Some(expected) => Call::CompareExchange { expected, new },
                None => Call::Update(new),
            },
            16..19 => Call::Remove,
            19 => Call::RemoveIf,
            20 => Call::RemoveEntry,
            21 => Call::RemoveOwned,
            22 => Call::ContainsKey,
            23 => Call::Iterate,
            24 if self.random.once_in(2) => Call::Retain,
            // Rarely, or there would be little to clear.
            25 if self.plan.with_clear && self.random.once_in(2) => Call::Clear,
            26 | 27 => Call::Read,
            28 => Call::InsertMany(new),
            29 => Call::RemoveMany,
            30 if self.random.once_in(2) => Call::GetMany,
            31 if self.random.once_in(2) => Call::InsertAll(new),
            // Says nothing of what it found, so much may explain it: too much for a search over all keys together.
            31 if !self.plan.with_clear => Call::RemoveAll,
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
    let mut disturber = Disturber::new(subject.map(), plan);
    (0..plan.age).for_each(|_| disturber.disturb());
    let shared = Mutex::new((Vec::new(), disturber));
    let shared_now = || shared.lock().expect("no thread panics with this in its hands");
    in_parallel(plan.threads + 1, |thread| {
        if thread == plan.threads {
            while working.load(Relaxed) > 0 {
                shared_now().1.disturb();
            }
            return;
        }
        let last = Countdown(&working);
        let mut script = Script::new(plan, &clock, thread);
        subject.follow(&mut script, plan.calls);
        drop(last);
        shared_now().0.append(&mut script.operations);
    });
    let (mut operations, disturber) = shared.into_inner().expect("no thread has panicked");
    let mut last = Script::new(plan, &clock, plan.threads);
    (0..plan.keys).for_each(|key| last.record_call(key, Call::Get, &subject));
    last.record_sweep(Call::Iterate, &subject);
    // Exact when no writer runs (C3).
    assert_eq!(subject.map().len(), subject.map().pin().iter().count());
    operations.append(&mut last.operations);
    Recorded { operations, movement: disturber.movement }
}

/// Keeps the tables moving while others work: ever new keys come and go, so that tables grow, are promoted, and shrink.
struct Disturber<'m, S> {
    map: &'m Map<S>,
    plan: Plan,
    random: Random,
    /// The next new key.
    next: usize,
    /// What the tables took when they were last looked at.
    bytes: u64,
    movement: Movement,
}

impl<'m, S: BuildHasher> Disturber<'m, S> {
    fn new(map: &'m Map<S>, plan: Plan) -> Disturber<'m, S> {
        Disturber { map, plan, random: Random::new(plan.seed), next: KEYS, bytes: 0, movement: Movement::default() }
    }

    fn disturb(&mut self) {
        let Disturber { map, plan, random, .. } = self;
        let new = self.next..self.next + 1 + random.below(plan.crowd as u64) as usize;
        self.next = new.end;
        let value = Value { thread: u16::MAX, number: 0 };
        new.clone().for_each(|key| drop(map.insert(Key(key), value)));
        // Reads that miss the read table: they make promotions due.
        (0..4).for_each(|_| new.clone().for_each(|key| drop(map.get(&Key(key)))));
        match random.below(10) {
            0 | 1 => map.shrink_to_fit(),
            2 => map.reserve(plan.crowd),
            3 => map.retain(|key, _| key.0 < KEYS),
            4 => assert_eq!(map.reclaim(), Ok(())),
            5 => drop(map.try_reclaim()),
            6 | 7 => (),
            _ => new.for_each(|key| drop(map.remove(&Key(key)))),
        }
        let stats = map.stats();
        self.movement.promotions = stats.promotions;
        self.movement.growths += u64::from(stats.heap.tables > self.bytes);
        self.bytes = stats.heap.tables;
    }
}

/// Counts down when it goes, even if that is because of a panic: who waits for zero must be told.
struct Countdown<'c>(&'c AtomicUsize);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
