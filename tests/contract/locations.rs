//! R8 under the feature `guard-locations`: where guards were taken.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::{Mutex, OnceLock};

use tidymap::{Compute, HashMap, Operation};

/// The line of the oldest guard, which must be in this file and is told alike by both reports.
fn line<S>(map: &HashMap<u32, u32, S>) -> u32 {
    let guard = map.guards().into_iter().next().unwrap();
    let location = guard.location.unwrap();
    assert_eq!(map.stats().oldest_guard.unwrap().location, Some(location));
    assert_eq!(location.file(), file!());
    assert!(guard.to_string().contains(&format!("s ({location}), ")), "{guard}");
    location.line()
}

fn map() -> HashMap<u32, u32> {
    (0..10).map(|n| (n, n)).collect()
}

#[test]
fn r8_a_guard_is_told_by_the_line_of_the_call_that_took_it() {
    let map = map();
    macro_rules! is_told {
        ($guard:expr) => {{
            let guard = $guard;
            assert_eq!(line(&map), line!());
            drop(guard);
            assert!(map.guards().is_empty());
        }};
    }
    is_told!(map.pin());
    is_told!(map.get(&1));
    is_told!(map.insert(1, 2));
    is_told!(map.try_insert(1, 3));
    is_told!(map.try_insert(100, 3));
    is_told!(map.get_or_insert(1, 3));
    is_told!(map.get_or_insert_with(1, || 3));
    is_told!(map.update(&1, |n| n + 1));
    is_told!(map.update_or_insert(1, |n| n + 1, 0));
    is_told!(map.update_or_insert_with(1, |n| n + 1, || 0));
    is_told!(map.compute::<()>(1, |_| Operation::Insert(1)));
    is_told!(map.compare_exchange(&1, &1, 2));
    is_told!(map.compare_exchange(&1, &1, 2));
    is_told!(map.remove_if(&1, |_, _| false));
    is_told!(map.remove_if(&1, |_, _| true));
    is_told!(map.remove(&2));
}

/// Guards of calls that are over when they return, seen by the user's code within.
#[test]
fn r8_a_running_call_is_told_by_its_line() {
    static MAP: OnceLock<HashMap<u32, Asks>> = OnceLock::new();
    static TOLD: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
    struct Asks;
    fn ask() {
        let guard = MAP.get().unwrap().guards().into_iter().next().unwrap();
        TOLD.lock().unwrap().extend(guard.location.map(Location::line));
    }
    impl PartialEq for Asks {
        fn eq(&self, _: &Self) -> bool {
            ask();
            true
        }
    }
    impl Clone for Asks {
        fn clone(&self) -> Self {
            ask();
            Asks
        }
    }
    let map = MAP.get_or_init(|| HashMap::from([(1, Asks)]));
    macro_rules! is_told {
        ($call:expr) => {{
            $call;
            assert_eq!(std::mem::take(&mut *TOLD.lock().unwrap()), BTreeSet::from([line!()]));
        }};
    }
    is_told!(map.read(&1, |_, _| ask()));
    is_told!(assert!(map.get_cloned(&1).is_some()));
    is_told!(map.retain(|_, _| *map == *map));
    is_told!(assert!(*map == *map));
    is_told!(assert_eq!(map.clone().len(), 1));
}

#[test]
fn r8_a_refreshed_session_is_told_by_the_line_of_the_refresh() {
    let map = map();
    let (mut session, pinned) = (map.pin(), line!());
    assert_eq!(line(&map), pinned);
    session.refresh();
    assert_eq!(line(&map), line!() - 1);
    map.remove(&1);
    session.refresh();
    assert_eq!(line(&map), line!() - 1);
}

/// Four sessions, two of them of one epoch, ended in all orders: the place told is always that of the oldest that is left.
#[test]
fn r8_when_the_oldest_guard_ends_the_place_of_the_next_is_told() {
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for count in 1..=4 {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                (0..count).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, count - 1);
                    order
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 24);
    for order in orders {
        let map = map();
        let (first, first_line) = (map.pin(), line!());
        let (twin, twin_line) = (map.pin(), line!());
        map.insert(1, 2);
        let (second, second_line) = (map.pin(), line!());
        map.insert(1, 3);
        let (third, third_line) = (map.pin(), line!());
        let mut live = [(first, first_line), (twin, twin_line), (second, second_line), (third, third_line)].map(Some);
        for ended in &order {
            let (_, oldest) = live.iter().flatten().next().unwrap();
            assert_eq!(line(&map), *oldest, "{order:?}");
            live[*ended] = None;
        }
        assert!(map.guards().is_empty());
    }
}

/// `compute` keeps two pairs by one guard and its clone: the place is told until both are gone.
#[test]
fn r8_a_cloned_guard_is_told_by_the_place_of_the_original() {
    let map = map();
    let (updated, here) = (map.compute::<()>(1, |_| Operation::Insert(1)), line!());
    let Compute::Updated { old, new } = updated else { unreachable!() };
    let later = map.pin();
    assert_eq!(map.guards().iter().next().unwrap().guards, 3);
    drop(new);
    assert_eq!(line(&map), here);
    drop(old);
    assert_eq!(line(&map), here + 2);
    drop(later);
}
