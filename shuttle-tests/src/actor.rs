//! A thread that follows its part of a program, and notes what its calls return, and when.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use tidymap::{ReclaimError, Ref};

use crate::calls::{ByReader, Map, Pair, Session, Stored, in_session, on_map};
use crate::common::Ledger;
use crate::model::{Call, KEYS, Operation, Outcome, State, Value};
use crate::program::{Kind, Program, Step};

/// What the threads of an execution share beside the map. Not scheduled, and no part of what is tested: between two accesses of the
/// map's nobody else runs.
pub(crate) struct Stage<'l> {
    pub(crate) ledger: &'l Ledger,
    /// Moves on with every beginning and every end of a call.
    pub(crate) clock: &'l AtomicU64,
    /// Threads that are in a call, or hold a guard.
    pub(crate) active: &'l AtomicUsize,
    /// How often nobody was, and all was in order.
    pub(crate) calm: &'l AtomicU64,
}

pub(crate) struct Actor<'s, 'm, 'l> {
    stage: &'s Stage<'l>,
    map: &'m Map<'l>,
    batch: usize,
    thread: usize,
    /// Dropped in this order, which is any: they may end in any order.
    session: Option<Session<'m, 'l>>,
    reader: ByReader<'m, 'l>,
    kept: Option<(Ref<'m, u64, Stored<'l>>, Value)>,
    /// What this thread has found or written last: what its `compare_exchange` expects.
    latest: State,
    pub(crate) operations: Vec<Operation>,
}

impl<'s, 'm, 'l> Actor<'s, 'm, 'l> {
    pub(crate) fn new(stage: &'s Stage<'l>, map: &'m Map<'l>, program: &Program, thread: usize) -> Self {
        let (latest, operations) = (State::default(), Vec::new());
        let (batch, reader) = (program.batch, map.reader());
        Actor { stage, map, batch, thread, session: None, reader, kept: None, latest, operations }
    }

    pub(crate) fn follow(&mut self, steps: &[Step]) {
        steps.iter().for_each(|step| self.step(step));
        // Its guards end, one after the other.
        self.step(&Step::Close);
        self.step(&Step::LetGo);
        self.step(&Step::Park);
    }

    fn holds_guard(&self) -> bool {
        self.session.is_some() || self.kept.is_some() || !self.reader.is_parked()
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let held_before = self.holds_guard();
        self.stage.clock.fetch_add(1, Relaxed);
        if !held_before {
            self.stage.active.fetch_add(1, Relaxed);
        }
        self.act(step);
        self.stage.clock.fetch_add(1, Relaxed);
        if !self.holds_guard() && self.stage.active.fetch_sub(1, Relaxed) == 1 {
            self.look_around();
        }
    }

    /// R1, R2: nobody holds a guard or is in a call, so only what is in the map is alive, and what may be saved up.
    fn look_around(&self) {
        let now = self.stage.clock.load(Relaxed);
        let len = self.map.len();
        let alive = self.stage.ledger.live();
        // Unless somebody has begun meanwhile.
        if self.stage.clock.load(Relaxed) == now {
            assert!(alive >= len, "{alive} values are alive, and {len} are in the map");
            assert!(alive - len <= self.batch, "{alive} values are alive, {len} are in the map, and nobody looks");
            self.stage.calm.fetch_add(1, Relaxed);
        }
    }

    fn act(&mut self, step: &Step) {
        let (map, ledger) = (self.map, self.stage.ledger);
        match *step {
            Step::Call(key, kind) => self.call(key, kind, true),
            Step::OneShot(key, kind) => self.call(key, kind, false),
            Step::Read(key) => self.read(key),
            Step::Park => self.reader.park(),
            Step::Open => self.session = Some(map.pin()),
            Step::Close => self.session = None,
            Step::Refresh => {
                if let Some(session) = &mut self.session {
                    session.refresh();
                }
            }
            Step::Keep(key) => {
                self.let_go();
                self.kept = map.get(&(key as u64)).map(|found| {
                    let value = found.read();
                    (found, value)
                });
            }
            Step::LetGo => self.let_go(),
            Step::Crowd(number) => drop(map.insert(crowd(number), ledger.make(self.value()))),
            Step::Disperse(number) => drop(map.remove(&crowd(number))),
            Step::Iterate => {
                let session = map.pin();
                let mut met = Vec::new();
                for (key, value) in &session {
                    assert!(!met.contains(key), "key {key} was met twice (C2)");
                    met.push(*key);
                    value.id();
                }
            }
            Step::ShrinkToFit => map.shrink_to_fit(),
            Step::Reserve(additional) => map.reserve(additional),
            Step::Reclaim => {
                let would_wait = self.holds_guard();
                assert_eq!(map.reclaim(), if would_wait { Err(ReclaimError::GuardHeld) } else { Ok(()) }, "R3");
            }
            Step::TryReclaim => _ = map.try_reclaim(),
            Step::Figures => {
                let stats = map.stats();
                assert!(stats.retired >= stats.freed && stats.live_guards >= usize::from(self.holds_guard()));
                assert!(!self.holds_guard() || !map.guards().is_empty(), "R8");
            }
        }
    }

    fn let_go(&mut self) {
        if let Some((kept, value)) = self.kept.take() {
            assert_eq!(kept.read(), value, "a reference that was kept");
        }
    }

    fn value(&self) -> Value {
        Value { thread: self.thread as u16, number: self.operations.len() as u16 }
    }

    fn call(&mut self, key: usize, kind: Kind, may_use_session: bool) {
        let new = self.value();
        let call = match kind {
            Kind::Get => Call::Get,
            Kind::ContainsKey => Call::ContainsKey,
            Kind::Insert => Call::Insert(new),
            Kind::TryInsert => Call::TryInsert(new),
            Kind::GetOrInsert => Call::GetOrInsert(new),
            Kind::Update => Call::Update(new),
            // Of the key when the program begins, if nothing is known of it.
            Kind::CompareExchange => Call::CompareExchange {
                expected: self.latest[key].unwrap_or(Value { thread: u16::MAX, number: 0 }),
                new,
            },
            Kind::Compute => Call::Compute(new),
            Kind::Remove => Call::Remove,
            Kind::RemoveIf => Call::RemoveIf,
            Kind::InsertMany => Call::InsertMany(new),
            Kind::RemoveMany => Call::RemoveMany,
            Kind::Clear => Call::Clear,
        };
        self.record(key, call, may_use_session);
    }

    pub(crate) fn record(&mut self, key: usize, call: Call, may_use_session: bool) {
        let ledger = self.stage.ledger;
        self.note(key, call, |actor| match &actor.session {
            Some(session) if may_use_session => in_session(session, ledger, key, call),
            _ => on_map(actor.map, ledger, key, call),
        });
    }

    fn read(&mut self, key: usize) {
        self.note(key, Call::Get, |actor| Outcome::Found(actor.reader.get(&(key as u64)).map(|found| found.read())));
    }

    fn note(&mut self, key: usize, call: Call, perform: impl FnOnce(&mut Self) -> Outcome) {
        let invoked = self.stage.clock.fetch_add(1, Relaxed);
        let outcome = perform(self);
        let returned = self.stage.clock.fetch_add(1, Relaxed);
        self.latest[key] = outcome.seen().filter(|_| call.writes().is_none()).or(call.writes());
        self.operations.push(Operation { thread: self.thread, invoked, returned, key, call, outcome });
    }
}

/// A key that is not recorded.
pub(crate) fn crowd(number: u64) -> u64 {
    KEYS as u64 + number
}
