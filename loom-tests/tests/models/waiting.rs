//! R3, the cap on garbage, and pairs by value: who waits is woken, and what is handed over nobody sees. A thread that sleeps
//! for ever is a deadlock, which loom reports.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom_tests::{Ledger, Map, Value, ask, explore, filled, long, number, play, promoted, wait_for};

/// A thread that looks up a key, and reads its value if it is there. What it saw comes with its end.
fn reader(map: &Arc<Map<Value>>, key: u64) -> impl FnOnce() -> bool + use<> {
    let map = map.clone();
    ask("reader", move || number(map.get(&key)).inspect(|seen| assert_eq!(*seen, key)).is_some())
}

/// What is neither in the map nor dropped.
fn garbage(ledger: &Ledger, map: &Map<Value>) -> i64 {
    ledger.live() - map.len() as i64
}

/// The task is woken by the guard that leaves last, and finds everything dropped.
#[test]
fn a_task_that_reclaims_against_a_reader() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let end = reader(&map, 1);
        map.remove(&1);
        let (result, pending) = wait_for(map.reclaim_async());
        assert_eq!((result, ledger.live()), (Ok(()), 0));
        (end(), ledger.dropped_by().contains("reader"), pending > 0)
    });
    // It may wait for a guard that has seen nothing, or for one that leaves while it enters itself and does not drop.
    let each = [false, true];
    let all = each.iter().flat_map(|a| each.iter().flat_map(move |b| each.map(|c| (*a, *b, c))));
    assert_eq!(outcomes, all.collect());
}

/// Begins to reclaim while another thread removes, perhaps when that call has returned. Tells whether it had, and whether the
/// task was pending.
fn reclaim_against_a_remover(settings: tidymap::Builder<u64, Value>) -> (bool, bool) {
    let ledger = Ledger::default();
    let map = filled(settings, &ledger, &[1]);
    let returned = Arc::new(AtomicBool::new(false));
    let remover = play("remover", {
        let (map, returned) = (map.clone(), returned.clone());
        move || {
            let value = map.remove(&1);
            // ORDERING: Release, to the Acquire below: the call has returned before the other begins.
            returned.store(true, Ordering::Release);
            drop(value);
        }
    });
    let before = returned.load(Ordering::Acquire);
    let (result, pending) = wait_for(map.reclaim_async());
    assert_eq!(result, Ok(()));
    assert!(!before || ledger.live() == 0, "what was removed before has been dropped");
    remover.join().unwrap();
    (before, pending > 0)
}

/// The task is woken by a thread that has removed, and is still dropping.
#[test]
fn a_task_that_reclaims_against_a_remover() {
    let outcomes = explore(3, || reclaim_against_a_remover(tidymap::HashMap::builder()));
    assert_eq!(outcomes, BTreeSet::from([(false, false), (false, true), (true, false), (true, true)]));
}

/// The task waits until it is saved up, and drops it.
#[test]
fn a_task_that_reclaims_against_one_who_saves_up() {
    let batched = || tidymap::HashMap::builder().reclaim(tidymap::Reclaim::Batched(10));
    let outcomes = explore(3, move || reclaim_against_a_remover(batched()));
    assert_eq!(outcomes, BTreeSet::from([(false, false), (false, true), (true, false), (true, true)]));
}

/// A task that gives up is not woken, and nobody minds.
#[test]
fn a_task_that_gives_up_against_a_reader() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let end = reader(&map, 1);
        map.remove(&1);
        let ready = {
            let waker = std::task::Waker::noop();
            let future = std::pin::pin!(map.reclaim_async());
            future.poll(&mut std::task::Context::from_waker(waker)).is_ready()
        };
        assert!(!ready || ledger.live() == 0);
        end();
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        ready
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

