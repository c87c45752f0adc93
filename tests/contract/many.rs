//! Calls with many keys: they keep what calls with one key promise, key by key.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tidymap::HashMap;

use crate::support::{
    Counted, Counter, Nosy, ON_EQ, ON_HASH, OnDrop, filled, in_time, key, leak, let_it_fall_asleep, nosy,
    stall_at_allocation,
};

/// Of what several groups hold; keys that come twice, in one group and in two.
#[test]
fn c1_insert_many_does_what_a_loop_does() {
    let map = HashMap::new();
    let mut model = BTreeMap::new();
    for round in 0..20u64 {
        let pairs: Vec<_> = (0..300).map(|n| (n * (round + 7) % 97 + 20 * round, 1000 * round + n)).collect();
        let new = pairs.iter().filter(|(key, value)| model.insert(*key, *value).is_none()).count();
        let inserted = if round % 2 == 0 { map.insert_many(pairs) } else { map.pin().insert_many(pairs) };
        assert_eq!(inserted, new);
        assert_eq!(map.pin().iter().map(|(key, value)| (*key, *value)).collect::<BTreeMap<_, _>>(), model);
    }
}

#[test]
fn c1_remove_many_tells_how_many_were_there() {
    let map: HashMap<u64, u64> = (0..1000).map(|n| (n, n)).collect();
    let keys: Vec<u64> = (0..500).map(|n| 3 * n).chain(0..10).collect();
    assert_eq!(map.remove_many(&keys), 334 + 6, "each once");
    assert_eq!(map.pin().remove_many(&keys), 0);
    assert_eq!(map.len(), 660);
    assert_eq!(map.pin().remove_many((0..1000).collect::<Vec<_>>().iter()), 660);
    assert!(map.is_empty() && map.stats().heap.tables <= 4096);
    assert_eq!(map.remove_many(&keys), 0);
}

/// In small tables, and in such as do not stay in the caches, where keys are read ahead.
#[test]
fn c1_get_many_finds_what_each_get_finds() {
    for entries in [0, 1, 100, 100_000] {
        let map: HashMap<u64, u64> = (0..entries).map(|n| (n, n + 1)).collect();
        for promoted in [false, true] {
            let session = map.pin();
            let keys: Vec<u64> = (0..1000).map(|n| n * 7919 % (2 * entries + 1)).collect();
            let mut found = session.get_many(&keys);
            for (index, key) in keys.iter().enumerate() {
                assert_eq!(found.len(), keys.len() - index);
                assert_eq!(found.next(), Some((*key < entries).then_some(key + 1).as_ref()));
            }
            assert_eq!((found.len(), found.next(), found.next()), (0, None, None));
            drop(session);
            if !promoted {
                map.shrink_to_fit();
            }
        }
    }
}

/// Keys are read ahead, and looked up when they are asked for.
#[test]
fn c1_get_many_looks_a_key_up_when_its_value_is_asked_for() {
    for entries in [100, 100_000] {
        let map: HashMap<u64, u64> = (0..entries).map(|n| (n, n)).collect();
        let session = map.pin();
        let mut found = session.get_many(&[1, 2, 3, 4]);
        assert_eq!(found.next(), Some(Some(&1)));
        map.remove(&2);
        map.insert(3, 33);
        assert_eq!((found.next(), found.next(), found.next()), (Some(None), Some(Some(&33)), Some(Some(&4))));
    }
}

#[test]
fn r1_what_many_have_unlinked_is_dropped_when_the_call_has_returned() {
    let counter = Counter::default();
    let map = filled(&counter, 500);
    let pairs = || (0..200).map(|number| (key(number), counter.value(number + 1)));
    assert_eq!(map.insert_many(pairs().chain(pairs())), 0);
    assert_eq!(counter.live(), 1000, "the keys of before, with new values");
    let keys: Vec<Counted> = (100..300).map(key).collect();
    assert_eq!(map.remove_many(&keys), 200);
    assert_eq!(counter.live(), 600);

    // In a session, when that ends.
    let session = map.pin();
    assert_eq!(session.insert_many(pairs()), 100);
    assert_eq!(session.remove_many(&keys), 100);
    assert_eq!(counter.live(), 600 + 200);
    assert_eq!(map.stats().pending.entries, 200);
    assert_eq!(map.guards().iter().map(|guard| guard.pending.entries).sum::<u64>(), 200, "stamped, for all to see");
    drop(session);
    assert_eq!((counter.live(), map.stats().pending.entries), (600, 0));
}

