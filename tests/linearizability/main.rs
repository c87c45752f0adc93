//! C1 on real runs: threads call the map and note what each call returned, and when; then a checker looks for an order of
//! the calls that explains all of it.
//!
//! - [`model`]: the calls, and what each does to a plain map;
//! - [`history`]: records what threads do, while another one keeps the tables moving;
//! - [`checker`]: looks for the order; [`hand_written`] shows that it accepts and rejects what it should;
//! - [`subject`]: the map, one-shot or in sessions, as the recorder sees it; [`broken`]: maps with a bug each, which have to
//!   be rejected.
//!
//! C1 speaks of calls on one key; `clear` is held to the same: it removes all keys at one moment.
//! Each test makes a fixed number of calls, and no time is asserted. `len` is left out: it promises nothing while a writer
//! runs (C3).

mod broken;
mod checker;
#[path = "../common/mod.rs"]
mod common;
mod hand_written;
mod history;
mod model;
mod subject;

use broken::{ClearsInSteps, DoubleRemoves, LostUpdates, StaleReads, With};
use checker::{Violation, check_each_key, check_whole};
use common::{ConstantHash, GoodHash, LowBitsHash};
use history::{Plan, record};
use model::{KEYS, Operation};
use subject::{InSessions, OneShot, Subject};

const MOST_THREADS: usize = if cfg!(miri) { 2 } else { 8 };
/// With each number of threads.
const ROUNDS: usize = if cfg!(miri) { 1 } else { 8 };
/// In a round, of all threads together.
const CALLS: usize = if cfg!(miri) { 40 } else { 1200 };

/// Plans for any number of threads and keys. Of other keys, so many may come at a time, at most.
fn plans(with_clear: bool, crowd: usize) -> impl Iterator<Item = Plan> {
    (2..=MOST_THREADS).flat_map(move |threads| {
        (0..ROUNDS).map(move |round| Plan {
            threads,
            calls: CALLS / threads,
            keys: 1 + round % KEYS,
            with_clear,
            crowd: if cfg!(miri) { 2 } else { crowd },
            seed: (threads * ROUNDS + round) as u64,
        })
    })
}

/// Checks each key for itself, or, if there may be calls that concern all, all together.
fn check(plan: Plan, history: &[Operation]) -> Result<(), Violation> {
    if plan.with_clear { check_whole(history) } else { check_each_key(history) }
}

/// Records histories, each on a new map, and checks them. While they ran, the tables must have moved.
fn assert_linearizable<M: Subject>(with_clear: bool, crowd: usize) {
    let (mut histories, mut promotions, mut growths) = (0, 0, 0);
    for plan in plans(with_clear, crowd) {
        let recorded = record::<M>(plan);
        check(plan, &recorded.operations).unwrap_or_else(|violation| panic!("{plan:?}: {violation}"));
        histories += 1;
        promotions += recorded.movement.promotions;
        growths += recorded.movement.growths;
    }
    let moved = promotions.min(growths) >= histories;
    assert!(moved || cfg!(miri), "in {histories} histories {promotions} promotions, and tables grew {growths} times");
}

#[test]
fn one_shot_calls() {
    assert_linearizable::<OneShot<GoodHash>>(false, 48);
}

#[test]
fn one_shot_calls_with_one_hash_for_all_keys() {
    assert_linearizable::<OneShot<ConstantHash>>(false, 3);
}

#[test]
fn calls_in_sessions() {
    assert_linearizable::<InSessions<LowBitsHash>>(false, 12);
}

#[test]
fn one_shot_calls_with_clear() {
    // Many other keys, so that a clear takes its time.
    assert_linearizable::<OneShot<GoodHash>>(true, 300);
}

#[test]
fn calls_in_sessions_with_clear() {
    assert_linearizable::<InSessions<GoodHash>>(true, 300);
}

/// Fails unless one of the histories shows the bug. The map itself has to pass as many.
fn assert_rejected<B>(with_clear: bool)
where
    With<B>: Subject,
{
    let rejected = |plan| check(plan, &record::<With<B>>(plan).operations).is_err();
    assert!(plans(with_clear, 48).any(rejected), "no history showed the bug");
}

#[test]
#[cfg_attr(miri, ignore = "too few calls to be sure of it")]
fn stale_reads_are_rejected() {
    assert_rejected::<StaleReads>(false);
}

#[test]
#[cfg_attr(miri, ignore = "too few calls to be sure of it")]
fn lost_updates_are_rejected() {
    assert_rejected::<LostUpdates>(false);
}

#[test]
#[cfg_attr(miri, ignore = "too few calls to be sure of it")]
fn double_removes_are_rejected() {
    assert_rejected::<DoubleRemoves>(false);
}

#[test]
#[cfg_attr(miri, ignore = "too few calls to be sure of it")]
fn a_clear_in_steps_is_rejected() {
    assert_rejected::<ClearsInSteps>(true);
}
