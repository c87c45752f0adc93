//! `get_or_init`: one computes, the others wait, and nobody sleeps for ever, which loom would report as a deadlock.

use std::collections::BTreeSet;
use std::task::{Context, Waker};

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, ask, explore, long, wait_for};

/// An empty map that has been used, so that the model is not about its first table.
fn used(ledger: &Ledger) -> Arc<Map<Value>> {
    let map = Map::default();
    drop(map.insert(8, ledger.value(8)));
    drop(map.remove(&8));
    Arc::new(map)
}

/// Has another thread ask for key 1, with its number 2, and tell what it got.
fn other(ledger: &Ledger, map: &Arc<Map<Value>>) -> impl FnOnce() -> u64 + use<> {
    let (ledger, map) = (ledger.clone(), map.clone());
    ask("other", move || map.get_or_init(1, || ledger.value(2)).number())
}

/// Looks whether all is in order in the end: the value is there, and no other.
fn at_the_end(ledger: &Ledger, map: &Map<Value>) -> u64 {
    assert_eq!((map.in_flight(), ledger.live()), (0, 1));
    map.get(&1).expect("it is there").number()
}

#[test]
fn two_threads() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = used(&ledger);
        let other = other(&ledger, &map);
        let mine = map.get_or_init(1, || ledger.value(1)).number();
        let (theirs, there) = (other(), at_the_end(&ledger, &map));
        assert_eq!((mine, theirs), (there, there), "one computes for both");
        (there, ledger.dropped_by())
    });
    // Nothing is computed to be dropped: what main dropped is the value of before.
    let by = BTreeSet::from(["main"]);
    assert_eq!(outcomes, BTreeSet::from([(1, by.clone()), (2, by)]));
}

/// The one fails, and the other one computes, whichever was first. (By an error: loom's threads are one to what unwinds.)
#[test]
fn a_thread_that_fails_against_one_that_waits() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = used(&ledger);
        let other = other(&ledger, &map);
        let mine = map.try_get_or_init(1, || Err(())).map(|found| found.number());
        assert_eq!((other(), at_the_end(&ledger, &map)), (2, 2));
        mine
    });
    assert_eq!(outcomes, BTreeSet::from([Err(()), Ok(2)]), "it fails, or has found the other's");
}

/// A task enters its waker while a thread computes, and is woken.
#[test]
fn a_task_that_waits_against_a_thread() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = used(&ledger);
        let task = ask("task", {
            let (ledger, map) = (ledger.clone(), map.clone());
            move || {
                let (found, pending) = wait_for(map.get_or_init_async(1, async { ledger.value(2) }));
                (found.number(), pending > 0)
            }
        });
        let mine = map.get_or_init(1, || ledger.value(1)).number();
        let ((theirs, pending), there) = (task(), at_the_end(&ledger, &map));
        assert_eq!((mine, theirs), (there, there));
        (there, pending)
    });
    assert_eq!(outcomes, BTreeSet::from([(1, false), (1, true), (2, false)]));
}

/// A task that computes is dropped, and the thread that waits for it computes.
#[test]
fn a_task_that_is_cancelled_against_a_thread_that_waits() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = used(&ledger);
        let other = other(&ledger, &map);
        let cancelled = {
            let computing = std::pin::pin!(map.get_or_init_async(1, std::future::pending()));
            computing.poll(&mut Context::from_waker(Waker::noop())).is_pending()
        };
        assert_eq!((other(), at_the_end(&ledger, &map)), (2, 2));
        cancelled
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}
