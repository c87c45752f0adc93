//! `get_or_init`: one computes, the others wait, and nobody waits for ever.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, OnceLock, mpsc};
use std::thread;

use tidymap::{HashMap, Ref};

use crate::support::{
    Counted, Counter, Nosy, ON_EQ, OnDrop, balance, in_time, key, leak, let_it_fall_asleep, nosy, until,
};

/// Runs `part` on so many threads at once, and returns what they returned.
pub(crate) fn at_once<T: Send>(threads: u64, part: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads as usize);
    let part = |number| {
        start.wait();
        part(number)
    };
    let part = &part;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || part(number))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn panics<T>(part: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(part)).is_err()
}

#[test]
fn one_computes_for_all_who_want_the_key() {
    in_time(|| {
        let (counter, map) = (Counter::default(), HashMap::new());
        for round in 0..if cfg!(miri) { 5 } else { 500 } {
            let computed = AtomicUsize::new(0);
            let seen = at_once(6, |number| {
                let value = map.get_or_init(counter.value(round), || {
                    computed.fetch_add(1, Ordering::SeqCst);
                    (0..round % 4).for_each(|_| thread::yield_now());
                    counter.value(number)
                });
                assert_eq!(value.key().number, round);
                value.number
            });
            assert_eq!((computed.into_inner(), BTreeSet::from_iter(&seen).len()), (1, 1), "{seen:?}");
            assert_eq!(map.in_flight(), 0);
        }
        assert_eq!(counter.live(), 2 * map.len());
        drop(map);
        assert_eq!(counter.live(), 0);
    });
}

#[test]
fn one_at_a_time_computes_beside_who_removes() {
    in_time(|| {
        let (counter, map) = (Counter::default(), HashMap::new());
        let computing = [const { AtomicBool::new(false) }; 3];
        at_once(4, |number| {
            for round in 0..if cfg!(miri) { 30 } else { 5000 } {
                let wanted = round * 7 % 3;
                if number == 0 {
                    drop(map.remove(&key(wanted)));
                    continue;
                }
                let init = || {
                    assert!(!computing[wanted as usize].swap(true, Ordering::SeqCst), "two compute one key");
                    let fails = (round + number) % 5 == 0;
                    thread::yield_now();
                    computing[wanted as usize].store(false, Ordering::SeqCst);
                    if fails { Err(()) } else { Ok(counter.value(wanted)) }
                };
                if let Ok(found) = map.try_get_or_init(counter.value(wanted), init) {
                    assert_eq!((found.key().number, found.number), (wanted, wanted));
                }
            }
        });
        assert_eq!((map.in_flight(), counter.live()), (0, 2 * map.len()));
    });
}

/// Computes `key` on another thread for as long as `meanwhile` runs, which is told when it has begun.
fn while_it_computes<K, S, R>(map: &HashMap<K, u64, S>, key: K, value: u64, meanwhile: impl FnOnce() -> R) -> (R, u64)
where
    K: std::hash::Hash + Eq + Send + Sync,
    S: std::hash::BuildHasher + Sync,
{
    let (begun, go_on) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let computing = scope.spawn(|| {
            *map.get_or_init(key, || {
                begun.wait();
                go_on.wait();
                value
            })
        });
        begun.wait();
        let result = meanwhile();
        go_on.wait();
        (result, computing.join().unwrap())
    })
}

/// Gives all keys the same hash.
#[derive(Default)]
struct Same;

impl std::hash::Hasher for Same {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        7
    }
}

#[test]
fn callers_of_other_keys_do_not_wait() {
    in_time(|| {
        let map: HashMap<u64, u64, std::hash::BuildHasherDefault<Same>> = HashMap::default();
        let ((), value) = while_it_computes(&map, 1, 10, || {
            assert_eq!(*map.get_or_init(2, || 20), 20);
            let ((), value) =
                while_it_computes(&map, 3, 30, || assert_eq!((*map.get_or_init(4, || 40), map.in_flight()), (40, 2)));
            assert_eq!(value, 30);
            // Nor do other calls, whatever their key.
            assert!(map.get(&1).is_none() && map.remove(&1).is_none() && map.len() == 3);
        });
        assert_eq!((value, map.in_flight()), (10, 0));
    });
}

