//! The ten ways to hold on to memory.
//!
//! Each is a function that takes a map of some kind from empty to its end, and notes on the way what is held. `lab.entries`
//! says how large it is. Keys are numbers, or made of numbers.

use std::sync::Barrier;
use std::thread;

use crate::lab::{Keys, Lab};
use crate::levels::{Levels, TwoLevels};
use crate::maps::{Family, Map, MapOf};
use crate::report::{MapReport, Stage};
use crate::values::{Run, Small, heavy_key};

/// For keys that are numbers.
fn plain(n: usize) -> usize {
    n
}

/// Fills an empty map with the first numbers.
fn fill<F: Family>(lab: &mut Lab) -> MapOf<F, usize, Small> {
    let entries = lab.entries;
    let map = MapOf::<F, usize, Small>::default();
    for n in 0..entries {
        map.insert(n, lab.run.small(n));
        lab.done();
    }
    lab.reached(Stage::Full, entries);
    map
}

fn remove_all_but<F: Family>(lab: &mut Lab, map: &MapOf<F, usize, Small>, one_in: usize) -> Keys {
    for n in (0..lab.entries).filter(|n| n % one_in != 0) {
        assert!(map.remove(&n));
        lab.done();
    }
    Keys::every(one_in, lab.entries)
}

pub(crate) fn mass_deletion<F: Family>(mut lab: Lab) -> MapReport {
    let map = fill::<F>(&mut lab);
    let live = remove_all_but::<F>(&mut lab, &map, 100);
    lab.reached(Stage::After, live.count);
    let spare = lab.entries;
    lab.rest_and_end::<F, _, _>(map, live, spare, plain, Run::small)
}

/// How many times the whole map is exchanged.
pub(crate) const TURNS: usize = 5;

pub(crate) fn churn<F: Family>(mut lab: Lab) -> MapReport {
    let entries = lab.entries;
    let map = fill::<F>(&mut lab);
    for oldest in 0..entries * TURNS {
        assert!(map.remove(&oldest));
        lab.done();
        map.insert(oldest + entries, lab.run.small(oldest));
        lab.done();
    }
    lab.reached(Stage::After, entries);
    let live = Keys { from: entries * TURNS, step: 1, count: entries };
    lab.rest_and_end::<F, _, _>(map, live, entries * (TURNS + 1), plain, Run::small)
}

pub(crate) fn reinsertion<F: Family>(mut lab: Lab) -> MapReport {
    let entries = lab.entries;
    let map = fill::<F>(&mut lab);
    for _ in 0..TURNS {
        for n in 0..entries {
            assert!(map.remove(&n));
            lab.done();
        }
        for n in 0..entries {
            map.insert(n, lab.run.small(n));
            lab.done();
        }
    }
    lab.reached(Stage::After, entries);
    lab.rest_and_end::<F, _, _>(map, Keys::first(entries), entries, plain, Run::small)
}

/// How many times each value is overwritten meanwhile.
pub(crate) const OVERWRITES: usize = 8;

pub(crate) fn stalled_reader<F: Family>(mut lab: Lab) -> MapReport {
    let entries = (lab.entries / 4).max(16);
    let map = MapOf::<F, usize, _>::default();
    for n in 0..entries {
        map.insert(n, lab.run.session(n));
        lab.done();
    }
    lab.reached(Stage::Full, entries);
    let (holds, may_leave) = (Barrier::new(2), Barrier::new(2));
    let mut refused = 0;
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let held = map.hold(&0);
            holds.wait();
            may_leave.wait();
            drop(held);
        });
        holds.wait();
        for n in 0..entries * OVERWRITES {
            if !map.try_insert(n % entries, lab.run.session(n)) {
                refused += 1;
            }
            lab.done();
        }
        lab.reached(Stage::During, entries);
        may_leave.wait();
        reader.join().expect("readers do not panic");
    });
    lab.refused(refused);
    // What had to wait is made up for. These writes were counted when they were tried.
    for n in 0..refused {
        map.insert(n % entries, lab.run.session(n));
    }
    lab.reached(Stage::After, entries);
    lab.rest_and_end::<F, _, _>(map, Keys::first(entries), entries, plain, Run::session)
}

/// How many times each big value is overwritten.
pub(crate) const STORMS: usize = 20;

pub(crate) fn overwrite_storm<F: Family>(mut lab: Lab) -> MapReport {
    let entries = (lab.entries / 400).max(16);
    let map = MapOf::<F, usize, _>::default();
    for n in 0..entries {
        map.insert(n, lab.run.big(n));
        lab.done();
    }
    lab.reached(Stage::Full, entries);
    for n in 0..entries * STORMS {
        map.insert(n % entries, lab.run.big(n));
        lab.done();
    }
    lab.reached(Stage::After, entries);
    lab.rest_and_end::<F, _, _>(map, Keys::first(entries), entries, plain, Run::big)
}

