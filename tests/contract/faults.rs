//! F1 to F3: hostile user code, no memory, and guards of one's own.

use std::cell::Cell;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tidymap::{HashMap, Operation, ReclaimError};

use crate::support::{Counted, Counter};

thread_local! {
    /// How many calls of `Hash`, `Eq` or `Clone` are still to go before one panics.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

fn burn() {
    let left = FUSE.get();
    if left == 0 {
        FUSE.set(u32::MAX);
        panic!("hostile");
    }
    if left != u32::MAX {
        FUSE.set(left - 1);
    }
}

/// A key and a value whose every method may panic, and whose keys all collide.
struct Hostile(Counted);

impl Hash for Hostile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        burn();
        0.hash(state);
    }
}

impl PartialEq for Hostile {
    fn eq(&self, other: &Self) -> bool {
        burn();
        self.0 == other.0
    }
}

impl Eq for Hostile {}

type Map = HashMap<Hostile, Hostile>;

#[test]
fn f1_a_panic_at_any_call_of_hash_or_eq_leaves_the_map_whole() {
    let operations: [(&str, fn(&Map, &Counter)); 10] = [
        ("insert", |map, counter| drop(map.insert(hostile(counter, 5), hostile(counter, 1)))),
        ("insert a new key", |map, counter| drop(map.insert(hostile(counter, 50), hostile(counter, 1)))),
        ("try_insert", |map, counter| drop(map.try_insert(hostile(counter, 51), hostile(counter, 1)))),
        ("get", |map, counter| drop(map.get(&hostile(counter, 5)))),
        ("remove", |map, counter| drop(map.remove(&hostile(counter, 6)))),
        ("remove_if", |map, counter| drop(map.remove_if(&hostile(counter, 7), |_, value| value == value))),
        ("update", |map, counter| drop(map.update(&hostile(counter, 8), |old| hostile(counter, old.0.number)))),
        ("update_or_insert", |map, counter| {
            drop(map.update_or_insert(hostile(counter, 52), |old| hostile(counter, old.0.number), hostile(counter, 1)));
        }),
        ("compare_exchange", |map, counter| {
            drop(map.compare_exchange(&hostile(counter, 9), &hostile(counter, 9), hostile(counter, 1)));
        }),
        ("compute", |map, counter| {
            drop(map.compute(hostile(counter, 53), |_| Operation::<_, ()>::Insert(hostile(counter, 1))));
        }),
    ];
    for (name, operation) in operations {
        let mut completed = false;
        for fuse in 0.. {
            let counter = Counter::default();
            let map = Map::new();
            for number in 0..30 {
                map.insert(hostile(&counter, number), hostile(&counter, number));
                if number == 15 {
                    map.shrink_to_fit();
                }
            }
            FUSE.set(fuse);
            completed = catch_unwind(AssertUnwindSafe(|| operation(&map, &counter))).is_ok();
            FUSE.set(u32::MAX);
            assert_eq!(counter.live(), 2 * map.len(), "{name}, call {fuse}: nothing lost, nothing leaked");
            assert_eq!(map.pin().iter().count(), map.len());
            map.insert(hostile(&counter, 99), hostile(&counter, 99));
            assert!(map.remove(&hostile(&counter, 99)).is_some(), "{name}, call {fuse}: nothing locked");
            assert_eq!(map.reclaim(), Ok(()));
            drop(map);
            assert_eq!(counter.live(), 0);
            if completed {
                assert!(fuse > 0, "{name} calls something of the user's");
                break;
            }
        }
        assert!(completed);
    }
}

fn hostile(counter: &Counter, number: u64) -> Hostile {
    Hostile(counter.value(number))
}