#[test]
fn what_others_insert_meanwhile_stays() {
    in_time(|| {
        let (counter, map) = (Counter::default(), HashMap::new());
        let value = map.get_or_init(counter.value(1), || {
            map.insert(counter.value(1), counter.value(2));
            assert_eq!(counter.live(), 3, "the key on its way, and the other pair");
            counter.value(3)
        });
        assert_eq!((value.number, counter.live()), (2, 2), "what was computed has been dropped");
        drop(value);
        map.clear();
        // Who waits sees it, too, though only when the flight has ended.
        let map = HashMap::new();
        let (_, value) = while_it_computes(&map, 1, 10, || map.insert(1, 20).is_none());
        assert_eq!((value, map.get_cloned(&1)), (20, Some(20)));
    });
}

#[test]
fn no_guard_is_held_while_it_computes() {
    let map = HashMap::from([(1, 1)]);
    map.get_or_init(2, || {
        assert_eq!(map.stats().live_guards, 0);
        map.remove(&1);
        assert_eq!(map.reclaim(), Ok(()));
        2
    });
    assert_eq!((map.len(), map.stats().live_guards), (1, 0));
}

/// A failure reaches its own caller only, and somebody else computes.
#[test]
fn f1_a_panic_or_an_error_hands_over_to_who_waits() {
    in_time(|| {
        for fails_by in ["panic", "error"] {
            let (counter, map) = (Counter::default(), HashMap::new());
            let computed = Mutex::new(0);
            let failed: Vec<_> = at_once(5, |number| {
                let init = || {
                    let_it_fall_asleep();
                    let mut computed = computed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    *computed += 1;
                    match (*computed, fails_by) {
                        (1..=3, "panic") => panic!("a computation that panics"),
                        (1..=3, _) => Err(number),
                        _ => Ok(counter.value(number)),
                    }
                };
                match catch_unwind(AssertUnwindSafe(|| {
                    map.try_get_or_init(counter.value(9), init).map(|found| found.number)
                })) {
                    Ok(Ok(_)) => false,
                    Ok(Err(mine)) => {
                        assert_eq!(mine, number);
                        true
                    }
                    Err(_) => true,
                }
            });
            assert_eq!(failed.iter().filter(|failed| **failed).count(), 3, "{failed:?}");
            assert_eq!((*computed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), map.len()), (4, 1));
            assert_eq!((map.in_flight(), counter.live(), map.stats().live_guards), (0, 2, 0));
        }
    });
}

#[test]
fn f3_who_asks_for_its_own_key_is_told() {
    in_time(|| {
        let map = HashMap::new();
        let sum = map.get_or_init("a", || *map.get_or_init("b", || *map.get_or_init("c", || 1) + 1) + 1);
        assert_eq!((*sum, map.len()), (3, 3));
        drop(sum);
        let told = catch_unwind(AssertUnwindSafe(|| {
            map.get_or_init("d", || *map.get_or_init("e", || *map.get_or_init("d", || 1)))
        }));
        let message = told.map(|_| ()).expect_err("it would wait for itself");
        assert!(message.downcast_ref::<&str>().is_some_and(|message| message.contains("wait for itself")));
        assert_eq!((map.in_flight(), map.len()), (0, 3));
        assert_eq!(*map.get_or_init("d", || 4), 4, "nothing is poisoned");
    });
}

