//! C1 on real runs: threads call the map and note what each call returned, and when; then a checker looks for an order of
//! the calls that explains all of it.
//!
//! - [`model`]: the calls, and what each does to a plain map;
//! - [`history`]: records what threads do, while another one keeps the tables moving;
//! - [`checker`]: looks for the order; [`hand_written`] shows that it accepts and rejects what it should;
//! - [`calls`]: the calls on a map and in a session; [`subject`]: one-shot, in sessions, by readers; [`broken`]: maps with a bug each,
//!   which have to be rejected.
//!
//! C1 speaks of calls on one key; `clear` is held to the same: it removes all keys at one moment. An iteration is held to what C2 makes
//! of it for each key by itself: what it yields was there at some moment of it, and of what it leaves out there was such a moment without. So is
//! `retain`, whose removals are like `remove`. `len` promises nothing while a writer runs (C3), and is looked at in the end.
//!
//! There are a few long histories and many short ones, of which `HISTORIES` is the number:
//!
//! ```text
//! HISTORIES=1000000 cargo test --release --test linearizability short -- --nocapture
//! ```
//!
//! Each test makes a fixed number of calls, and no time is asserted.

mod broken;
mod calls;
mod checker;
#[path = "../common/mod.rs"]
mod common;
mod hand_written;
mod history;
mod model;
mod seen;
mod subject;

use broken::*;
use checker::{Violation, check_each_key, check_whole};
use common::{ConstantHash, GoodHash, LowBitsHash, Random};
use history::{Plan, record};
use model::{KEYS, Operation};
use seen::Seen;
use subject::{ByReaders, Capped, InOwnedSessions, InSessions, OneShot, Subject};

const MOST_THREADS: usize = if cfg!(miri) { 2 } else { 8 };
/// With each number of threads.
const ROUNDS: usize = if cfg!(miri) { 1 } else { 4 };
/// In a round, of all threads together.
const CALLS: usize = if cfg!(miri) { 40 } else { 1200 };

/// Plans for any number of threads and keys. Of other keys, so many may come at a time, at most.
fn long(with_clear: bool, crowd: usize) -> impl Iterator<Item = Plan> {
    (2..=MOST_THREADS).flat_map(move |threads| {
        (0..ROUNDS).map(move |round| Plan {
            threads,
            calls: CALLS / threads,
            keys: 1 + round % KEYS,
            with_clear,
            age: 0,
            crowd: if cfg!(miri) { 2 } else { crowd },
            seed: (threads * ROUNDS + round) as u64,
        })
    })
}

/// Plans for a sixth of the short histories: there are six tests of them. The younger and the emptier a map is, the more of what threads
/// do concerns its tables.
fn short(with_clear: bool, crowd: usize) -> impl Iterator<Item = Plan> {
    let some = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    let histories = std::env::var("HISTORIES").map_or(some, |number| number.parse().expect("a number"));
    (0..if cfg!(miri) { 1 } else { histories / 6 }).map(move |number| {
        let mut random = Random::new(number);
        let mut up_to = |most: usize| 1 + random.below(most as u64) as usize;
        let threads = 1 + up_to(MOST_THREADS - 1);
        Plan {
            threads,
            calls: up_to(80).div_ceil(threads) + 2,
            keys: up_to(KEYS - 1),
            with_clear,
            age: up_to(4) - 1,
            crowd,
            seed: 1000 + number,
        }
    })
}

/// Checks each key for itself, or, if there may be calls that concern all, all together.
fn check(plan: Plan, history: &[Operation]) -> Result<(), Violation> {
    if plan.with_clear { check_whole(history) } else { check_each_key(history) }
}

/// Records histories, each on a new map, and checks them. While they ran, the tables must have moved.
fn assert_linearizable<M: Subject>(plans: impl Iterator<Item = Plan>) {
    let mut seen = Seen::default();
    for plan in plans {
        let recorded = record::<M>(plan);
        check(plan, &recorded.operations).unwrap_or_else(|violation| panic!("{plan:?}: {violation}"));
        seen.add(&recorded);
    }
    println!("{}: {seen}", std::any::type_name::<M>());
    seen.assert_enough();
}

