//! Pairs by value: `remove_owned`, `remove_entry` and `Removed::try_into_owned`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, ReclaimError, Ref};

use crate::support::{Counter, OnDrop, filled, in_time, key, leak};

#[test]
fn remove_owned_waits_for_those_who_can_see_the_pair() {
    let counter = Counter::default();
    let map = filled(&counter, 3);
    let (map, done) = (&map, &AtomicBool::new(false));
    thread::scope(|scope| {
        let early = map.pin();
        let seen = early.get(&key(1)).unwrap();
        let remover = scope.spawn(move || {
            let pair = map.remove_owned(&key(1));
            done.store(true, Ordering::SeqCst);
            pair
        });
        // And until it has left the tables: a guard that is taken between the removal and that counts, too.
        while map.contains_key(&key(1)) || map.stats().live_guards > 1 {
            thread::yield_now();
        }
        let late = scope.spawn(move || {
            // Comes later, and holds nothing back: it stays until the pair has been handed over.
            let late = map.pin();
            while !done.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            drop(late);
        });
        while map.stats().live_guards < 2 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(20));
        assert!(!done.load(Ordering::SeqCst), "it waits");
        assert_eq!((seen.number, map.stats().pending.entries), (1, 1));
        drop(early);
        let (key, value) = remover.join().unwrap().unwrap().unwrap();
        late.join().unwrap();
        assert_eq!((key.number, value.number, counter.live()), (1, 1, 6));
        drop((key, value));
    });
    assert_eq!(counter.live(), 4);
    let stats = map.stats();
    assert_eq!((stats.len, stats.retired, stats.freed, stats.pending.entries), (2, 1, 1, 0));
}

/// `clear` and `shrink_to_fit` must give back what `remove_owned` has left.
#[test]
fn remove_owned_gives_the_memory_back() {
    let map: HashMap<u64, u64> = (0..1000).map(|number| (number, number)).collect();
    let session = map.pin();
    // Overwritten: the inline value goes by itself, before or after its entry.
    (0..500).for_each(|number| assert_eq!(session.insert(number, number + 1), Some(&number)));
    drop(session);
    for number in 0..1000 {
        let value = if number < 500 { number + 1 } else { number };
        assert_eq!(map.remove_owned(&number), Ok(Some((number, value))));
    }
    let heap = map.stats().heap;
    assert_eq!(heap.entries, 0);
    assert!(heap.tables <= 4096);
}

#[test]
fn remove_owned_says_so_when_it_would_wait_for_itself() {
    let map = HashMap::from([(1, 1)]);
    let session = map.pin();
    assert_eq!(map.remove_owned(&1), Err(ReclaimError::GuardHeld));
    assert_eq!(map.remove_owned(&2), Err(ReclaimError::GuardHeld), "whether it is there or not");
    drop(session);
    let one = map.get(&1);
    assert_eq!(map.remove_owned(&1), Err(ReclaimError::GuardHeld));
    drop(one);
    assert_eq!((map.len(), map.stats().retired), (1, 0), "nothing was removed");
    assert_eq!(map.remove_owned(&1), Ok(Some((1, 1))));
    assert_eq!(map.remove_owned(&1), Ok(None));
    assert_eq!(HashMap::<u8, u8>::new().remove_owned(&1), Ok(None));
}

#[test]
fn remove_owned_works_in_destructors_and_survives_theirs() {
    type Recursive = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    let map: &'static Recursive = leak(HashMap::new());
    map.insert(2, OnDrop(Box::new(|| ())));
    map.insert(1, OnDrop(Box::new(|| assert!(map.remove_owned(&2).unwrap().is_some()))));
    map.remove(&1);
    assert!(map.is_empty());
    map.insert(1, OnDrop(Box::new(|| panic!("in the destructor of one that was handed over"))));
    let pair = map.remove_owned(&1).unwrap();
    catch_unwind(AssertUnwindSafe(|| drop(pair))).unwrap_err();
    assert_eq!((map.len(), map.stats().pending.entries), (0, 0));
}

#[test]
fn many_remove_owned_at_once_hand_over_each_pair_once() {
    const KEYS: u64 = 2000;
    let counter = Counter::default();
    let map = filled(&counter, KEYS);
    let handed_over = thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..200 {
                map.pin().iter().for_each(|(key, value)| assert_eq!(key.number, value.number));
                if round % 10 == 0 {
                    map.shrink_to_fit();
                }
            }
        });
        let threads: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let keys = (0..KEYS).map(key);
                    keys.filter(|key| matches!(map.remove_owned(key), Ok(Some((k, v))) if k.number == v.number)).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!((handed_over, map.len(), counter.live()), (KEYS as usize, 0, 0));
}

