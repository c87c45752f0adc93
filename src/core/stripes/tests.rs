use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::bucket::SLOTS;
use super::super::entry::Entry;
use super::super::table::Table;
use super::super::{Computed, Core, GROUP, Hash, Limits, Next};
use super::{Link, STRIPES};

const KEYS: u64 = if cfg!(miri) { 400 } else { 50_000 };

/// Mixed well: keys in a row, only multiplied, crowd in some stripes if the table's own factor is an unlucky one.
fn hash(key: u64) -> Hash {
    let half = (key ^ key >> 30).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (half ^ half >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    Hash::new(mixed ^ mixed >> 31)
}

fn insert(core: &Core<u64, u64>, key: u64) -> bool {
    core.insert(&core.guard(), hash(key), key, key).is_none()
}

fn remove(core: &Core<u64, u64>, key: u64) -> bool {
    core.remove_if(&core.guard(), hash(key), &key, |_| true).is_ok_and(|pair| pair.is_some())
}

fn open(capacity: u64) -> Core<u64, u64> {
    let core = Core::new(Limits::NONE, None);
    core.reserve(&core.guard(), capacity as usize).unwrap();
    core.stripe_now(&core.guard());
    core
}

/// Each key that should be there is there once, and the figures are right.
fn assert_holds(core: &Core<u64, u64>, keys: impl Iterator<Item = u64>) {
    let guard = core.guard();
    let found: Vec<u64> = core.iter(&guard).map(|pair| *pair.key).collect();
    let expected: BTreeSet<u64> = keys.collect();
    assert_eq!(found.len(), expected.len());
    assert_eq!(BTreeSet::from_iter(found), expected);
    let (read, young) = core.table_lens(&guard);
    assert_eq!((core.len(), read + young), (expected.len(), expected.len()));
}

/// Three threads insert the same keys, some at a time, and remove every fourth of them; a fourth thread makes new tables again and again.
#[test]
fn c1_a_key_is_inserted_once_whoever_inserts_it_by_a_stripe() {
    const KEYS: u64 = if cfg!(miri) { 60 } else { 12_000 };
    let (core, done, together) = (open(KEYS / 8 + 600), AtomicBool::new(false), Barrier::new(3));
    std::thread::scope(|threads| {
        let inserted = |key| {
            if key % (KEYS / 60) == 0 {
                together.wait();
            }
            i64::from(insert(&core, key)) - i64::from(key % 4 == 0 && remove(&core, key))
        };
        let workers = [(); 3].map(|()| threads.spawn(move || (0..KEYS).map(inserted).sum::<i64>()));
        threads.spawn(|| {
            let mut rounds = if cfg!(miri) { 3 } else { u32::MAX };
            while !done.load(Ordering::Relaxed) && rounds > 0 {
                rounds -= 1;
                core.shrink_to_fit(&core.guard()).unwrap();
                core.reserve(&core.guard(), 600).unwrap();
                assert!(core.len() <= KEYS as usize);
                std::thread::yield_now();
            }
        });
        let new: i64 = workers.map(|worker| worker.join().unwrap()).into_iter().sum();
        done.store(true, Ordering::Relaxed);
        assert_eq!(new, core.len() as i64);
    });
    // What was inserted again after the others had removed it is there or not: nothing else is missing.
    let fours = BTreeSet::from_iter(core.iter(&core.guard()).map(|pair| *pair.key).filter(|key| key % 4 == 0));
    assert_holds(&core, (0..KEYS).filter(|key| key % 4 != 0 || fours.contains(key)));
    let by_stripes = core.linked_by_stripes();
    assert!(by_stripes > if cfg!(miri) { 0 } else { KEYS / 4 }, "{by_stripes}");
}

/// Is it linked, if only a stripe will do?
fn links_by_stripe(core: &Core<u64, u64>, key: u64) -> bool {
    let stripes = core.writer.striping.get().expect("they have been made");
    let (guard, entry) = (core.guard(), Entry::new(key, key));
    let linked = core.link_by_stripe(&guard, stripes, core.searching(&guard, hash(key)), hash(key), entry);
    let is_linked = matches!(linked, Ok(Link::Done));
    if !is_linked {
        // SAFETY: it was not linked, so it is ours.
        let _ = unsafe { entry.take() };
    }
    is_linked
}

/// Half of a large table has been used by stripes, and its successor is not begun. A call that only looks shuts them, and must not give them the other half.
#[test]
#[cfg_attr(miri, ignore = "takes many keys")]
fn p3_who_only_looks_leaves_stripes_shut() {
    let core = open(KEYS);
    let linked = (0..KEYS).filter(|key| links_by_stripe(&core, *key)).count();
    assert!(linked > KEYS as usize / 3 && core.lock().spare.is_none());
    core.capacity(&core.guard());
    assert!(!(KEYS..KEYS * 2).any(|key| links_by_stripe(&core, key)));
    assert!(insert(&core, KEYS * 2));
    assert!(core.lock().spare.is_some(), "who links does a share");
    assert!((KEYS * 2 + 1..KEYS * 3).any(|key| links_by_stripe(&core, key)));
}

/// As if somebody had the mutex for long, again and again, and the others linked all that they can meanwhile: what is left of the room is enough for the shares that are left.
#[test]
#[cfg_attr(miri, ignore = "takes many keys")]
fn p3_tables_are_made_in_time_whoever_links_by_stripes() {
    let core = Core::<u64, u64>::new(Limits::NONE, None);
    core.stripe_now(&core.guard());
    let mut keys = 0..;
    let is_in_the_making = |key| {
        assert!(insert(&core, key));
        let lock = core.lock();
        lock.next.is_some() && lock.is_open && core.len() > KEYS as usize / 4
    };
    assert!(keys.any(is_in_the_making));
    let guard = core.guard();
    let dirty = core.tables(&guard).1[0];
    for round in 0..4 {
        keys.by_ref().take(KEYS as usize).for_each(|key| _ = links_by_stripe(&core, key));
        let mut lock = core.lock();
        core.writer.striping.shut(&mut lock);
        let (used, shares, limit) = (lock.dirty_used, lock.shares_left(), dirty.size().limit());
        // A group is linked before its shares are done.
        assert!(shares > 0 && used + shares + GROUP <= limit, "{round}: {used} used, {shares} shares, {limit}");
        core.unlock(&guard, lock);
        // Shares, and past the middle: they are opened for the other half.
        keys.by_ref().take(32).for_each(|key| assert!(insert(&core, key)));
    }
    for key in keys.take(dirty.size().limit()) {
        assert!(insert(&core, key));
        assert!(core.tables(&guard).1[2].is_empty(), "the next table was not done in time");
    }
}

/// Of what was linked by stripes some has been added up, or nothing, when everything is removed.
#[test]
fn m2_a_map_whose_entries_were_linked_by_stripes_gives_its_tables_back() {
    for (keys, added_up) in [(KEYS, true), (KEYS / 4, false)] {
        // A small table has no room for stripes when half of it is used.
        let core = open(if cfg!(miri) { KEYS * 2 } else { KEYS });
        (0..keys / 2).for_each(|key| assert!(insert(&core, key)));
        if added_up {
            assert_holds(&core, 0..keys / 2);
        }
        (keys / 2..keys).for_each(|key| assert!(insert(&core, key)));
        (0..keys).for_each(|key| assert!(remove(&core, key)));
        let (read, young) = core.tables(&core.guard());
        assert!(young.into_iter().chain([read]).map(Table::bytes).sum::<usize>() <= 2048);
        assert_eq!(core.len(), 0);
        assert!(core.linked_by_stripes() > keys * 3 / 4);
    }
}

/// A search that began when there was no dirty table, and ends when there is none again, after one by which the key was linked.
#[test]
fn c1_a_search_does_not_hold_because_there_is_no_dirty_table_again() {
    let core = Core::<u64, u64>::new(Limits::NONE, None);
    core.stripe_now(&core.guard());
    let keys = if cfg!(miri) { 3 } else { 64 };
    for key in 0..keys {
        let (guard, mut once) = (core.guard(), true);
        let computed = core.compute(&guard, hash(key), key, |old| {
            if std::mem::take(&mut once) {
                assert!(old.is_none());
                core.reserve(&core.guard(), 1000).unwrap();
                assert!(insert(&core, key));
                core.shrink_to_fit(&core.guard()).unwrap();
            }
            Next::<u64, ()>::Insert(77)
        });
        assert!(matches!(computed, Computed::Updated { .. }));
    }
    assert_holds(&core, 0..keys);
    assert_eq!(core.linked_by_stripes(), keys);
}

/// All of the last bucket of a stripe: that has soon no place for more, and they are linked under the mutex.
#[test]
fn keys_that_crowd_in_a_stripe_are_linked_all_the_same() {
    let core = open(1000);
    let dirty = core.tables(&core.guard()).1[0];
    let is_at_the_end = |hash: &Hash| {
        let (part, end) = dirty.part(STRIPES, *hash);
        part + 1 < STRIPES && dirty.home(*hash) + 1 == end
    };
    let place = (0..).map(hash).find(is_at_the_end).expect("a stripe has few buckets").place;
    let crowd = |keys: std::ops::Range<u64>| {
        for key in keys {
            assert!(core.insert(&core.guard(), Hash::from_parts(place, key as u8), key, key).is_none());
        }
    };
    crowd(0..150);
    assert_holds(&core, 0..150);
    assert_eq!(core.linked_by_stripes(), SLOTS as u64);
    // On into other tables.
    let all = if cfg!(miri) { 150 } else { 3000 };
    crowd(150..all);
    assert_holds(&core, 0..all);
}
