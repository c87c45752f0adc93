//! Operations of two sets beside writers: each element that stays what it is throughout counts as that.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use tidymap::HashSet;

use crate::common::{Counted, Ledger, RaiseOnDrop, Random, in_parallel};

type Set<'l> = HashSet<Counted<'l, u64>>;

/// Elements below this stay where they are. Their number says in which of the two sets they are: bit 0, bit 1.
const STAY: u64 = 400;
/// Those from there up to here come and go.
const ALL: u64 = 2000;
const ROUNDS: usize = if cfg!(miri) { 3 } else { 60 };

fn is_in(set: usize, number: u64) -> bool {
    number & (1 << set) != 0
}

/// Writes to both sets until it is told, to elements that do not stay.
fn write(sets: &[Set<'_>; 2], ledger: &'static Ledger, seed: u64, done: &AtomicBool) {
    let mut random = Random::new(seed);
    while !done.load(Relaxed) {
        let set = &sets[random.below(2) as usize];
        let number = STAY + random.below(ALL - STAY);
        match random.below(9) {
            0..3 => {
                set.insert(ledger.make(number));
            }
            3 => {
                set.insert_many((number..number + 100).map(|n| ledger.make(n.min(ALL))));
            }
            4 => drop(set.get_or_insert(ledger.make(number))),
            5 | 6 => {
                set.remove(&number);
            }
            7 => drop(set.take(&number).map(|element| element.try_into_owned())),
            _ => {
                set.remove_many((number..number + 100).collect::<Vec<_>>().iter());
            }
        }
        // So that tables are made anew, promoted, and shrink.
        if random.once_in(200) {
            set.retain(|element| **element < STAY);
            set.shrink_to_fit();
        }
    }
}

/// Those that stay, and fails if one is met twice.
fn that_stay<'a>(elements: impl Iterator<Item = &'a Counted<'static, u64>>) -> BTreeSet<u64> {
    let mut met = BTreeSet::new();
    for element in elements.filter(|element| ***element < STAY) {
        assert!(met.insert(**element), "{element:?} is met twice");
    }
    met
}

#[test]
fn c2_elements_that_stay_are_what_they_are_beside_writers() {
    static LEDGER: Ledger = Ledger::new();
    let sets: [Set<'static>; 2] = [0, 1].map(|set| {
        let elements = (0..STAY).filter(|number| is_in(set, *number));
        elements.map(|number| LEDGER.make(number)).collect()
    });
    let (done, writers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let expected = |wanted: fn(bool, bool) -> bool| -> BTreeSet<u64> {
        (0..STAY).filter(|number| wanted(is_in(0, *number), is_in(1, *number))).collect()
    };
    in_parallel(4, |id| {
        if id >= 2 {
            writers.fetch_add(1, Relaxed);
            return write(&sets, &LEDGER, id as u64, &done);
        }
        let _done = RaiseOnDrop(&done);
        while writers.load(Relaxed) < 2 {
            std::thread::yield_now();
        }
        for _ in 0..ROUNDS {
            let (a, b) = (sets[0].pin(), sets[1].pin());
            assert_eq!(that_stay(a.union(&b)), expected(|a, b| a || b));
            assert_eq!(that_stay(b.union(&a)), expected(|a, b| a || b));
            assert_eq!(that_stay(a.intersection(&b)), expected(|a, b| a && b));
            assert_eq!(that_stay(b.difference(&a)), expected(|a, b| b && !a));
            assert_eq!(that_stay(a.symmetric_difference(&b)), expected(|a, b| a != b));
            assert!(!a.is_subset(&b) && !a.is_superset(&b) && !a.is_disjoint(&b));
            let both = &sets[0] & &sets[1];
            assert_eq!(that_stay(both.pin().iter()), expected(|a, b| a && b));
            // What has been met in one iteration is met once.
            let met: Vec<u64> = a.intersection(&b).map(|element| element.id()).collect();
            assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), met.len());
        }
    });
    assert!(sets.iter().all(|set| set.reclaim() == Ok(())));
    LEDGER.assert_alive(sets[0].pin().iter().chain(&sets[1].pin()));
    drop(sets);
    assert_eq!(LEDGER.live(), 0);
}

