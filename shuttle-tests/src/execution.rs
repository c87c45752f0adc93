//! One run of a program.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use shuttle::{Config, FailurePersistence, MaxSteps};
use tidymap::HashMap;

use crate::actor::{Actor, Stage, crowd};
use crate::calls::Map;
use crate::checker::check_whole;
use crate::common::Ledger;
use crate::model::{Call, KEYS, Operation, Outcome, Value};
use crate::program::Program;

/// What an execution has come upon: tests that come upon nothing are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Calls that were recorded, and of these, those during which another one was open.
    pub calls: usize,
    /// See `calls`.
    pub overlapping: usize,
    /// Moments at which nobody held a guard or was in a call.
    pub calm: u64,
    /// Tables that were promoted.
    pub promotions: u64,
}

/// How shuttle is to run executions.
pub fn config() -> Config {
    let mut config = Config::new();
    // Frames are large under a sanitizer.
    config.stack_size = 1 << 20;
    config.failure_persistence = FailurePersistence::None;
    // A call takes some hundred steps: who takes so many more waits for ever.
    config.max_steps = MaxSteps::FailAfter(1 << 20);
    config.silence_warnings = true;
    config
}

/// Runs the program once, within a shuttle execution, and panics if anything is not as it should be.
pub fn execute(program: &Program) -> Seen {
    let ledger = Ledger::new();
    let (clock, active, calm) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicU64::new(0));
    let stage = Stage { ledger: &ledger, clock: &clock, active: &active, calm: &calm };
    let mut seen = Seen::default();
    {
        let mut builder = HashMap::builder().hasher(program.hashes).reclaim(program.reclaim());
        if let Some(entries) = program.max_pending {
            builder = builder.max_pending(entries);
        }
        let map: Map<'_> = builder.build();
        let mut history = fill(&map, &stage, program);
        let parts: Vec<Vec<Operation>> = shuttle::thread::scope(|scope| {
            let threads: Vec<_> = (program.threads.iter().enumerate())
                .map(|(thread, steps)| {
                    let (map, stage) = (&map, &stage);
                    scope.spawn(move || {
                        let mut actor = Actor::new(stage, map, program, thread);
                        actor.follow(steps);
                        std::mem::take(&mut actor.operations)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("it has not panicked")).collect()
        });
        history.extend(parts.into_iter().flatten());

        let stats = map.stats();
        let (len, alive) = (map.len(), ledger.live());
        assert!(stats.pending.entries <= program.batch as u64, "R2: {} wait for nobody", stats.pending.entries);
        assert_eq!(alive as u64, len as u64 + stats.pending.entries, "what is alive is there, or saved up");
        assert_eq!((stats.live_guards, stats.len), (0, len));
        assert_eq!(stats.read_len + stats.dirty_len, len, "W2: no dead entry is linked");
        assert_eq!(map.pin().iter().count(), len, "C3");
        seen.promotions = stats.promotions;
        seen.calls = history.len();
        seen.overlapping = overlapping(&history);
        seen.calm = calm.load(Relaxed);
        let mut last = Actor::new(&stage, &map, program, program.threads.len());
        (0..KEYS).for_each(|key| last.record(key, Call::Get, false));
        history.append(&mut last.operations);
        drop(last);
        check_whole(&history).unwrap_or_else(|violation| panic!("{program:?}: {violation}"));
        assert_eq!(map.reclaim(), Ok(()));
        assert_eq!(ledger.live(), len, "R3");
    }
    assert_eq!(ledger.live(), 0, "R7");
    seen
}

/// What is there when the threads begin.
fn fill<'l>(map: &Map<'l>, stage: &Stage<'l>, program: &Program) -> Vec<Operation> {
    let mut operations = Vec::new();
    for key in (0..KEYS).filter(|key| program.filled & (1 << key) != 0) {
        let value = Value { thread: u16::MAX, number: 0 };
        let invoked = stage.clock.fetch_add(1, Relaxed);
        drop(map.insert(key as u64, stage.ledger.make(value)));
        let returned = stage.clock.fetch_add(1, Relaxed);
        let (call, outcome) = (Call::Insert(value), Outcome::Old(None));
        operations.push(Operation { thread: 0, invoked, returned, key, call, outcome });
    }
    let other = Value { thread: u16::MAX, number: 1 };
    (0..program.crowd).for_each(|number| drop(map.insert(crowd(number), stage.ledger.make(other))));
    if program.promoted {
        map.shrink_to_fit();
    }
    operations
}

fn overlapping(history: &[Operation]) -> usize {
    let overlap =
        |a: &Operation, b: &Operation| a.thread != b.thread && a.invoked < b.returned && b.invoked < a.returned;
    history.iter().filter(|one| history.iter().any(|other| overlap(one, other))).count()
}
