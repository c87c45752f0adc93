//! F1 to F3: hostile user code, and guards of one's own.

use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use tidymap::{HashSet, ReclaimError};

use crate::common::fuse::{Fuse, burn, go_off, lit};
use crate::common::{ConstantHash, Counted, Ledger};

type Set<'l> = HashSet<Counted<'l, u64>, ConstantHash>;

fn filled(ledger: &Ledger) -> Set<'_> {
    let set: Set<'_> = (0..20).map(|number| ledger.make(number)).collect();
    set.shrink_to_fit();
    set.insert_many((20..30).map(|number| ledger.make(number)));
    set
}

/// One panic at each single call of user code within each call of the set: nothing is lost, and nothing is locked.
#[test]
fn f1_a_panic_at_any_call_of_user_code_leaves_the_set_whole() {
    let operations: [(&str, fn(&Set<'static>, &'static Ledger)); 15] = [
        ("contains", |set, _| assert!(set.contains(&5))),
        ("get", |set, _| assert!(set.get(&5).is_some())),
        ("insert", |set, ledger| assert!(set.insert(ledger.make(50)))),
        ("insert what is there", |set, ledger| assert!(!set.insert(ledger.make(5)))),
        ("get_or_insert", |set, ledger| drop(set.get_or_insert(ledger.make(5)))),
        ("insert_many", |set, ledger| {
            assert_eq!(set.insert_many([50, 5, 50].map(|number| ledger.make(number))), 1);
        }),
        ("remove", |set, _| assert!(set.remove(&5))),
        ("take", |set, _| assert!(set.take(&5).is_some())),
        ("try_into_owned", |set, _| drop(set.take(&5).map(|element| element.try_into_owned()))),
        ("take_owned", |set, _| drop(set.take_owned(&5))),
        ("remove_many", |set, _| assert_eq!(set.remove_many(&[3, 5, 50]), 2)),
        ("retain", |set, _| {
            set.retain(|element| {
                burn();
                **element > 5
            });
        }),
        ("clone", |set, _| drop(set.clone())),
        ("two sets", |set, _| {
            let (a, b) = (set.pin(), set.pin());
            assert_eq!((a.union(&b).count(), a.difference(&b).count()), (30, 0));
        }),
        ("a session", |set, ledger| {
            let session = set.pin();
            session.insert(ledger.make(51));
            session.get_or_insert(ledger.make(5));
            session.insert_many([52, 6].map(|number| ledger.make(number)));
            session.remove(&7);
            session.take(&8);
        }),
    ];
    static LEDGER: Ledger = Ledger::new();
    for (name, operation) in operations {
        for first in 0.. {
            let set = filled(&LEDGER);
            let ended = lit(Some(Fuse { first, again: None }), || operation(&set, &LEDGER)).is_some();
            assert_eq!(set.stats().live_guards, 0, "{name}, call {first}: no guard is left");
            LEDGER.assert_alive(&set.pin());
            assert_eq!(set.pin().iter().count(), set.len());
            assert!(set.insert(LEDGER.make(99)) && set.remove(&99), "{name}, call {first}: nothing is locked");
            assert_eq!(set.reclaim(), Ok(()));
            drop(set);
            assert_eq!(LEDGER.live(), 0);
            if ended {
                assert!(first > 0, "{name} calls something of the user's");
                break;
            }
        }
    }
}

/// Does something with the set when it is dropped, or looked at.
struct Busy {
    number: u64,
    on_drop: bool,
}

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static ON_DROP: RefCell<Option<Box<dyn Fn(u64)>>> = const { RefCell::new(None) };
    static ON_EQ: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

impl Hash for Busy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl PartialEq for Busy {
    fn eq(&self, other: &Self) -> bool {
        if let Some(act) = ON_EQ.take() {
            act();
        }
        self.number == other.number
    }
}

impl Eq for Busy {}

impl Clone for Busy {
    fn clone(&self) -> Self {
        key(self.number)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
        if self.on_drop {
            let act = ON_DROP.take();
            if let Some(act) = &act {
                act(self.number);
            }
            if act.is_some() {
                ON_DROP.set(act);
            }
        }
    }
}

fn busy(number: u64) -> Busy {
    let mut element = key(number);
    element.on_drop = true;
    element
}

fn key(number: u64) -> Busy {
    LIVE.set(LIVE.get() + 1);
    Busy { number, on_drop: false }
}