/// R2: another's session that was there keeps all of it; one that came later, none.
#[test]
fn r2_what_many_have_unlinked_goes_with_the_last_guard_that_was_live() {
    let counter = Counter::default();
    let map = filled(&counter, 100);
    let keys: Vec<Counted> = (0..100).map(key).collect();
    let early = map.pin();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(map.remove_many(&keys), 100)).join().unwrap();
    });
    let late = map.pin();
    assert_eq!((counter.live(), early.get(&key(1)).is_some()), (200, false));
    drop(early);
    assert_eq!(counter.live(), 0);
    drop(late);
}

/// What was unlinked is stamped when the call returns: a session that is opened then holds nothing of it back.
#[test]
fn r2_guards_taken_after_a_call_with_many_keys_hold_nothing_of_it_back() {
    let counter = Counter::default();
    let map = filled(&counter, 100);
    let early = map.pin();
    assert_eq!(early.insert_many((0..50).map(|number| (key(number), counter.value(0)))), 0);
    let late = map.pin();
    assert_eq!(counter.live(), 250);
    drop(early);
    assert_eq!(counter.live(), 200);
    assert_eq!(late.remove_many(&(0..50).map(key).collect::<Vec<_>>()), 50);
    let last = map.pin();
    drop(late);
    assert_eq!(counter.live(), 100);
    drop(last);
}

/// While the iterator is asked for more, no guard is held, and what the groups before have unlinked is gone. So a call that goes on
/// for ever holds nothing back.
#[test]
fn r4_no_guard_is_held_between_groups() {
    let counter = Counter::default();
    let map = filled(&counter, 1000);
    let looked = Cell::new(0);
    let look = |number: &u64| {
        assert_eq!((map.stats().live_guards, map.stats().pending.entries), (0, 0));
        assert_eq!(map.reclaim(), Ok(()));
        // What is in the map, and the values of this group.
        assert!(counter.live() <= 2 * map.len() + 64, "{} at {number}", counter.live());
        looked.set(looked.get() + 1);
    };
    assert_eq!(map.insert_many((0..1000).inspect(look).map(|number| (key(number), counter.value(number)))), 0);
    let keys: Vec<Counted> = (0..1000).map(key).collect();
    assert_eq!(map.remove_many(keys.iter().inspect(|key| look(&key.number))), 1000);
    assert_eq!((looked.get(), counter.live()), (2000, 0));
}

#[test]
fn r4_many_keep_to_the_cap() {
    const CAP: u64 = 100;
    let map = HashMap::builder().max_pending(CAP as usize).build();
    (0..1000).for_each(|number| drop(map.insert(number, number)));
    for many in [
        |map: &HashMap<u64, u64>| map.insert_many((0..500).map(|number| (number, 0))),
        |map: &HashMap<u64, u64>| map.remove_many(&(0..500).collect::<Vec<_>>()),
    ] {
        thread::scope(|scope| {
            let session = map.pin();
            let writer = scope.spawn(|| many(&map));
            while map.stats().pending.entries < CAP {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(20));
            assert_eq!(map.stats().pending.entries, CAP, "it waits");
            // What is not there needs no room.
            scope.spawn(|| assert_eq!(map.insert_many((2000..2100).map(|number| (number, 0))), 100)).join().unwrap();
            let absent = || assert_eq!(map.remove_many(&(3000..3100).collect::<Vec<_>>()), 0);
            scope.spawn(absent).join().unwrap();
            assert_eq!(
                map.pin().remove_many(&(2000..2100).collect::<Vec<_>>()),
                100,
                "who holds a guard is let through"
            );
            assert!(!writer.is_finished());
            drop(session);
            let done = writer.join().unwrap();
            assert!(done == 0 || done == 500, "{done}");
        });
        assert_eq!(map.stats().pending.entries, 0);
    }
    assert_eq!(map.len(), 500);
    // All room is there again.
    thread::scope(|scope| {
        let session = map.pin();
        scope.spawn(|| assert_eq!(map.remove_many(&(500..600).collect::<Vec<_>>()), 100)).join().unwrap();
        let writer = scope.spawn(|| drop(map.remove(&600)));
        let_it_fall_asleep();
        assert_eq!((map.stats().pending.entries, session.get(&600)), (CAP, Some(&600)));
        drop(session);
        writer.join().unwrap();
    });
}

