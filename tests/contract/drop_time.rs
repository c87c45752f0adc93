//! R1 and R2: the moment at which what was removed is dropped.

use std::sync::Barrier;
use std::thread;

use tidymap::{Compute, HashMap, Operation};

use crate::rounds::rounds;
use crate::support::{Counted, Counter, filled, key};

#[test]
fn r1_every_removed_pair_is_dropped_when_the_call_has_returned() {
    for entries in [10, 1000] {
        let counter = Counter::default();
        let map = filled(&counter, entries);
        assert_eq!(counter.live() as u64, 2 * entries);
        for number in 0..entries {
            assert_eq!(map.remove(&key(number)).unwrap().number, number);
            assert_eq!(counter.live() as u64, 2 * (entries - number - 1));
        }
    }
}

#[test]
fn r1_holds_for_every_call_that_unlinks() {
    let counter = Counter::default();
    let value = |number| counter.value(number);
    let map = HashMap::<u64, Counted>::new();
    for number in 0..100 {
        map.insert(number, value(number));
    }
    let live = |expected: usize| assert_eq!(counter.live(), expected);
    live(100);
    map.insert(0, value(1));
    live(100);
    assert_eq!(map.compare_exchange(&0, &value(1), value(2)).unwrap().number, 1);
    live(100);
    map.update(&0, |old| value(old.number + 1));
    live(100);
    map.update_or_insert(0, |old| value(old.number + 1), value(9));
    live(100);
    assert!(matches!(map.compute(0, |_| Operation::<_, ()>::Insert(value(5))), Compute::Updated { .. }));
    live(100);
    assert!(matches!(map.compute(0, |_| Operation::<_, ()>::Remove), Compute::Removed(_)));
    live(99);
    assert!(map.remove_if(&1, |_, value| value.number == 1).unwrap().is_some());
    live(98);
    assert!(map.try_insert(2, value(0)).is_err());
    assert_eq!(map.get_or_insert(2, value(0)).number, 2);
    live(98);
    map.retain(|key, _| key % 2 == 0);
    live(49);
    map.clear();
    live(0);
}

#[test]
fn r1_in_a_session_it_is_when_the_session_ends_and_a_ref_is_a_guard() {
    let counter = Counter::default();
    let map = filled(&counter, 4);
    let session = map.pin();
    let old = session.insert(key(0), counter.value(7)).unwrap();
    session.remove(&key(1));
    assert_eq!((old.number, counter.live()), (0, 9), "all is still there to be seen");
    drop(session);
    assert_eq!(counter.live(), 6);

    let removed = map.remove(&key(2)).unwrap();
    assert_eq!((removed.key().number, counter.live()), (2, 6));
    drop(removed);
    assert_eq!(counter.live(), 4);
}

#[test]
fn r1_refresh_lets_go_of_what_the_session_has_removed() {
    let counter = Counter::default();
    let map = filled(&counter, 2);
    let mut session = map.pin();
    session.remove(&key(0));
    assert_eq!(counter.live(), 4);
    session.refresh();
    assert_eq!(counter.live(), 2);
    assert!(session.get(&key(1)).is_some());
}

#[test]
fn r2_what_a_reader_held_back_is_dropped_inside_its_drop() {
    let overwrites = rounds(100_000);
    let counter = Counter::default();
    let map = HashMap::new();
    map.insert(0, counter.value(0));
    let reader = map.pin();
    thread::scope(|scope| {
        scope.spawn(|| (1..=overwrites).for_each(|number| drop(map.insert(0, counter.value(number)))));
    });
    assert_eq!(counter.live() as u64, overwrites + 1);
    assert_eq!(map.stats().pending.entries, overwrites);
    drop(reader);
    assert_eq!(counter.live(), 1, "dropped at the reader's leaving itself");
    assert_eq!(map.stats().pending.entries, 0);
}

#[test]
fn r2_of_eight_readers_that_leave_in_any_order_the_last_one_drops() {
    const READERS: usize = 8;
    let rounds = rounds(10_000);
    let counter = Counter::default();
    let map = HashMap::new();
    let [inserted, entered, removed, left] = [0; 4].map(|_| Barrier::new(READERS + 1));
    thread::scope(|scope| {
        for reader in 0..READERS as u64 {
            let (map, inserted, entered, removed, left) = (&map, &inserted, &entered, &removed, &left);
            scope.spawn(move || {
                for round in 0..rounds {
                    inserted.wait();
                    let session = map.pin();
                    let value: &Counted = session.get(&0).unwrap();
                    entered.wait();
                    removed.wait();
                    // Some leave at once, some a little later, and not always the same ones.
                    for _ in 0..(reader * 7 + round) % 5 {
                        std::hint::spin_loop();
                    }
                    assert_eq!(value.number, round);
                    drop(session);
                    left.wait();
                }
            });
        }
        for round in 0..rounds {
            map.insert(0, counter.value(round));
            inserted.wait();
            entered.wait();
            assert_eq!(map.remove(&0).unwrap().number, round);
            assert_eq!(counter.live(), 1, "eight readers see it");
            removed.wait();
            left.wait();
            assert_eq!(counter.live(), 0, "and none is left");
        }
    });
}

#[test]
fn r2_it_is_the_guards_of_the_moment_that_count_and_none_taken_later() {
    let counter = Counter::default();
    let map = filled(&counter, 3);
    // On one thread.
    let early = map.pin();
    map.remove(&key(0));
    let late = map.pin();
    assert_eq!(counter.live(), 6);
    drop(early);
    assert_eq!(counter.live(), 4, "the late session holds nothing back");
    drop(late);

    // On several, with guards that overlap so that there is always one.
    let early = map.pin();
    map.remove(&key(1));
    let (enter, leave) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let late = map.get(&key(2));
            enter.wait();
            leave.wait();
            drop(late);
        });
        enter.wait();
        assert_eq!(counter.live(), 4);
        drop(early);
        assert_eq!(counter.live(), 2);
        leave.wait();
    });
}

#[test]
fn r2_sessions_of_one_thread_may_end_in_any_order() {
    const SESSIONS: usize = 5;
    let mut order = [0, 1, 2, 3, 4];
    let mut orders = 0;
    permutations(&mut order, 0, &mut |order| {
        let counter = Counter::default();
        let map = filled(&counter, SESSIONS as u64);
        let mut sessions = Vec::new();
        for number in 0..SESSIONS {
            sessions.push(Some(map.pin()));
            map.remove(&key(number as u64));
        }
        for leaves in order {
            sessions[*leaves] = None;
            // Session i was live at the removals of i, i + 1, ...: key i is held by the sessions up to i.
            let oldest = sessions.iter().position(Option::is_some).unwrap_or(SESSIONS);
            assert_eq!(counter.live(), 2 * (SESSIONS - oldest));
        }
        orders += 1;
    });
    assert_eq!(orders, 120);
}

fn permutations(items: &mut [usize; 5], from: usize, visit: &mut impl FnMut(&[usize; 5])) {
    if from == items.len() {
        return visit(items);
    }
    for other in from..items.len() {
        items.swap(from, other);
        permutations(items, from + 1, visit);
        items.swap(from, other);
    }
}