pub(crate) fn heavy_keys<F: Family>(mut lab: Lab) -> MapReport {
    let entries = (lab.entries / 10).max(16);
    let map = MapOf::<F, Box<str>, _>::default();
    for n in 0..entries {
        map.insert(heavy_key(n), lab.run.small(n));
        lab.done();
    }
    lab.reached(Stage::Full, entries);
    // Equal keys, but others: one of the two has to go.
    for n in 0..entries {
        map.insert(heavy_key(n), lab.run.small(n));
        lab.done();
    }
    for n in (0..entries).filter(|n| n % 10 != 0) {
        assert!(map.remove(&heavy_key(n)));
        lab.done();
    }
    let live = Keys::every(10, entries);
    lab.reached(Stage::After, live.count);
    lab.rest_and_end::<F, _, _>(map, live, entries, heavy_key, Run::small)
}

pub(crate) fn cleared<F: Family>(mut lab: Lab) -> MapReport {
    let entries = lab.entries;
    let map = fill::<F>(&mut lab);
    map.clear();
    lab.done();
    lab.reached(Stage::After, 0);
    // Other keys than before, as for the next day.
    let live = Keys { from: entries, step: 1, count: entries.div_ceil(100) };
    for n in live.iter() {
        map.insert(n, lab.run.small(n));
        lab.done();
    }
    lab.rest_and_end::<F, _, _>(map, live, entries * 2, plain, Run::small)
}

pub(crate) fn grown_once<F: Family>(mut lab: Lab) -> MapReport {
    let entries = lab.entries;
    let map = fill::<F>(&mut lab);
    let live = remove_all_but::<F>(&mut lab, &map, 3);
    // Used at that size: each of the remaining keys is looked up, and goes and comes back.
    for n in live.iter() {
        assert!(map.read(&n, |_| ()).is_some());
        lab.done();
        assert!(map.remove(&n));
        lab.done();
        map.insert(n, lab.run.small(n));
        lab.done();
    }
    lab.reached(Stage::After, live.count);
    lab.rest_and_end::<F, _, _>(map, live, entries, plain, Run::small)
}

/// Entries in each inner map, and of how many users one stays.
pub(crate) const ITEMS: usize = 20;
pub(crate) const STAYS: usize = 100;

pub(crate) fn two_levels<F: TwoLevels>(mut lab: Lab) -> MapReport {
    let (run, users) = (lab.run, (lab.entries / ITEMS).max(16));
    let maps = F::Levels::default();
    for user in 0..users {
        for item in 0..ITEMS {
            maps.insert(user, item, run.small(item));
            lab.done();
        }
    }
    lab.reached(Stage::Full, users * ITEMS);
    for user in (0..users).filter(|user| user % STAYS != 0) {
        for item in 0..ITEMS {
            assert!(maps.remove(user, item));
            lab.done();
        }
    }
    let live = Keys::every(STAYS, users);
    lab.reached(Stage::After, live.count * ITEMS);
    lab.ordinary(
        live.count * ITEMS,
        |n| maps.contains(live.nth(n % live.count), n % ITEMS),
        |n| maps.insert(live.nth(n % live.count), ITEMS + n, run.small(n)),
        |n| maps.remove(live.nth(n % live.count), ITEMS + n),
    );
    let entries = || live.iter().flat_map(|user| (0..ITEMS).map(move |item| (user, item)));
    lab.finish::<F, _, _>(
        maps,
        Levels::count,
        Levels::own_call,
        |run| {
            let mut packed = Vec::with_capacity(live.count * ITEMS);
            packed.extend(entries().map(|(user, item)| (user, item, run.small(item))));
            packed
        },
        |run| {
            let fresh = F::Levels::default();
            entries().for_each(|(user, item)| fresh.insert(user, item, run.small(item)));
            fresh
        },
    )
}

/// Entries in each of the many maps, and how many of them stay.
pub(crate) const FEW: usize = 8;
pub(crate) const FEWER: usize = 2;

pub(crate) fn many_small<F: Family>(mut lab: Lab) -> MapReport {
    let (run, count) = (lab.run, (lab.entries / 20).max(16));
    let make = |run: Run, entries: usize, done: &mut dyn FnMut()| {
        let mut maps = Vec::with_capacity(count);
        for _ in 0..count {
            let map = MapOf::<F, usize, Small>::default();
            for n in 0..entries {
                map.insert(n, run.small(n));
                done();
            }
            maps.push(map);
        }
        maps
    };
    let maps = make(run, FEW, &mut || lab.done());
    lab.reached(Stage::Full, count * FEW);
    for map in &maps {
        for n in FEWER..FEW {
            assert!(map.remove(&n));
            lab.done();
        }
    }
    lab.reached(Stage::After, count * FEWER);
    lab.ordinary(
        count * FEWER,
        |n| maps[n % count].read(&(n % FEWER), |_| ()).is_some(),
        |n| maps[n % count].insert(FEW, run.small(n)),
        |n| maps[n % count].remove(&FEW),
    );
    lab.finish::<F, _, _>(
        maps,
        |maps| maps.iter().map(Map::count).sum(),
        |maps| maps.iter().for_each(Map::own_call),
        |run| {
            let mut packed = Vec::with_capacity(count * FEWER);
            packed.extend((0..count * FEWER).map(|n| (n, run.small(n))));
            packed
        },
        |run| make(run, FEWER, &mut || ()),
    )
}