/// A writer that is caught in the allocation of a table, with the mutex in its hands.
#[test]
fn p1_p2_many_do_not_wait_for_a_writer_where_one_does_not() {
    static RELEASE: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>> = Mutex::new(None);
    let map: HashMap<u64, u64> = (0..1000).map(|key| (key, key)).collect();
    map.shrink_to_fit();
    assert_eq!(map.insert_many((1000..1010).map(|key| (key, key))), 10);
    let (caught, is_caught) = mpsc::channel();
    let (release, released) = mpsc::channel();
    *RELEASE.lock().unwrap() = Some((caught, released));
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            stall_at_allocation(1 << 20, || {
                let (caught, released) = RELEASE.lock().unwrap().take().expect("caught once");
                caught.send(()).unwrap();
                // If the others had to wait for us, nobody would release us: do not hang, but fail.
                released.recv_timeout(Duration::from_secs(60)).expect("nothing waits for the writer");
            });
            map.reserve(1_000_000);
        });
        is_caught.recv().unwrap();
        assert_eq!(map.insert_many((0..1010).map(|key| (key, 0))), 0);
        assert_eq!(map.pin().get_many(&[0, 1009, 1010]).collect::<Vec<_>>(), [Some(&0), Some(&0), None]);
        assert_eq!(map.remove_many(&(5..1005).collect::<Vec<_>>()), 1000);
        assert_eq!(map.pin().remove_many(&[0, 5, 1009]), 2);
        assert_eq!(map.len(), 8);
        release.send(()).unwrap();
        writer.join().unwrap();
    });
    // What was removed while the mutex was taken has been unlinked and dropped by its holder.
    let stats = map.stats();
    assert_eq!((stats.read_len + stats.dirty_len, stats.pending.entries), (8, 0));
}

/// No code of the user's runs under the mutex: it may insert, and wait for another thread that inserts.
#[test]
fn f3_code_inside_a_call_with_many_keys_may_use_the_map() {
    in_time(|| {
        let map = nosy(usize::MAX);
        let new = Cell::new(1000);
        let insert = move || {
            // Hashing it may bring us here again.
            let number = new.replace(new.get() + 2);
            assert!(map.insert(Nosy(number), 0).is_none());
            thread::spawn(move || assert!(map.insert(Nosy(number + 1), 0).is_none())).join().unwrap();
        };
        let insert: &'static dyn Fn() = leak(insert);
        let keys: &'static [Nosy] = leak([1, 2, 3, 500, 4].map(Nosy));
        let pairs = || [1, 2, 3, 501, 502, 1].map(|number| (Nosy(number), 7));
        let calls: [&dyn Fn(); 4] = [
            &|| assert!(map.insert_many(pairs().into_iter().inspect(|_| insert())) <= 2),
            &|| assert!(map.pin().insert_many(pairs()) <= 2),
            &|| assert_eq!(map.pin().get_many(keys.iter().inspect(|_| insert())).flatten().count(), 4),
            &|| assert!(map.remove_many(keys.iter().inspect(|_| insert())) >= 4),
        ];
        for call in calls {
            for hook in [&ON_HASH, &ON_EQ] {
                hook.set(Some(Box::new(insert)));
                call();
                assert!(hook.take().is_none());
                map.insert_many((0..10).map(|number| (Nosy(number), number)));
            }
        }
    });
}

/// Nor do destructors: of keys that were there already, and of what is overwritten and removed.
#[test]
fn f3_destructors_inside_a_call_with_many_keys_may_use_the_map() {
    type Map = HashMap<u64, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    thread_local!(static NEXT: RefCell<u64> = const { RefCell::new(1000) });
    in_time(|| {
        let map: &'static Map = leak(HashMap::new());
        let quiet = || OnDrop(Box::new(|| ()) as Box<dyn FnMut() + Send + Sync>);
        let acts = move || {
            let act = move || {
                let number = NEXT.with_borrow_mut(|next| std::mem::replace(next, *next + 2));
                map.insert(number, quiet());
                thread::spawn(move || drop(map.insert(number + 1, quiet()))).join().unwrap();
            };
            OnDrop(Box::new(act) as Box<dyn FnMut() + Send + Sync>)
        };
        assert_eq!(map.insert_many((0..100).map(|number| (number, acts()))), 100);
        assert_eq!(map.insert_many((0..100).map(|number| (number, acts()))), 0);
        assert_eq!(map.len(), 100 + 200);
        assert_eq!(map.remove_many(&(0..100).collect::<Vec<_>>()), 100);
        assert_eq!(map.len(), 400);
    });
}

