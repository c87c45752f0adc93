//! What a call was about to return when it had to panic: neither it nor its guard is leaked.
//!
//! The compiler does not drop a return value that is in its place already when the destructor of a local variable panics
//! (rust-lang/rust#47949), so nothing that may panic may be left for the end of a function that returns something owned.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use tidymap::{Compute, Operation};

use crate::hostile::{Fault, Ledgers, Map, State, assert_gone, assert_whole, fill};

/// Runs `call`, which is told how to have a value removed that panics when it is dropped: by another thread, so that the guard of
/// `call` is the one that drops it. Nothing is leaked.
fn panics_at_the_end_of_its_guard(ledgers: &'static Ledgers, call: impl Fn(&Map<0>, &dyn Fn())) {
    let map = Map::<0>::with_hasher(State);
    fill(&map, ledgers, 4);
    drop(map.insert(ledgers.key(3), ledgers.value(1).armed()));
    let remove = || {
        let remover = || assert!(map.remove(&ledgers.key(3)).is_some());
        thread::scope(|scope| scope.spawn(remover).join().expect("our guard holds it back"));
    };
    let panic = catch_unwind(AssertUnwindSafe(|| call(&map, &remove))).expect_err("it is dropped here");
    assert!(panic.is::<Fault>());
    assert_whole(&map, ledgers, "after a panic at the end of a guard");
    drop(map);
    assert_gone(ledgers, "after a panic at the end of a guard");
}

#[test]
fn f1_a_result_is_not_leaked_when_the_end_of_its_calls_guard_panics() {
    let ledgers = Ledgers::leaked();
    panics_at_the_end_of_its_guard(ledgers, |map, remove| {
        let read = map.read(&ledgers.key(1), |_, value| {
            remove();
            value.clone()
        });
        unreachable!("it has returned {read:?}");
    });
    panics_at_the_end_of_its_guard(ledgers, |map, remove| {
        let next = |_: Option<(&_, &_)>| {
            remove();
            Operation::Abort(ledgers.key(9))
        };
        let given_up = matches!(map.compute(ledgers.key(1), next), Compute::Aborted(_));
        unreachable!("it has returned {given_up}");
    });
}

#[test]
fn f1_a_session_that_panics_as_it_is_refreshed_is_a_session_still() {
    let ledgers = Ledgers::leaked();
    panics_at_the_end_of_its_guard(ledgers, |map, remove| {
        let mut session = map.pin();
        remove();
        let panic = catch_unwind(AssertUnwindSafe(|| session.refresh())).expect_err("it is dropped here");
        // It protects what it finds now, and nothing of before.
        let found = session.get(&ledgers.key(1)).expect("it is there");
        thread::scope(|scope| {
            scope.spawn(|| drop(map.remove(&ledgers.key(1))));
        });
        assert_eq!((*found.number, map.stats().live_guards, map.stats().pending.entries), (1, 1, 1));
        drop(session);
        resume_unwind(panic);
    });
}
