//! Any steps, chosen by proptest.

use std::hash::BuildHasher;

use proptest::prelude::*;
use tidymap::Reclaim;

use crate::common::fuse::Fuse;
use crate::common::{ConstantHash, GoodHash, LowBitsHash};
use crate::run::{Settings, Step, run_with};
use crate::twin::Op;

fn value() -> impl Strategy<Value = u8> {
    prop_oneof![9 => 0..12u8, 1 => any::<u8>()]
}

/// A few, among them some twice; or so many that they are done in more than one group.
fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => prop::collection::vec(value(), 0..12), 1 => prop::collection::vec(any::<u8>(), 60..150)]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => value().prop_map(Op::Contains),
        2 => value().prop_map(Op::Get),
        8 => value().prop_map(Op::Insert),
        3 => value().prop_map(Op::GetOrInsert),
        4 => value().prop_map(Op::Remove),
        3 => value().prop_map(Op::Take),
        3 => values().prop_map(Op::InsertMany),
        2 => values().prop_map(Op::RemoveMany),
        1 => any::<u8>().prop_map(Op::Retain),
        1 => Just(Op::Clear),
        1 => Just(Op::Len),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => op().prop_map(Step::OneShot),
        16 => (any::<usize>(), op()).prop_map(|(session, op)| Step::InSession(session, op)),
        4 => Just(Step::Open),
        4 => any::<usize>().prop_map(Step::Close),
        2 => any::<usize>().prop_map(Step::Refresh),
        2 => value().prop_map(Step::Keep),
        4 => value().prop_map(Step::KeepTaken),
        4 => any::<usize>().prop_map(Step::LetGo),
        3 => any::<usize>().prop_map(Step::TakeByValue),
        3 => value().prop_map(Step::TakeOwned),
        2 => prop::collection::vec(op(), 0..6).prop_map(Step::Iterate),
        2 => values().prop_map(Step::Reads),
        4 => values().prop_map(Step::WithAnother),
        1 => values().prop_map(Step::CloneCompareExtend),
        1 => prop::option::of(0..500u16).prop_map(Step::Reserve),
        1 => Just(Step::ShrinkToFit),
        2 => any::<bool>().prop_map(Step::Reclaim),
        1 => Just(Step::TryReclaim),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120)
}

/// Fuses for the calls of a run: one panic in most, several in some.
fn fuses() -> impl Strategy<Value = Vec<Option<Fuse>>> {
    let fuse = (0..12u32, prop::option::of(0..3u32)).prop_map(|(first, again)| Fuse { first, again });
    prop::collection::vec(prop::option::of(fuse), 0..120)
}

impl<S: Default> Default for Settings<S> {
    fn default() -> Settings<S> {
        let (hasher, reclaim) = (S::default(), Reclaim::Immediate);
        Settings { hasher, reclaim, max_pending: None, fuses: Vec::new() }
    }
}

fn run<S: BuildHasher + Clone + Default>(settings: Settings<S>, steps: &[Step]) {
    run_with(settings, steps, |run, step: &Step| run.step(step));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn with_a_good_hash(steps in steps()) {
        run::<GoodHash>(Settings::default(), &steps);
    }

    #[test]
    fn with_a_constant_hash(steps in steps()) {
        run::<ConstantHash>(Settings { max_pending: Some(3), ..Settings::default() }, &steps);
    }

    #[test]
    fn with_garbage_in_batches(steps in steps(), items in 0..20usize) {
        let reclaim = Reclaim::Batched(items);
        run::<LowBitsHash>(Settings { reclaim, max_pending: Some(10), ..Settings::default() }, &steps);
    }

    /// F1, R5: at any call of the user's code.
    #[test]
    fn with_panics(steps in steps(), fuses in fuses()) {
        run::<LowBitsHash>(Settings { fuses, ..Settings::default() }, &steps);
    }

    #[test]
    fn with_panics_and_batches(steps in steps(), fuses in fuses(), items in 0..20usize) {
        let reclaim = Reclaim::Batched(items);
        run::<LowBitsHash>(Settings { fuses, reclaim, max_pending: Some(10), ..Settings::default() }, &steps);
    }
}