/// A small set that is always a part of the other, while much comes and goes in the other.
#[test]
fn c2_a_subset_is_one_beside_writers_of_the_other() {
    let (part, whole) = (HashSet::from([1, 2, 3]), HashSet::from([1, 2, 3]));
    let done = AtomicBool::new(false);
    in_parallel(3, |id| {
        if id > 0 {
            while !done.load(Relaxed) {
                let number = 10 + id as u64;
                whole.insert(number);
                whole.remove(&number);
            }
            return;
        }
        let _done = RaiseOnDrop(&done);
        for _ in 0..ROUNDS * 100 {
            let (part, whole) = (part.pin(), whole.pin());
            assert!(part.is_subset(&whole) && whole.is_superset(&part));
            assert_eq!(part.intersection(&whole).count(), 3);
            assert_eq!(part.difference(&whole).count(), 0);
        }
    });
}

thread_local! {
    /// What is done when a [`Looks`] of number 1 is compared with another next.
    static ON_EQ: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

struct Looks(u64);

impl Hash for Looks {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for Looks {
    fn eq(&self, other: &Self) -> bool {
        if let Some(act) = ((self.0, other.0) == (1, 1)).then(|| ON_EQ.take()).flatten() {
            act();
        }
        self.0 == other.0
    }
}

impl Eq for Looks {}

/// Within a call that removes, `len` still counts what is not there any more (C3): no subset may be denied for that.
#[test]
fn c2_a_subset_is_told_by_its_elements_and_not_by_len() {
    let (part, whole) = (Rc::new(HashSet::<Looks>::new()), HashSet::<Looks>::new());
    part.insert_many([1, 2, 3, 100].map(Looks));
    whole.insert_many([1, 2, 3].map(Looks));
    assert!(!part.pin().is_subset(&whole.pin()));
    let (seen, removing) = (Rc::new(Cell::new(None)), part.clone());
    let told = seen.clone();
    ON_EQ.set(Some(Box::new(move || {
        assert!(!removing.contains(&Looks(100)));
        told.set(Some((
            removing.len(),
            removing.pin().is_subset(&whole.pin()),
            whole.pin().is_superset(&removing.pin()),
        )));
    })));
    // The first one is dead when the other is looked for.
    assert_eq!(part.remove_many(&[Looks(100), Looks(1)]), 2);
    assert_eq!(seen.get(), Some((4, true, true)));
    assert_eq!(part.len(), 2);
}

/// Of several threads that insert equal elements one does, whichever call they use; and each is dropped once.
#[test]
fn c1_of_equal_elements_one_is_inserted_and_one_is_removed() {
    static LEDGER: Ledger = Ledger::new();
    const EACH: u64 = if cfg!(miri) { 70 } else { 2000 };
    let set = Set::new();
    let (inserted, removed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    in_parallel(4, |id| {
        let new = match id % 2 {
            0 => (0..EACH).filter(|number| set.insert(LEDGER.make(*number))).count(),
            _ => set.insert_many((0..EACH).map(|number| LEDGER.make(number))),
        };
        inserted.fetch_add(new, Relaxed);
    });
    assert_eq!((inserted.into_inner(), set.len(), LEDGER.live()), (EACH as usize, EACH as usize, EACH as usize));
    in_parallel(4, |id| {
        let numbers: Vec<u64> = (0..EACH).collect();
        let gone = match id {
            0 => numbers.iter().filter(|number| set.remove(*number)).count(),
            1 => numbers.iter().filter(|number| set.take(*number).is_some()).count(),
            2 => numbers.iter().filter(|number| set.take_owned(*number).unwrap().is_some()).count(),
            _ => set.remove_many(&numbers),
        };
        removed.fetch_add(gone, Relaxed);
    });
    assert_eq!((removed.into_inner(), set.len()), (EACH as usize, 0));
    assert_eq!(set.reclaim(), Ok(()));
    assert_eq!(LEDGER.live(), 0);
}