/// Of threads that wait for each other in a circle, the one that closes it is told, and the others go on.
#[test]
fn f3_a_circle_of_threads_is_told() {
    in_time(|| {
        for threads in [2, 3] {
            let (map, begun) = (HashMap::new(), Barrier::new(threads as usize));
            let told = at_once(threads, |number| {
                let mut first = true;
                panics(|| {
                    *map.get_or_init(number, || {
                        if std::mem::take(&mut first) {
                            begun.wait();
                        }
                        // Who is last to compute finds nobody to wait for.
                        *map.get_or_init((number + 1) % threads, || 100) + 1
                    })
                })
            });
            assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
            assert_eq!(map.in_flight(), 0);
        }
    });
}

#[test]
fn f1_a_comparison_may_panic_or_use_the_map() {
    in_time(|| {
        let map = nosy(usize::MAX);
        while_it_computes(map, Nosy(20), 20, || {
            ON_EQ.set(Some(Box::new(|| panic!("a comparison that panics"))));
            assert!(panics(|| map.get_or_init(Nosy(20), || 1)));
            ON_EQ.set(Some(Box::new(|| {
                assert_eq!(*map.get_or_init(Nosy(21), || 21), 21);
                map.remove(&Nosy(1));
                panic!("to get away from here");
            })));
            assert!(panics(|| map.get_or_init(Nosy(20), || 1)));
        });
        assert_eq!((map.in_flight(), map.len()), (0, 11));
        // That of the insertion: the key has come meanwhile.
        let asked = leak(AtomicBool::new(false));
        let computed = panics(|| {
            map.get_or_init(Nosy(30), || {
                map.insert(Nosy(30), 30);
                ON_EQ.set(Some(Box::new(|| {
                    // Of this thread and the same key: computed once more, for it must not wait.
                    assert_eq!(*map.get_or_init(Nosy(30), || 32), 30);
                    asked.store(true, Ordering::SeqCst);
                    panic!("a comparison that panics");
                })));
                31
            })
        });
        assert!(computed && asked.load(Ordering::SeqCst));
        assert_eq!((map.in_flight(), map.get_cloned(&Nosy(30)), map.stats().live_guards), (0, Some(30), 0));
    });
}

/// While a key is inserted nobody can compare it. The thread that inserts must not wait for itself to have done so.
#[test]
fn f3_a_comparison_of_the_insertion_may_compute() {
    in_time(|| {
        let map: &HashMap<Nosy, u64, std::hash::BuildHasherDefault<Same>> = leak(HashMap::default());
        map.insert(Nosy(1), 1);
        let found = map.get_or_init(Nosy(2), || {
            ON_EQ.set(Some(Box::new(|| {
                assert_eq!(*map.get_or_init(Nosy(3), || 3), 3);
                assert_eq!(*map.get_or_init(Nosy(2), || 22), 22);
            })));
            2
        });
        assert_eq!((*found, map.len(), map.in_flight()), (22, 3, 0));
    });
}

/// What was computed is inserted when those have done who look at its key.
#[test]
fn a_comparison_is_waited_for() {
    in_time(|| {
        let map = nosy(usize::MAX);
        let (looks, looked) = (leak(Barrier::new(2)), leak(Barrier::new(2)));
        let other = thread::scope(|scope| {
            let other = while_it_computes(map, Nosy(20), 20, || {
                let other = scope.spawn(move || {
                    ON_EQ.set(Some(Box::new(|| {
                        looks.wait();
                        looked.wait();
                    })));
                    *map.get_or_init(Nosy(20), || 1)
                });
                looks.wait();
                scope.spawn(|| {
                    let_it_fall_asleep();
                    assert!(map.get(&Nosy(20)).is_none(), "its key is being looked at");
                    looked.wait();
                });
                other
            });
            assert_eq!(other.1, 20);
            other.0.join().unwrap()
        });
        assert_eq!((other, map.in_flight()), (20, 0));
    });
}