/// A panic costs the key at which it happens; those that were read ahead before it are looked up.
#[test]
fn f1_get_many_goes_on_after_a_panic() {
    let map: HashMap<Nosy, u64> = (0..100_000).map(|number| (Nosy(number), number)).collect();
    map.shrink_to_fit();
    let keys: Vec<Nosy> = (0..40).map(Nosy).collect();
    let session = map.pin();
    // At the tenth key that is read: in the middle of those that are read ahead.
    let mut read = 0;
    let mut found = session.get_many(keys.iter().inspect(|_| {
        read += 1;
        if read == 10 {
            ON_HASH.set(Some(Box::new(|| panic!("in Hash"))));
        }
    }));
    assert!(catch_unwind(AssertUnwindSafe(|| found.next())).is_err());
    let numbers: Vec<u64> = found.by_ref().take(15).map(|value| *value.expect("it is there")).collect();
    assert_eq!(numbers, (0..9).chain(10..16).collect::<Vec<_>>());
    ON_EQ.set(Some(Box::new(|| panic!("in Eq"))));
    assert!(catch_unwind(AssertUnwindSafe(|| found.next())).is_err());
    assert_eq!(found.map(|value| *value.unwrap()).collect::<Vec<_>>(), (17..40).collect::<Vec<_>>());
}

/// How often a look for the key compares it.
fn comparisons(map: &HashMap<Nosy, u64>, number: u64) -> u32 {
    thread_local!(static COUNTED: Cell<u32> = const { Cell::new(0) });
    fn count() {
        ON_EQ.set(Some(Box::new(|| {
            COUNTED.set(COUNTED.get() + 1);
            count();
        })));
    }
    COUNTED.set(0);
    count();
    let _ = map.contains_key(&Nosy(number));
    ON_EQ.set(None);
    COUNTED.get()
}

/// A map with the keys 0 to 9 in which looks for these compare once, and looks for 20 and 21 do not. Hashes are random: one in some hundred maps is
/// otherwise.
fn nosy_that_compares_equal_keys_only() -> &'static HashMap<Nosy, u64> {
    loop {
        let map = nosy(usize::MAX);
        map.insert(Nosy(20), 20);
        let is_plain = (0..10).all(|number| comparisons(map, number) == 1) && comparisons(map, 21) == 0;
        map.remove(&Nosy(20));
        if is_plain && comparisons(map, 20) == 0 {
            return map;
        }
    }
}

/// What has been killed before a panic is unlinked; what has been built is dropped, and the map is usable.
#[test]
fn f1_a_panic_leaves_what_came_before_it() {
    let map = nosy_that_compares_equal_keys_only();
    let keys = [1, 2, 3, 4].map(Nosy);
    let mut asked = 0;
    let removed = catch_unwind(AssertUnwindSafe(|| {
        map.remove_many(keys.iter().inspect(|_| {
            asked += 1;
            assert!(asked < 4, "in the iterator");
        }))
    }));
    assert!(removed.is_err() && map.len() == 10, "a group is taken first");
    // At the third comparison.
    let third =
        || ON_EQ.set(Some(Box::new(|| ON_EQ.set(Some(Box::new(|| ON_EQ.set(Some(Box::new(|| panic!("in Eq"))))))))));
    third();
    assert!(catch_unwind(AssertUnwindSafe(|| map.remove_many(&keys))).is_err());
    let stats = map.stats();
    assert_eq!((map.len(), stats.read_len + stats.dirty_len, stats.pending.entries), (8, 8, 0));
    third();
    let pairs = [(20, 1), (5, 1), (21, 1), (6, 1), (7, 1)].map(|(number, value)| (Nosy(number), value));
    assert!(catch_unwind(AssertUnwindSafe(|| map.insert_many(pairs))).is_err());
    let values = [20, 5, 21, 6, 7].map(|number| map.get_cloned(&Nosy(number)));
    assert_eq!(values, [None, Some(1), None, Some(1), Some(7)], "what was there before the panic is overwritten");
    assert_eq!((map.len(), map.stats().live_guards), (8, 0));
    assert_eq!(map.reclaim(), Ok(()));
    assert_eq!(map.insert_many([(Nosy(20), 1), (Nosy(21), 1)]), 2);
}
