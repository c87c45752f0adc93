//! Everything that the map can do, in any order, beside a map of the standard library that does the same.
//!
//! One thread, so that after every step everything is known: what the step returned, what the map holds, and what is alive.
//! With no guard live, that is what the map holds, and nothing else (R1); with some, it is that and what was unlinked
//! since the oldest of those that are still live was taken (R2), and the map's figures say so (R8).
//!
//! - [`steps`]: what is done, and in which order; [`run`]: does it, to a map and to its [`model`], and compares;
//! - [`answers`]: what operations return; [`world`]: the keys and values.

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod model;
mod run;
mod steps;
mod world;

use std::cell::Cell;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tidymap::{Builder, HashMap, Reclaim};

use common::{ConstantHash, GoodHash, Ledger, LowBitsHash};
use model::Model;
use run::Run;
use steps::{Step, step};
use world::{Key, Payload, Value, World};

fn run<P: Payload, S: BuildHasher + Clone + Default>(
    steps: &[Step],
    reclaim: Reclaim,
    max_pending: Option<usize>,
    hook: bool,
) {
    let (keys, values) = (Ledger::new(), Ledger::new());
    {
        let builder: Builder<Key<'_>, Value<'_, P>> = HashMap::builder();
        let mut builder = builder.hasher(S::default()).reclaim(reclaim);
        if let Some(entries) = max_pending {
            builder = builder.max_pending(entries);
        }
        let hooked = hook.then(Arc::<AtomicU64>::default);
        if let Some(hooked) = hooked.clone() {
            builder = builder.on_reclaim(move |_| _ = hooked.fetch_add(1, Ordering::Relaxed));
        }
        let map = builder.build();
        let batch = match reclaim {
            Reclaim::Batched(items) => items as u64,
            _ => 0,
        };
        let world = World { keys: &keys, values: &values, values_made: Cell::new(0) };
        let (model, sessions) = (Model::default(), Vec::new());
        let mut run = Run { world, map: &map, batch, hooked, of_clones: 0, by_value: 0, model, sessions };
        for step in steps {
            run.step(step);
        }
        run.check_contents();
        for number in 0..run.sessions.len() {
            run.step(&Step::Close(number));
        }
        run.check_contents();
        drop(run);
        map.try_reclaim();
        keys.assert_alive(map.pin().keys());
        values.assert_alive(map.pin().values());
    }
    assert_eq!((keys.live(), values.live()), (0, 0), "left after the map is gone");
}

/// A number of cases that keeps each test to some seconds without optimization.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn with_a_good_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, GoodHash>(&steps, Reclaim::Immediate, None, false);
    }

    #[test]
    fn with_a_constant_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, ConstantHash>(&steps, Reclaim::Immediate, Some(3), true);
    }

    #[test]
    fn with_a_low_bits_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, LowBitsHash>(&steps, Reclaim::Immediate, None, true);
    }

    #[test]
    fn with_large_values(steps in prop::collection::vec(step(), 1..120)) {
        run::<[u64; 9], GoodHash>(&steps, Reclaim::Immediate, Some(1), false);
    }

    #[test]
    fn with_garbage_in_batches(steps in prop::collection::vec(step(), 1..120), items in 0..20usize) {
        run::<u64, LowBitsHash>(&steps, Reclaim::Batched(items), Some(10), true);
    }
}