#[test]
fn one_shot_calls() {
    assert_linearizable::<OneShot<GoodHash>>(long(false, 48));
}

#[test]
fn one_shot_calls_with_one_hash_for_all_keys() {
    assert_linearizable::<OneShot<ConstantHash>>(long(false, 3));
}

#[test]
fn one_shot_calls_with_a_cap() {
    assert_linearizable::<Capped<GoodHash>>(long(false, 48));
}

#[test]
fn calls_in_sessions() {
    assert_linearizable::<InSessions<LowBitsHash>>(long(false, 12));
}

#[test]
fn calls_in_owned_sessions() {
    assert_linearizable::<InOwnedSessions<GoodHash>>(long(false, 12));
}

#[test]
fn calls_by_readers() {
    assert_linearizable::<ByReaders<GoodHash>>(long(false, 48));
}

#[test]
fn one_shot_calls_with_clear() {
    // Many other keys, so that a clear takes its time.
    assert_linearizable::<OneShot<GoodHash>>(long(true, 300));
}

#[test]
fn calls_in_sessions_with_clear() {
    assert_linearizable::<InSessions<GoodHash>>(long(true, 300));
}

#[test]
fn short_histories() {
    assert_linearizable::<OneShot<GoodHash>>(short(false, 24));
}

#[test]
fn short_histories_with_one_hash_for_all_keys() {
    assert_linearizable::<OneShot<ConstantHash>>(short(true, 6));
}

#[test]
fn short_histories_with_a_cap() {
    assert_linearizable::<Capped<LowBitsHash>>(short(true, 12));
}

#[test]
fn short_histories_with_clear() {
    assert_linearizable::<OneShot<GoodHash>>(short(true, 24));
}

#[test]
fn short_histories_in_sessions() {
    assert_linearizable::<InSessions<GoodHash>>(short(true, 24));
}

#[test]
fn short_histories_by_readers() {
    assert_linearizable::<ByReaders<GoodHash>>(short(true, 24));
}

/// Fails unless one of the short histories shows the bug. The map itself has to pass them all.
fn assert_rejected<B: Bug>() {
    let rejected = |plan| check(plan, &record::<With<B>>(plan).operations).is_err();
    let Some(histories) = short(true, 24).position(rejected) else { panic!("no history showed the bug") };
    println!("{}: caught by history {}", std::any::type_name::<B>(), histories + 1);
}

macro_rules! rejected {
    ($($test:ident: $bug:ty;)*) => {
        $(
            #[test]
            #[cfg_attr(miri, ignore = "too few calls to be sure of it")]
            fn $test() {
                assert_rejected::<$bug>();
            }
        )*
    };
}

rejected! {
    stale_reads_are_rejected: StaleReads;
    reads_of_an_old_table_are_rejected: OldReadTable;
    lost_updates_are_rejected: LostUpdates;
    a_key_inserted_twice_is_rejected: InsertsTwice;
    new_keys_counted_before_are_rejected: CountsBefore;
    a_comparison_before_the_exchange_is_rejected: ComparesBefore;
    double_removes_are_rejected: DoubleRemoves;
    removals_that_come_late_are_rejected: RemovesLater;
    removals_that_miss_a_busy_entry_are_rejected: MissesBusyEntries;
    inserts_lost_in_a_promotion_are_rejected: LosesInserts;
    a_clear_in_steps_is_rejected: ClearsInSteps;
    a_clear_that_leaves_an_entry_is_rejected: LeavesAnEntry;
    an_iteration_that_skips_what_changes_is_rejected: SkipsWhatChanges;
    an_iteration_over_the_past_is_rejected: IteratesOverThePast;
    a_retain_that_leaves_what_changes_is_rejected: RetainsWhatChanges;
}
