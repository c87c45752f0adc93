//! `publish` and `view`: copies of one moment where that can be had, which hold nothing back and follow what is published.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tidymap::{Frozen, HashMap};

use crate::rounds::rounds;
use crate::support::{allocations, in_time, let_it_fall_asleep};

fn pairs<K: Copy + Ord, V: Copy + Ord, S>(frozen: &Frozen<K, V, S>) -> Vec<(K, V)> {
    let mut pairs: Vec<_> = frozen.iter().map(|(key, value)| (*key, *value)).collect();
    pairs.sort_unstable();
    assert_eq!(pairs.len(), frozen.len());
    pairs
}

#[test]
fn a_view_reads_what_was_published_last() {
    let map = HashMap::from([(1, 10), (2, 20)]);
    let mut view = map.view();
    let mut other = view.clone();
    map.insert(3, 30);
    map.remove(&1);
    for view in [&mut view, &mut other, &mut map.view()] {
        assert_eq!(pairs(view.load()), [(1, 10), (2, 20)]);
    }
    let kept = view.load().clone();
    let published = map.publish();
    assert!(published.is_exact() && kept.is_exact());
    assert_eq!(pairs(&published), [(2, 20), (3, 30)]);
    assert!(view.get(&1).is_none() && !view.contains_key(&1));
    assert_eq!(view.get(&3), Some(&30));
    assert_eq!((kept.get(&1), kept.get_key_value(&2), kept.contains_key(&3)), (Some(&10), Some((&2, &20)), false));
    assert!(Arc::ptr_eq(other.load(), &published));
    map.clear();
    assert!(!other.load().is_empty() && map.publish().is_empty() && other.load().is_empty());
}

#[test]
fn a_map_that_publishes_nothing_pays_nothing() {
    let before = allocations();
    let map = HashMap::<u64, u64>::new();
    assert_eq!(allocations(), before);
    let frozen = map.publish();
    assert!(frozen.is_empty() && frozen.is_exact());
}

/// Clones of an `Arc` count themselves.
#[test]
fn a_copy_goes_with_the_last_who_has_it() {
    let value = Arc::new(());
    let map = HashMap::from([(1, value.clone())]);
    let mut view = map.view();
    assert_eq!(Arc::strong_count(&value), 3, "in the map and in the copy");
    assert_eq!(map.stats().live_guards, 0);
    map.remove(&1);
    assert_eq!((Arc::strong_count(&value), map.stats().pending.entries), (2, 0), "a view holds nothing back");
    drop(map.publish());
    assert_eq!(Arc::strong_count(&value), 2, "the view has not looked");
    assert!(view.get(&1).is_none());
    assert_eq!(Arc::strong_count(&value), 1, "now it has");

    map.insert(2, value.clone());
    let kept = map.publish();
    drop(map.publish());
    assert_eq!(Arc::strong_count(&value), 4, "in the map, and in two copies");
    drop(kept);
    assert_eq!(Arc::strong_count(&value), 3);
    // Views that have not looked go with what they have.
    let another = view.clone();
    assert!(view.get(&2).is_some());
    map.clear();
    drop(map.publish());
    assert_eq!(Arc::strong_count(&value), 2);
    drop((view, another));
    assert_eq!(Arc::strong_count(&value), 1);

    map.insert(3, value.clone());
    drop(map.publish());
    let mut view = map.view();
    drop(map);
    assert_eq!((Arc::strong_count(&value), view.load().len()), (2, 1), "a view may outlive its map");
    drop(view);
    assert_eq!(Arc::strong_count(&value), 1);
}