/// The second removal begins when the first pair has been dropped: by whoever was the last to see it.
#[test]
fn a_writer_at_the_cap_against_a_reader() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let map = filled(tidymap::HashMap::builder().max_pending(1), &ledger, &[1, 2]);
        let end = reader(&map, 1);
        map.remove(&1);
        let wanted = |_: &u64, _: &Value| {
            assert_eq!(garbage(&ledger, &map), 0, "there is room for one");
            true
        };
        assert!(map.remove_if(&2, wanted).is_ok_and(|pair| pair.is_some()));
        let saw = end();
        assert_eq!(ledger.live(), 0);
        (saw, ledger.dropped_by())
    });
    let by = |roles: &[&'static str]| roles.iter().copied().collect::<BTreeSet<_>>();
    // A reader that has seen nothing may have come before the removal, and be the last to leave.
    let each = [&["main"][..], &["main", "reader"]];
    let all = each.iter().flat_map(|roles| [false, true].map(|saw| (saw, by(roles))));
    assert_eq!(outcomes, all.collect());
}

/// Two writers, and room for one: never both.
#[test]
fn two_writers_at_the_cap() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = filled(tidymap::HashMap::builder().max_pending(1), &ledger, &[1, 2]);
        let remove = |ledger: &Ledger, map: &Map<Value>, key| {
            let mut others = 0;
            let wanted = |_: &u64, _: &Value| {
                assert_eq!(garbage(ledger, map), 0, "there is room for one");
                others = 2 - map.len();
                true
            };
            assert!(map.remove_if(&key, wanted).is_ok_and(|pair| pair.is_some()));
            others
        };
        let other = play("other", {
            let (ledger, map) = (ledger.clone(), map.clone());
            move || {
                remove(&ledger, &map, 2);
            }
        });
        let second = remove(&ledger, &map, 1);
        other.join().unwrap();
        assert_eq!(ledger.live(), 0);
        second
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1]), "either is the first");
}

/// What is left to the holder of the mutex is garbage at once. The holder needs no room: it links a new key.
#[test]
fn a_writer_at_the_cap_against_the_holder_of_the_mutex() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = filled(tidymap::HashMap::builder().max_pending(1), &ledger, &[1, 2]);
        let holder = play("holder", {
            let (map, value) = (map.clone(), Ledger::default().value(3));
            move || drop(map.try_insert(3, value))
        });
        map.remove(&1);
        let wanted = |_: &u64, _: &Value| {
            assert_eq!(ledger.live(), 1, "there is room for one");
            true
        };
        assert!(map.remove_if(&2, wanted).is_ok_and(|pair| pair.is_some()));
        holder.join().unwrap();
        assert_eq!(ledger.live(), 0);
        ledger.dropped_by()
    });
    let each = [&["main"][..], &["holder", "main"]].map(|roles| roles.iter().copied().collect());
    assert_eq!(outcomes, BTreeSet::from(each));
}

/// What another thread saves up would wait for the writer that waits for it.
#[test]
fn a_writer_at_the_cap_against_what_is_saved_up() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let settings = tidymap::HashMap::builder().reclaim(tidymap::Reclaim::Batched(10)).max_pending(1);
        let map = filled(settings, &ledger, &[1, 2]);
        let saver = play("saver", {
            let map = map.clone();
            move || assert!(map.remove(&1).is_some())
        });
        assert!(map.remove(&2).is_some());
        saver.join().unwrap();
        assert_eq!(garbage(&ledger, &map), 1, "the second is saved up");
        ledger.dropped_by()
    });
    assert_eq!(outcomes, BTreeSet::from(["main", "saver"].map(|role| BTreeSet::from([role]))));
}

/// Who takes a pair back makes room, though nobody waits for its guard.
#[test]
fn a_writer_at_the_cap_against_a_pair_that_is_taken_back() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = filled(tidymap::HashMap::builder().max_pending(1), &ledger, &[1, 2]);
        let taker = play("taker", {
            let map = map.clone();
            move || drop(map.remove_entry(&1).unwrap().try_into_owned())
        });
        assert!(map.remove(&2).is_some());
        taker.join().unwrap();
        assert_eq!(ledger.live(), 0);
        ledger.dropped_by()
    });
    // The taker drops both if it met the cap: it looks whether its key is there, and may be the last that could see the other one.
    let each = [&["main", "taker"][..], &["main"], &["taker"]].map(|roles| roles.iter().copied().collect());
    assert_eq!(outcomes, BTreeSet::from(each));
}