#[test]
fn f1_destructors_panic_and_nothing_is_left() {
    let map = HashMap::new();
    // The closure's, though the key is there: not with a guard in its hands.
    map.insert(1, 1);
    let captive = OnDrop::<fn()>(|| panic!("a destructor that panics"));
    let init = move || {
        drop(captive);
        unreachable!("it is there")
    };
    assert!(panics(|| map.get_or_init(1, init)));
    assert_eq!(map.stats().live_guards, 0);
    // That of a value that comes too late; others do not wait for it.
    static LATE: OnceLock<HashMap<u64, OnDrop<fn()>>> = OnceLock::new();
    static ASKED: AtomicBool = AtomicBool::new(false);
    let map = LATE.get_or_init(HashMap::new);
    let late = || {
        map.insert(2, OnDrop(|| ()));
        OnDrop::<fn()>(|| {
            let map = LATE.get().expect("it is there");
            assert_eq!(map.in_flight(), 0);
            drop(map.get_or_init(2, || unreachable!("it is there")));
            ASKED.store(true, Ordering::SeqCst);
            panic!("a destructor that panics");
        })
    };
    assert!(panics(|| map.get_or_init(2, late)) && ASKED.load(Ordering::SeqCst));
    assert_eq!((map.in_flight(), map.len(), map.stats().live_guards), (0, 1, 0));
}

#[test]
fn a_flight_leaves_no_memory_behind() {
    let map = HashMap::<u64, u64>::new();
    map.insert(0, 0);
    let lives = |work: &dyn Fn()| {
        let before = balance();
        work();
        balance() - before
    };
    assert_eq!(lives(&|| assert_eq!(map.try_get_or_init(1, || Err(5)).err(), Some(5))), 0);
    let inserting = lives(&|| drop(map.insert(1, 1)));
    map.insert(2, 2);
    let computing = lives(&|| drop(map.get_or_init(3, || *map.get_or_init(0, || 1))));
    assert_eq!(computing, inserting, "an entry, in both cases");
}

/// Threads that end have no handle any more, but may compute.
#[test]
fn a_destructor_of_a_thread_local_value_may_compute() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            let map = MAP.lock().unwrap().take().expect("it is there");
            assert_eq!(*map.get_or_init(1, || *map.get_or_init(2, || 2)), 2);
            assert!(panics(|| map.get_or_init(3, || *map.get_or_init(3, || 3))));
            *MAP.lock().unwrap() = Some(map);
        }
    }
    static MAP: Mutex<Option<HashMap<u64, u64>>> = Mutex::new(None);
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    *MAP.lock().unwrap() = Some(HashMap::new());
    thread::spawn(|| LAST.set(Some(Last))).join().unwrap();
    assert_eq!(MAP.lock().unwrap().as_ref().map(HashMap::len), Some(2));
}

/// Of the calls that wait none finds the value, because it is removed each time before they look: they compute themselves.
#[test]
fn who_waited_and_finds_nothing_computes() {
    in_time(|| {
        let map = HashMap::new();
        let (tell, told) = mpsc::channel::<u64>();
        let told = Mutex::new(told);
        thread::scope(|scope| {
            scope.spawn(|| {
                let removed = |pair: Option<Ref<'_, u64, u64>>| pair.is_some();
                for _ in 0..3 {
                    until(|| removed(map.remove(&1)));
                }
            });
            for number in 0..3 {
                let (tell, map) = (tell.clone(), &map);
                scope.spawn(move || {
                    // As long as it has not computed itself.
                    while *map.get_or_init(1, || number) != number {
                        thread::yield_now();
                    }
                    tell.send(number).unwrap();
                });
            }
        });
        drop(tell);
        let computed: BTreeSet<u64> = told.into_inner().unwrap().iter().collect();
        assert_eq!((computed.len(), map.in_flight()), (3, 0));
    });
}

#[test]
fn keys_that_are_not_needed_are_dropped() {
    let (counter, map) = (Counter::default(), HashMap::<Counted, Counted>::new());
    drop(map.get_or_init(counter.value(1), || counter.value(1)));
    drop(map.get_or_init(counter.value(1), || unreachable!("it is there")));
    assert_eq!(counter.live(), 2);
    assert!(map.try_get_or_init(counter.value(2), || Err(())).is_err());
    assert_eq!(counter.live(), 2);
}
