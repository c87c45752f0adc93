//! [`OwnedPinned`](tidymap::OwnedPinned): sessions that belong to their owner, wherever that is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, Operation, OwnedPinned, ReclaimError};

use crate::rounds::rounds;
use crate::support::{Counted, Counter, OnDrop, filled, in_time, key, leak};

/// Runs `work` on another thread.
fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

#[test]
fn r1_r2_what_a_session_held_back_is_dropped_where_it_ends() {
    let counter = Counter::default();
    let map = filled(&counter, 4);
    let session = map.pin_owned();
    let found = session.get(&key(0)).unwrap();
    elsewhere(|| drop(map.remove(&key(0))));
    // By the session itself, too.
    let removed = elsewhere(|| session.remove(&key(1)).unwrap());
    drop(map.pin());
    assert_eq!((found.number, removed.number, counter.live()), (0, 1, 8));
    assert_eq!(map.stats().pending.entries, 2);
    elsewhere(move || {
        drop(session);
        assert_eq!(counter.live(), 4);
    });
    assert_eq!((map.stats().pending.entries, map.stats().live_guards), (0, 0));
}

#[test]
fn r1_a_session_holds_back_nothing_that_was_removed_before() {
    let counter = Counter::default();
    let map = filled(&counter, 3);
    let early = map.pin();
    elsewhere(|| drop(map.remove(&key(0))));
    let late = map.pin_owned();
    assert_eq!(counter.live(), 6);
    drop(early);
    assert_eq!(counter.live(), 4);
    drop(late);
}

#[test]
fn r2_sessions_end_in_any_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let counter = Counter::default();
        let map = filled(&counter, 3);
        let mut sessions: Vec<Option<OwnedPinned<'_, _, _, _>>> = Vec::new();
        for number in 0..3 {
            sessions.push(Some(map.pin_owned()));
            map.remove(&key(number));
        }
        let mut open = [true; 3];
        for index in order {
            let session = sessions[index].take();
            elsewhere(move || drop(session));
            open[index] = false;
            // Session n can see what was removed as number n or later.
            let oldest = open.iter().position(|open| *open).unwrap_or(3);
            assert_eq!(counter.live(), 2 * (3 - oldest));
        }
    }
}

#[test]
fn r2_a_refresh_lets_pass_what_was_removed_before() {
    let counter = Counter::default();
    let map = filled(&counter, 2);
    let mut session = map.pin_owned();
    assert!(session.remove(&key(0)).is_some());
    assert_eq!(counter.live(), 4);
    session.refresh();
    assert_eq!((counter.live(), map.stats().live_guards), (2, 1));
    map.remove(&key(1));
    assert_eq!(counter.live(), 2);
    elsewhere(move || session.refresh());
    assert_eq!((counter.live(), map.stats().live_guards), (0, 0));
}

/// The session's guard is not one of the thread: not even of that on which it was opened.
#[test]
fn r3_who_waits_waits_for_an_owned_session_of_its_own_too() {
    let map = HashMap::from([(1, "one"), (2, "two")]);
    let session = map.pin_owned();
    map.remove(&1);
    assert_eq!(map.reclaim_timeout(Duration::from_millis(20)), Err(ReclaimError::TimedOut));
    assert_eq!(map.try_reclaim().entries, 1);
    assert!(map.remove_entry(&2).unwrap().try_into_owned().is_err(), "the session may have seen it");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| map.reclaim());
        drop(session);
        assert_eq!(waiting.join().unwrap(), Ok(()));
    });
    assert_eq!(map.stats().pending.entries, 0);
}

#[test]
fn r4_a_session_writes_on_when_there_is_no_room() {
    in_time(|| {
        let map = HashMap::builder().max_pending(1).build();
        let session = map.pin_owned();
        for number in 0..100 {
            session.insert(1, number);
        }
        assert_eq!(session.get(&1), Some(&99));
        assert_eq!(map.stats().pending.entries, 99);
        drop(session);
        assert_eq!(map.stats().pending.entries, 0);
    });
}

