//! Everything that the map can do, in any order, beside a map of the standard library that does the same.
//!
//! One thread, so that after every step everything is known: what the step returned, what the map holds, and what is alive.
//! With no guard live, that is what the map holds, and nothing else (R1); with some, it is that and what was unlinked
//! since the oldest of those that are still live was taken (R2), and the map's figures say so (R8).
//!
//! - [`steps`]: what is done, and [`strategies`], in which order; [`run`], [`guards`], [`many`] and [`flights`]: do it, to a map and to its
//!   [`model`], and compare; [`exclusive`]: the same of calls for which the run on the map has to end; [`state`]: what is known meanwhile;
//!   [`settings`]: what map, from its beginning to its end;
//! - [`answers`]: what operations return; [`world`]: the keys and values.
//!
//! Code of the user's may panic at any of its calls ([`common::fuse`]). All that is said above holds then, too: of each key the call
//! has done what it was to do, or nothing.

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod exclusive;
mod flights;
mod guards;
mod many;
mod model;
mod run;
mod settings;
mod state;
mod steps;
mod strategies;
mod world;

use proptest::prelude::*;
use tidymap::Reclaim;

use common::{ConstantHash, GoodHash, LowBitsHash};
use settings::{Settings, run};
use strategies::{fuses, step};

impl<S: Default> Default for Settings<S> {
    fn default() -> Settings<S> {
        let (hasher, reclaim) = (S::default(), Reclaim::Immediate);
        Settings { hasher, capacity: 0, reclaim, max_pending: None, hook: false, fuses: Vec::new() }
    }
}

/// A number of cases that keeps each test to some seconds without optimization.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn with_a_good_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, GoodHash>(Settings::default(), &steps);
    }

    #[test]
    fn with_a_constant_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, ConstantHash>(Settings { max_pending: Some(3), hook: true, ..Settings::default() }, &steps);
    }

    #[test]
    fn with_a_low_bits_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, LowBitsHash>(Settings { hook: true, ..Settings::default() }, &steps);
    }

    #[test]
    fn with_large_values(steps in prop::collection::vec(step(), 1..120)) {
        run::<[u64; 9], GoodHash>(Settings { capacity: 50, max_pending: Some(1), ..Settings::default() }, &steps);
    }

    #[test]
    fn with_garbage_in_batches(steps in prop::collection::vec(step(), 1..120), items in 0..20usize) {
        let reclaim = Reclaim::Batched(items);
        let settings = Settings { reclaim, max_pending: Some(10), hook: true, ..Settings::default() };
        run::<u64, LowBitsHash>(settings, &steps);
    }

    /// F1, R5: at any call of the user's code.
    #[test]
    fn with_panics(steps in prop::collection::vec(step(), 1..120), fuses in fuses()) {
        run::<u64, LowBitsHash>(Settings { fuses, ..Settings::default() }, &steps);
    }

    #[test]
    fn with_panics_and_batches(
        steps in prop::collection::vec(step(), 1..120),
        fuses in fuses(),
        items in 0..20usize,
        hook in any::<bool>(),
    ) {
        let reclaim = Reclaim::Batched(items);
        let settings = Settings { fuses, reclaim, max_pending: Some(10), hook, ..Settings::default() };
        run::<u64, LowBitsHash>(settings, &steps);
    }
}