/// A writer goes from place to place, twice with each number: so it is known which states there are. What a copy that says it is exact has is one of these.
/// (That of what comes and goes meanwhile is a unit test, step by step.)
#[test]
fn a_copy_that_is_exact_is_of_one_moment() {
    in_time(|| {
        let map: HashMap<u64, u64> = (0..2000).map(|key| (key, 0)).collect();
        let places = |number: u64| (number % 2000, (number + 1000) % 2000);
        let (done, took, map) = (AtomicBool::new(false), AtomicU64::new(0), &map);
        thread::scope(|scope| {
            let (done, took) = (&done, &took);
            scope.spawn(move || {
                for number in 1.. {
                    map.insert(places(number).0, number);
                    map.insert(places(number).1, number);
                    // Now and then a pause in which a copy can be made, however slow that is here: so there are exact ones.
                    if number % 256 == 0 {
                        thread::sleep(Duration::from_nanos(3 * took.load(Ordering::Relaxed)));
                    }
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
            let mut exact = 0;
            while exact < if cfg!(miri) { 2 } else { rounds(300) } {
                let begun = Instant::now();
                let frozen = map.publish();
                took.store(begun.elapsed().as_nanos() as u64, Ordering::Relaxed);
                let last = *frozen.iter().map(|(_, number)| number).max().unwrap();
                if !frozen.is_exact() || last == 0 {
                    continue;
                }
                exact += 1;
                let seen = |place: u64| *frozen.get(&place).unwrap();
                assert_eq!(seen(places(last).0), last, "the first of two");
                assert!([last, last.saturating_sub(1000)].contains(&seen(places(last).1)), "written, or not yet");
                for before in last.saturating_sub(900).max(1)..last {
                    assert_eq!(
                        (seen(places(before).0), seen(places(before).1)),
                        (before, before),
                        "written before {last}"
                    );
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn views_never_go_back() {
    in_time(|| {
        let map: HashMap<u64, u64> = (0..100).map(|key| (key, 0)).collect();
        let (done, map) = (AtomicBool::new(false), &map);
        thread::scope(|scope| {
            let done = &done;
            scope.spawn(move || {
                for number in 1..if cfg!(miri) { 50 } else { rounds(20_000) } {
                    map.insert(number % 100, number);
                }
                done.store(true, Ordering::Release);
            });
            for _ in 0..2 {
                scope.spawn(move || {
                    while !done.load(Ordering::Acquire) {
                        map.publish();
                    }
                });
                scope.spawn(move || {
                    let (mut view, mut last) = (map.view(), vec![0; 100]);
                    loop {
                        let is_last = done.load(Ordering::Acquire);
                        let frozen = view.load();
                        for (key, last) in (0..).zip(&mut last) {
                            let number = *frozen.get(&key).expect("it is there throughout");
                            assert!(*last <= number, "{key} had {last}, and has {number}");
                            *last = number;
                        }
                        if is_last {
                            return;
                        }
                    }
                });
            }
        });
        let last = map.publish();
        assert!(last.is_exact() && map.view().load().iter().eq(last.iter()));
    });
}

#[test]
fn publishing_after_so_many_changes() {
    let map = HashMap::new();
    assert!(map.publish_after(1000).is_some(), "the first");
    assert!(map.publish_after(1).is_none() && map.publish_after(0).is_some());
    let changes: [(&str, u64, &dyn Fn()); 8] = [
        ("an insertion", 1, &|| drop(map.insert(1, 1))),
        ("an overwrite", 1, &|| drop(map.insert(1, 2))),
        ("an update", 1, &|| drop(map.update(&1, |n| n + 1))),
        ("nothing", 0, &|| assert!(map.try_insert(1, 5).is_err() && map.get(&1).is_some())),
        ("a removal", 1, &|| drop(map.remove(&1))),
        ("ten at once", 10, &|| _ = map.insert_many((0..10).map(|key| (key, key)))),
        ("removals", 10, &|| map.clear()),
        ("a computation", 1, &|| drop(map.get_or_init(1, || 1))),
    ];
    for (name, changes, change) in changes {
        map.publish();
        change();
        assert!(map.publish_after(changes + 1).is_none(), "{name}");
        assert!(map.publish_after(changes).is_some(), "{name}");
    }
    map.publish();
    assert_eq!(map.remove_owned(&1), Ok(Some((1, 1))));
    assert!(map.publish_after(1).is_some_and(|frozen| frozen.is_empty()));
}

/// Does something when it is cloned next, on this thread.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OnClone(u64);

thread_local!(static ON_CLONE: Cell<Option<fn()>> = const { Cell::new(None) });

impl Clone for OnClone {
    fn clone(&self) -> Self {
        if let Some(act) = ON_CLONE.take() {
            act();
        }
        OnClone(self.0)
    }
}

#[test]
fn f1_clone_may_panic_or_use_the_map() {
    static MAP: std::sync::OnceLock<HashMap<u64, OnClone>> = std::sync::OnceLock::new();
    in_time(|| {
        let map = MAP.get_or_init(HashMap::new);
        (0..5).for_each(|key| drop(map.insert(key, OnClone(key))));
        ON_CLONE.set(Some(|| panic!("a clone that panics")));
        assert!(catch_unwind(|| map.view().load().len()).is_err());
        let mut view = map.view();
        map.remove(&0);
        ON_CLONE.set(Some(|| panic!("a clone that panics")));
        assert!(catch_unwind(AssertUnwindSafe(|| map.publish().len())).is_err());
        assert_eq!((view.load().len(), map.stats().live_guards), (5, 0), "nothing has been published");
        ON_CLONE.set(Some(|| {
            let map = MAP.get().unwrap();
            map.insert(7, OnClone(7));
            // That of a later moment stays.
            assert_eq!(map.publish().len(), 5);
        }));
        assert_eq!((map.publish().len(), view.load().len()), (4, 5));
    });
}

/// Clones run under no lock: while one of them waits, others write, publish and read.
#[test]
fn f3_nobody_waits_for_a_clone() {
    static STATE: AtomicU64 = AtomicU64::new(0);
    in_time(|| {
        let map: HashMap<u64, OnClone> = (0..5).map(|key| (key, OnClone(key))).collect();
        thread::scope(|scope| {
            let slow = scope.spawn(|| {
                ON_CLONE.set(Some(|| {
                    STATE.store(1, Ordering::SeqCst);
                    while STATE.load(Ordering::SeqCst) == 1 {
                        let_it_fall_asleep();
                    }
                }));
                map.publish().len()
            });
            crate::support::until(|| STATE.load(Ordering::SeqCst) == 1);
            map.insert(5, OnClone(5));
            map.remove(&0);
            assert_eq!((map.publish().len(), map.view().load().len(), slow.is_finished()), (5, 5, false));
            STATE.store(2, Ordering::SeqCst);
            assert_eq!(slow.join().unwrap(), 5);
            assert!(map.view().get(&5).is_some(), "the earlier copy has come too late");
        });
    });
}