#[test]
fn r5_a_destructors_panic_goes_on_where_the_session_ends() {
    let dropped = AtomicBool::new(false);
    let quiet = &dropped;
    let map = HashMap::new();
    map.insert(1, OnDrop(Box::new(|| -> () { panic!("a destructor") }) as Box<dyn FnMut() + Send + Sync + '_>));
    map.insert(2, OnDrop(Box::new(move || quiet.store(true, Ordering::Relaxed))));
    let session = map.pin_owned();
    map.remove_many(&[1, 2]);
    let ended = elsewhere(move || catch_unwind(AssertUnwindSafe(|| drop(session))));
    assert_eq!(*ended.unwrap_err().downcast_ref::<&str>().unwrap(), "a destructor");
    assert!(quiet.load(Ordering::Relaxed), "no destructor keeps another from running");
    assert_eq!((map.stats().pending.entries, map.stats().live_guards), (0, 0));
}

#[test]
fn r8_a_session_is_a_live_guard_by_the_name_of_who_opened_it() {
    let map = HashMap::from([(1, "one")]);
    let opener = thread::Builder::new().name("opener".into());
    let session = thread::scope(|scope| opener.spawn_scoped(scope, || map.pin_owned()).unwrap().join().unwrap());
    map.remove(&1);
    let guards = map.guards();
    let [info] = &guards.iter().collect::<Vec<_>>()[..] else { panic!("{guards}") };
    assert_eq!((info.thread.as_deref(), info.guards), (Some("opener"), 1));
    assert_eq!(info.pending.entries, 1);
    drop(session);
    assert!(map.guards().is_empty());
}

/// Each session has a slot and a record; when it ends they are used again.
#[test]
fn m2_records_of_sessions_are_used_again() {
    let map = HashMap::from([(1, 1)]);
    let open = |number: u64| {
        let sessions: Vec<_> = (0..number).map(|_| map.pin_owned()).collect();
        assert_eq!(map.stats().live_guards as u64, number);
        assert!(sessions.iter().all(|session| session.contains_key(&1)));
    };
    open(300);
    let heap = map.stats().heap.total();
    for number in 0..100 {
        open(number);
    }
    // But for tables, a session's record more would be 128 KiB: the next chunk of them.
    assert!(map.stats().heap.total() <= heap + 4096);
}

#[test]
fn f1_a_leaked_session_goes_on_protecting() {
    let counter = Counter::default();
    let map: &'static HashMap<Counted, Counted> = leak(filled(&counter, 2));
    let found = {
        let session: &'static OwnedPinned<'_, _, _, _> = leak(map.pin_owned());
        session.get(&key(0)).unwrap()
    };
    elsewhere(|| drop(map.remove(&key(0))));
    for _ in 0..10 {
        drop(map.pin_owned());
        drop(elsewhere(|| map.pin_owned()));
    }
    assert_eq!((found.number, counter.live()), (0, 4));
    assert_eq!((map.stats().live_guards, map.stats().pending.entries), (1, 1));
}

/// Sharing a session is sharing a reference: reads and all kinds of writes, on several threads at once. What they find stays good until the session ends.
#[test]
fn c1_threads_share_a_session() {
    let counter = Counter::default();
    let map = HashMap::new();
    for round in 0..if cfg!(miri) { 2 } else { rounds(20) } {
        let session = map.pin_owned();
        let added = AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (session, counter, added) = (&session, &counter, &added);
                scope.spawn(move || {
                    let mut kept = Vec::new();
                    for number in 0..if cfg!(miri) { 10 } else { 200 } {
                        let own = (round * 4 + thread) << 32 | number;
                        session.insert(own, counter.value(own));
                        kept.extend(session.get(&own).map(|value| (own, value)));
                        kept.extend(
                            session.insert((1 << 60) | (own % 8), counter.value(own)).map(|old| (old.number, old)),
                        );
                        kept.extend(session.remove(&own).map(|value| (own, value)));
                        session.compute(u64::MAX, |old| {
                            let sum = old.map_or(0, |(_, sum)| sum.number) + 1;
                            Operation::<_, ()>::Insert(counter.value(sum))
                        });
                        added.fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(session.iter().count() > 0);
                    assert!(kept.iter().all(|(number, value)| value.number == *number));
                });
            }
        });
        let sum = session.get(&u64::MAX).unwrap().number;
        assert_eq!(sum, added.load(Ordering::Relaxed), "no update is lost");
        session.remove(&u64::MAX);
        drop(session);
        assert_eq!((map.stats().pending.entries, counter.live()), (0, map.len()));
    }
}

/// Sessions and what they have found go from thread to thread while others remove.
#[test]
fn c1_sessions_wander() {
    let counter = Counter::default();
    let map = filled(&counter, 8);
    let rounds = if cfg!(miri) { 10 } else { 5_000 };
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<OwnedPinned<'_, _, _, _>>(4);
        scope.spawn(|| {
            let send = send;
            for _ in 0..rounds {
                send.send(map.pin_owned()).unwrap();
            }
        });
        scope.spawn(|| {
            let receive = receive;
            for session in receive {
                let found: Vec<_> = session.iter().collect();
                thread::yield_now();
                assert!(found.iter().all(|(key, value)| value.number % 8 == key.number));
            }
        });
        for number in 0..rounds {
            map.insert(counter.value(number % 8), counter.value(number));
            map.remove(&key((number + 3) % 8));
        }
    });
    assert_eq!((map.stats().pending.entries, counter.live()), (0, 2 * map.len()));
}

/// Misses count, though the session's record is nobody's: tables are promoted by those that only read.
#[test]
fn p3_reads_in_owned_sessions_promote() {
    let map = HashMap::new();
    (0..1000).for_each(|number| drop(map.insert(number, number)));
    let session = map.pin_owned();
    let before = map.stats();
    assert!(before.dirty_len > 100);
    for _ in 0..100 {
        (0..1000).for_each(|number| assert_eq!(session.get(&number), Some(&number)));
    }
    let after = map.stats();
    assert!(after.promotions > before.promotions && after.dirty_len < 10, "{after:?}");
}

#[cfg(not(loom))]
#[test]
fn tasks_keep_a_session_across_an_await() {
    let map: &'static HashMap<u64, u64> = leak((0..100).map(|number| (number, number)).collect());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
    let task = |number| async move {
        let mut session = map.pin_owned();
        for _ in 0..20 {
            let found = session.get(&number);
            map.insert(number, number);
            tokio::task::yield_now().await;
            assert_eq!(found, Some(&number));
            session.remove(&number);
            assert_eq!(found, Some(&number));
            session.insert(number, number);
            session.refresh();
        }
    };
    let tasks: Vec<_> = (0..if cfg!(miri) { 4 } else { 100 }).map(|number| runtime.spawn(task(number))).collect();
    tasks.into_iter().for_each(|task| runtime.block_on(task).unwrap());
    assert_eq!((map.stats().live_guards, map.stats().pending.entries), (0, 0));
}