/// What a one-shot call refuses, it drops as it drops what it removes: without a guard, and when the set may be used.
#[test]
fn r5_what_is_refused_or_removed_is_dropped_outside_locks_and_guards() {
    let set = Rc::new(HashSet::<Busy>::new());
    let dropped = Rc::new(Cell::new(0));
    ON_DROP.set(Some(Box::new({
        let (set, dropped) = (Rc::downgrade(&set), dropped.clone());
        move |number| {
            dropped.set(dropped.get() + 1);
            let Some(set) = set.upgrade() else { return };
            assert_eq!(set.stats().live_guards, 0, "of the call that drops {number}");
            set.insert(key(number + 1000));
            set.remove(&key(number + 1000));
            set.insert_many((0..100).map(|more| key(2000 + more)));
            set.shrink_to_fit();
            set.clear();
        }
    })));
    set.insert(busy(1));
    assert_eq!(dropped.get(), 0);
    assert!(!set.insert(busy(1)));
    assert_eq!((dropped.get(), set.len()), (1, 0), "the refused one, which cleared the set in its destructor");
    assert_eq!(dropped.get(), 1);
    set.insert(busy(2));
    assert!(set.remove(&key(2)));
    set.insert(busy(3));
    drop(set.take(&key(3)));
    ON_DROP.set(None);
    assert!(set.is_empty());
    assert_eq!(set.reclaim(), Ok(()));
}

/// Its sessions end when its result is made: what is dropped there may panic, and the result is not to be leaked.
#[test]
fn f1_a_destructor_that_panics_at_the_end_of_an_operator_costs_nothing() {
    type Set = HashSet<Busy>;
    let operators: [fn(&Set, &Set) -> Set; 4] = [|a, b| a | b, |a, b| a & b, |a, b| a ^ b, |a, b| a - b];
    for operator in operators {
        let set = Rc::new((0..5).map(key).chain([busy(9)]).collect::<Set>());
        let other: Set = [1, 2, 7].map(key).into();
        let removing = set.clone();
        ON_EQ.set(Some(Box::new(move || assert!(removing.remove(&key(9))))));
        ON_DROP.set(Some(Box::new(|_| go_off())));
        let fuse = Fuse { first: u32::MAX, again: None };
        assert!(lit(Some(fuse), || operator(&set, &other)).is_none(), "the panic goes on");
        assert_eq!((set.len(), LIVE.get()), (5, 8), "what is alive is in one of the two sets");
        assert_eq!((set.reclaim(), other.reclaim()), (Ok(()), Ok(())));
    }
}

#[test]
fn f3_no_call_deadlocks_against_guards_of_its_own_thread() {
    let set: HashSet<u64> = (0..100).collect();
    {
        let session = set.pin();
        let element = set.get(&1).unwrap();
        // In a closure of a call, with a session and an element held beside it.
        set.retain(|n| {
            if *n == 50 {
                set.insert(200);
                set.get_or_insert(201);
                set.insert_many(300..400);
                set.remove(&2);
                assert_eq!(set.remove_many(&[3, 4, 1000]), 2);
                drop(set.take(&5));
                assert_eq!(set.take_owned(&6), Err(ReclaimError::GuardHeld));
                assert!(set.contains(&6));
                set.clear();
                set.reserve(10_000);
                set.shrink_to_fit();
                assert_eq!(set.reclaim(), Err(ReclaimError::GuardHeld));
                assert_eq!(set.reclaim_timeout(std::time::Duration::from_secs(60)), Err(ReclaimError::GuardHeld));
                set.try_reclaim();
                let _ = (set.stats(), set.clone() == set, set.capacity(), format!("{set:?}"), &set | &set);
                assert_eq!(session.iter().filter(|n| !set.remove(*n)).count(), 0);
                set.insert_many(0..50);
                assert!(session.union(&set.pin()).filter(|n| set.insert(**n + 1000)).count() >= 50);
            }
            true
        });
        assert_eq!(*element, 1);
    }
    assert_eq!(set.reclaim(), Ok(()));
    assert!(set.insert(1) || set.contains(&1));
}

/// `Eq` that removes what is being looked for, and that inserts it.
#[test]
fn f3_eq_may_use_the_set() {
    let set = Rc::new(HashSet::<Busy, ConstantHash>::default());
    set.insert_many((0..5).map(key));
    let others = set.clone();
    ON_EQ.set(Some(Box::new(move || {
        assert!(others.remove(&key(3)));
        assert_eq!(others.insert_many([key(3), key(7)]), 2);
    })));
    assert!(!set.insert(key(7)), "inserted by Eq meanwhile");
    let others = set.clone();
    ON_EQ.set(Some(Box::new(move || others.clear())));
    assert!(set.insert_many([key(1), key(2)]) <= 2);
    assert!(set.contains(&key(1)) && set.contains(&key(2)));
    let others = set.clone();
    ON_EQ.set(Some(Box::new(move || assert!(others.insert(key(8))))));
    let (a, b) = (set.pin(), set.pin());
    assert!(a.is_subset(&b));
    drop((a, b));
    assert_eq!(set.len(), 3);
}