/// The pair is handed over when the reader has gone, and nobody else drops it.
#[test]
pub(crate) fn remove_owned_against_a_reader() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let end = reader(&map, 1);
        let (key, value) = map.remove_owned(&1).unwrap().unwrap();
        // Reads and drops it: loom reports it if the reader's read is not before that.
        assert_eq!((key, value.number(), ledger.live()), (1, 1, 1));
        drop(value);
        let saw = end();
        assert_eq!((ledger.live(), ledger.dropped_by()), (0, BTreeSet::from(["main"])));
        saw
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

/// The pair is handed over if the reader has gone, or begins later; else the last one drops it.
#[test]
fn remove_entry_against_a_reader() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let end = reader(&map, 1);
        let taken = match map.remove_entry(&1).unwrap().try_into_owned() {
            Ok((_, value)) => {
                assert_eq!(value.number(), 1);
                true
            }
            Err(removed) => {
                assert_eq!(removed.number(), 1);
                false
            }
        };
        let saw = end();
        assert_eq!(ledger.live(), 0);
        (taken, saw)
    });
    assert_eq!(outcomes, BTreeSet::from([(true, false), (true, true), (false, false), (false, true)]));
}

/// A session of the same thread that was open at the removal may look; one that was opened later does not matter.
#[test]
fn remove_entry_against_guards_of_its_own_thread() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let end = reader(&map, 1);
        let session = map.pin();
        let value = session.get(&1).unwrap();
        let removed = map.remove_entry(&1).unwrap().try_into_owned().err().expect("the session may look");
        let later = map.pin();
        assert_eq!(value.number(), 1);
        drop(session);
        let taken = removed.try_into_owned().is_ok();
        drop(later);
        end();
        assert_eq!(ledger.live(), 0);
        taken
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

/// Runs `remove_owned` of key 1 and `other` at the same time. Tells what was handed over, what `other` returned, and what the
/// key has in the end.
fn race<T: 'static>(other: fn(&Ledger, &Map<Value>) -> T) -> (Option<u64>, T, Option<u64>) {
    let ledger = Ledger::default();
    let map = promoted(&ledger, 1, 1);
    let thread = ask("other", {
        let (ledger, map) = (ledger.clone(), map.clone());
        move || other(&ledger, &map)
    });
    let ours = map.remove_owned(&1).unwrap().map(|(_, value)| value.number());
    let theirs = thread();
    assert_eq!(garbage(&ledger, &map), 0);
    let last = number(map.get(&1));
    drop(map);
    assert_eq!(ledger.live(), 0);
    (ours, theirs, last)
}

#[test]
fn remove_owned_against_overwrite() {
    let outcomes = explore(3, || race(|ledger, map| number(map.insert(1, ledger.value(2)))));
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, Some(2)), (Some(2), Some(1), None)]));
}

#[test]
fn remove_owned_against_remove() {
    let outcomes = explore(4, || race(|_, map| number(map.remove(&1))));
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, None), (None, Some(1), None)]));
}

#[test]
fn remove_owned_against_remove_owned() {
    let remove = |_: &Ledger, map: &Map<Value>| map.remove_owned(&1).unwrap().map(|(_, value)| value.number());
    let outcomes = explore(4, move || race(remove));
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, None), (None, Some(1), None)]));
}

#[test]
fn remove_owned_against_clear() {
    let outcomes = explore(3, || race(|_, map| map.clear()));
    assert_eq!(outcomes, BTreeSet::from([(Some(1), (), None), (None, (), None)]));
}

#[test]
fn remove_owned_against_update() {
    let update = |ledger: &Ledger, map: &Map<Value>| {
        map.update(&1, |old| ledger.value(old.number() + 1)).as_deref().map(Value::number)
    };
    let outcomes = explore(long(4), move || race(update));
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, None), (Some(2), Some(2), None)]));
}