#[test]
fn try_into_owned_gives_the_pair_if_nobody_else_looks() {
    let counter = Counter::default();
    let map = filled(&counter, 10);
    let (k, v) = map.remove_entry(&key(1)).unwrap().try_into_owned().unwrap();
    assert_eq!((k.number, v.number, counter.live()), (1, 1, 20));
    drop((k, v));
    assert_eq!((counter.live(), map.stats().pending.entries, map.stats().freed), (18, 0, 1));

    // A guard of before, of this thread or another one, may look.
    let session = map.pin();
    let removed = map.remove_entry(&key(2)).unwrap();
    assert_eq!((removed.key().number, removed.number), (2, 2));
    let removed = removed.try_into_owned().unwrap_err();
    drop(session);
    assert_eq!(removed.try_into_owned().unwrap().1.number, 2);
    thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let map = &map;
        let (entered, wait) = std::sync::mpsc::channel();
        let reader = scope.spawn(move || {
            let _session = map.pin();
            entered.send(()).unwrap();
            receive.recv().unwrap_err();
        });
        wait.recv().unwrap();
        let removed = map.remove_entry(&key(3)).unwrap().try_into_owned().unwrap_err();
        drop(send);
        reader.join().unwrap();
        assert_eq!(removed.try_into_owned().unwrap().1.number, 3);
    });

    // One that came later may not.
    let removed = map.remove_entry(&key(4)).unwrap();
    let later = map.pin();
    assert_eq!(removed.try_into_owned().unwrap().1.number, 4);
    assert!(later.get(&key(5)).is_some());
    drop(later);
    let removed = map.remove_entry(&key(5)).unwrap();
    let later = map.get(&key(6));
    let twin = map.get(&key(6));
    assert_eq!(removed.try_into_owned().unwrap().1.number, 5);
    drop((later, twin));

    // Several at once, in any order.
    let first = map.remove_entry(&key(6)).unwrap();
    let second = map.remove_entry(&key(7)).unwrap();
    let second = second.try_into_owned().expect_err("the first one's guard was live, too");
    assert_eq!(first.try_into_owned().unwrap().1.number, 6, "the second one's was not");
    assert_eq!(second.try_into_owned().unwrap().1.number, 7);

    drop(map.pin());

    // Left alone it is like every removal.
    drop(map.remove_entry(&key(8)));
    drop(Ref::from(map.remove_entry(&key(9)).unwrap()));
    assert_eq!((map.len(), counter.live(), map.stats().pending.entries), (1, 2, 0));
}

#[test]
fn try_into_owned_of_an_entry_whose_first_value_was_overwritten() {
    let map = HashMap::from([(1, String::from("first"))]);
    let session = map.pin();
    map.insert(1, String::from("second"));
    let removed = map.remove_entry(&1).unwrap().try_into_owned().unwrap_err();
    assert_eq!((map.stats().pending.entries, removed.value().as_str()), (2, "second"));
    drop(session);
    assert_eq!(map.stats().pending.entries, 1, "the first value had been overwritten before this guard");
    assert_eq!(removed.try_into_owned().unwrap(), (1, String::from("second")));
    assert_eq!((map.stats().pending.entries, map.stats().heap.entries), (0, 0));
}

/// Guards of one thread end in any order, and pairs can be taken back as soon as the last one has that could see them.
#[test]
fn a_pair_can_be_taken_back_when_the_other_guards_of_the_thread_have_ended() {
    let counter = Counter::default();
    let map = filled(&counter, 10);
    let session = map.pin();
    // The next guards are younger.
    map.remove(&key(0));
    let removed = map.remove_entry(&key(1)).unwrap();
    let later = map.remove_entry(&key(2)).unwrap();
    let removed = removed.try_into_owned().expect_err("the session may look");
    drop(session);
    drop(later.try_into_owned().expect_err("the older one may look"));
    let (_, value) = removed.try_into_owned().expect("the last guard");
    assert_eq!(value.number, 1);
    assert_eq!((counter.live(), map.stats().pending.entries), (15, 0));
}

/// E4: the entry goes before the value that was overwritten in it has been dropped, and waits for no destructor.
#[test]
fn a_pair_is_handed_over_while_its_first_value_is_still_being_dropped() {
    in_time(|| {
        static IN_DROP: Barrier = Barrier::new(2);
        static GO_ON: Barrier = Barrier::new(2);
        let dropped = Arc::new(AtomicBool::new(false));
        let first = {
            let dropped = dropped.clone();
            OnDrop(Box::new(move || {
                IN_DROP.wait();
                GO_ON.wait();
                dropped.store(true, Ordering::SeqCst);
            }) as Box<dyn FnMut() + Send + Sync>)
        };
        let map = HashMap::new();
        map.insert(1, first);
        thread::scope(|scope| {
            scope.spawn(|| drop(map.insert(1, OnDrop(Box::new(|| ())))));
            IN_DROP.wait();
            let pair = map.remove_owned(&1).unwrap();
            assert!(pair.is_some() && !dropped.load(Ordering::SeqCst));
            GO_ON.wait();
        });
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!(map.stats().heap.entries, 0);
    });
}