#[test]
fn f1_a_panic_in_a_closure_or_in_clone_leaves_the_map_whole() {
    struct NoClone(Counted);
    impl Clone for NoClone {
        fn clone(&self) -> Self {
            panic!("hostile")
        }
    }
    let counter = Counter::default();
    let map = HashMap::new();
    for number in 0..20 {
        map.insert(number, NoClone(counter.value(number)));
    }
    let attempts: [Box<dyn Fn()>; 10] = [
        Box::new(|| drop(map.get_cloned(&1))),
        Box::new(|| drop(map.clone())),
        Box::new(|| map.read(&1, |_, _| panic!("hostile")).unwrap()),
        Box::new(|| drop(map.update(&1, |_| panic!("hostile")))),
        Box::new(|| drop(map.update_or_insert_with(30, |_| unreachable!(), || panic!("hostile")))),
        Box::new(|| drop(map.get_or_insert_with(30, || panic!("hostile")))),
        Box::new(|| drop(map.compute(1, |_| -> Operation<_, ()> { panic!("hostile") }))),
        Box::new(|| drop(map.remove_if(&1, |_, _| panic!("hostile")))),
        Box::new(|| map.retain(|key, _| if *key == 10 { panic!("hostile") } else { true })),
        Box::new(|| {
            let session = map.pin();
            session.insert(1, NoClone(counter.value(1)));
            panic!("hostile, with a session open");
        }),
    ];
    for (number, attempt) in attempts.iter().enumerate() {
        assert!(catch_unwind(AssertUnwindSafe(attempt)).is_err(), "attempt {number}");
        assert_eq!((map.len(), counter.live()), (20, 20), "attempt {number}");
        assert_eq!(map.reclaim(), Ok(()), "no guard is left");
        assert!(map.get(&1).is_some_and(|value| value.0.number == 1));
    }
}

#[test]
fn f2_too_much_is_an_error_or_the_standard_panic() {
    let map = HashMap::<u64, u64>::new();
    let error = map.try_reserve(usize::MAX).unwrap_err();
    assert!(error.to_string().contains("capacity"), "{error}");
    assert!(map.try_reserve(usize::MAX / 64).is_err());
    let panic = catch_unwind(AssertUnwindSafe(|| map.reserve(usize::MAX))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"capacity overflow"));
    map.insert(1, 1);
    assert!(map.try_reserve(usize::MAX - 1).is_err());
    assert_eq!(map.get(&1).as_deref(), Some(&1), "and the map is as it was");
}

#[test]
fn f3_no_call_deadlocks_against_guards_of_its_own_thread() {
    let mut map: HashMap<u64, u64> = (0..100).map(|key| (key, key)).collect();
    {
        let session = map.pin();
        let value = map.get(&1).unwrap();
        // In a closure of a call, with a session and a `Ref` held beside it.
        map.retain(|key, _| {
            if *key == 50 {
                map.insert(200, 1);
                map.remove(&2);
                map.update(&3, |value| {
                    map.insert(3, value + 1);
                    map.clear();
                    0
                });
                map.reserve(10_000);
                map.shrink_to_fit();
                map.compute(7, |_| {
                    map.insert(8, 8);
                    Operation::<_, ()>::Insert(7)
                });
                map.get_or_insert_with(9, || map.insert(9, 1).map_or(9, |old| *old));
                assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
                map.try_reclaim();
                let _ = (map.stats(), map.clone() == map, map.capacity(), format!("{map:?}"));
                session.iter().for_each(|(key, _)| drop(map.remove(key)));
            }
            true
        });
        assert_eq!(*value, 1);
    }
    assert_eq!(map.reclaim(), Ok(()));
    map.extend([(1, 2)]);
    assert_eq!(map.get(&1).as_deref(), Some(&2));
}

/// Keys that are all equal, and whose hash is what they are told: a logic error of the user's, in safe code.
struct Contradictory(Counted);

impl PartialEq for Contradictory {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Contradictory {}

impl Hash for Contradictory {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.number);
    }
}

#[derive(Default)]
struct AsTold(u64);

impl Hasher for AsTold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("hashes are told as numbers");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[test]
fn f1_hash_and_eq_that_disagree_lose_entries_but_no_memory() {
    let counter = Counter::default();
    let map = HashMap::<Contradictory, Counted, BuildHasherDefault<AsTold>>::default();
    // Hashes that meet in a bucket and in a tag, and differ in the rest: small multiples of what the map multiplies by,
    // inverted, would do it on purpose; enough numbers do it by chance.
    for round in 0..200_000_u64 {
        let told = |salt: u64| Contradictory(counter.value((round ^ salt).wrapping_mul(0x2545_F491_4F6C_DD1D)));
        map.insert(told(0), counter.value(round));
        map.remove(&told(1));
        map.insert(told(2), counter.value(round));
        assert!(counter.live() >= 2 * map.len());
        if round % 1000 == 0 {
            map.retain(|_, value| value.number % 3 != 0);
            assert_eq!(map.pin().iter().count(), map.len());
        }
    }
    assert_eq!(counter.live(), 2 * map.len());
    drop(map);
    assert_eq!(counter.live(), 0);
}
