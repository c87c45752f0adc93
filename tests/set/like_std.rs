//! What the standard library's own tests say of its set (`library/std/src/collections/hash/set/tests.rs`), of ours; operations of two sets in
//! sessions.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher, RandomState};

use tidymap::{HashMap, HashSet, PinnedSet};

use crate::common::{ConstantHash, GoodHash};

fn set<const N: usize>(elements: [i32; N]) -> HashSet<i32> {
    elements.into()
}

fn sorted<'a>(elements: impl IntoIterator<Item = &'a i32>) -> Vec<i32> {
    let mut elements: Vec<i32> = elements.into_iter().copied().collect();
    elements.sort();
    elements
}

#[test]
fn zero_capacities() {
    type Set = HashSet<i32>;
    assert_eq!(Set::new().capacity(), 0);
    assert_eq!(Set::default().capacity(), 0);
    assert_eq!(Set::with_capacity(0).capacity(), 0);
    assert_eq!(HashSet::<i32, _>::with_hasher(RandomState::new()).capacity(), 0);
    assert_eq!(HashSet::<i32, _>::with_capacity_and_hasher(0, RandomState::new()).capacity(), 0);
    let set = set([1, 2]);
    assert!(set.remove(&1) && set.remove(&2));
    set.shrink_to_fit();
    assert_eq!(set.capacity(), 0);
    set.reserve(0);
    assert_eq!(set.capacity(), 0);
    assert!(Set::with_capacity(100).capacity() >= 100);
    assert!(HashSet::<i32, GoodHash>::with_capacity_and_hasher(100, GoodHash::default()).capacity() >= 100);
}

#[test]
fn disjoint_subset_superset() {
    let (a, b) = (HashSet::new(), HashSet::new());
    let is = |ask: fn(&PinnedSet<'_, i32, RandomState>, &PinnedSet<'_, i32, RandomState>) -> bool| {
        let (a, b): (&HashSet<i32>, &HashSet<i32>) = (&a, &b);
        (ask(&a.pin(), &b.pin()), ask(&b.pin(), &a.pin()))
    };
    assert_eq!(is(|a, b| a.is_disjoint(b)), (true, true));
    assert_eq!(is(|a, b| a.is_subset(b)), (true, true));
    a.insert_many([0, 5, 11, 7]);
    assert_eq!(is(|a, b| a.is_disjoint(b)), (true, true));
    assert_eq!(is(|a, b| a.is_subset(b)), (false, true));
    b.insert_many([0, 7, 19, 250, 11, 200]);
    assert_eq!(is(|a, b| a.is_disjoint(b)), (false, false));
    assert_eq!(is(|a, b| a.is_subset(b)), (false, false));
    assert_eq!(is(|a, b| a.is_superset(b)), (false, false));
    b.insert(5);
    assert_eq!(is(|a, b| a.is_subset(b)), (true, false));
    assert_eq!(is(|a, b| a.is_superset(b)), (false, true));
    b.remove_many(&[0, 5, 7, 11]);
    assert_eq!(is(|a, b| a.is_disjoint(b)), (true, true));
}

#[test]
fn the_operations_of_two_sets() {
    let a = set([11, 1, 3, 77, 103, 5, -5]);
    let b = set([2, 11, 77, -9, -42, 5, 3]);
    let (pinned_a, pinned_b) = (a.pin(), b.pin());
    assert_eq!(sorted(pinned_a.intersection(&pinned_b)), [3, 5, 11, 77]);
    assert_eq!(sorted(pinned_a.difference(&pinned_b)), [-5, 1, 103]);
    assert_eq!(sorted(pinned_b.difference(&pinned_a)), [-42, -9, 2]);
    assert_eq!(sorted(pinned_a.symmetric_difference(&pinned_b)), [-42, -9, -5, 1, 2, 103]);
    assert_eq!(sorted(pinned_a.union(&pinned_b)), [-42, -9, -5, 1, 2, 3, 5, 11, 77, 103]);
    // With itself, in one session and in two.
    assert_eq!(pinned_a.union(&pinned_a).count(), 7);
    assert_eq!(pinned_a.intersection(&a.pin()).count(), 7);
    assert_eq!(pinned_a.difference(&a.pin()).count(), 0);
    assert!(pinned_a.is_subset(&pinned_a) && !pinned_a.is_disjoint(&pinned_a));
    // With nothing.
    let none = HashSet::new();
    assert_eq!(pinned_a.intersection(&none.pin()).count(), 0);
    assert_eq!(none.pin().union(&pinned_a).count(), 7);
    assert_eq!(none.pin().difference(&pinned_a).count(), 0);
    assert_eq!(none.pin().symmetric_difference(&pinned_a).count(), 7);
    // As sets of their own.
    assert_eq!(&a & &b, set([3, 5, 11, 77]));
    assert_eq!(&a - &b, set([-5, 1, 103]));
    assert_eq!(&(&a ^ &b) | &(&a & &b), &a | &b);
}

#[test]
fn from_and_extend() {
    let elements = [1, 2, 3, 4, 5, 6, 7, 7, 9];
    let mut set: HashSet<i32, ConstantHash> = elements.iter().copied().collect();
    assert_eq!(set.len(), 8);
    assert_eq!(HashSet::from(elements), set);
    set.extend([7, 8]);
    set.extend(&[9, 10]);
    let mut shared = &set;
    shared.extend([11]);
    shared.extend(&[12]);
    assert_eq!(sorted(&set.pin()), (1..=12).collect::<Vec<_>>());

    let map = HashMap::from([(1, ()), (2, ())]);
    let set = HashSet::from(map);
    assert_eq!(sorted(&set.pin()), [1, 2]);
    assert!(set.as_map().contains_key(&1));
    assert_eq!(set.into_map(), HashMap::from([(2, ()), (1, ())]));
}

#[test]
fn eq_and_show() {
    let (a, b) = (set([1, 2]), HashSet::from([1]));
    assert_ne!(a, b);
    b.insert(2);
    assert_eq!(a, b);
    assert_eq!(a, [1, 2].into_iter().collect::<HashSet<_, ConstantHash>>());
    assert_eq!(a, a.clone());
    let text = format!("{a:?}");
    assert!(text == "{1, 2}" || text == "{2, 1}", "{text}");
    assert_eq!(format!("{:?}", a.pin()), text);
    assert_eq!(format!("{:?}", HashSet::<i32>::new()), "{}");
    let one = a.get(&1).unwrap();
    assert_eq!((format!("{one:?}"), format!("{one}")), ("ElementRef(1)".into(), "1".into()));
    drop(one);
    assert_eq!(format!("{:?}", a.take(&1).unwrap()), "Taken(1)");
}

#[test]
fn retain() {
    let set: HashSet<i32> = (0..100).collect();
    set.retain(|n| n % 2 == 0);
    assert_eq!(set.len(), 50);
    set.pin().retain(|n| *n < 10);
    assert_eq!(sorted(&set.pin()), [0, 2, 4, 6, 8]);
}

// Under loom nothing of it is constant.
#[cfg(not(loom))]
#[test]
fn a_set_may_be_a_static() {
    static SET: HashSet<u32, GoodHash> = HashSet::with_hasher(GoodHash::new());
    assert!(SET.insert(7) && SET.contains(&7));
    SET.clear();
    assert!(SET.is_empty());
}

/// An element with a part that tells equal ones apart.
#[derive(Clone, Debug)]
struct Named(i32, &'static str);

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Named {}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// As `HashSet::insert` of the standard library says, and `extend`, which is the same.
#[test]
fn of_two_equal_elements_the_first_one_stays() {
    let first = || -> HashSet<Named> { [Named(1, "first")].into() };
    let is_first = |set: &HashSet<Named>| assert_eq!(set.get(&Named(1, "?")).unwrap().1, "first");

    let mut set = first();
    assert!(!set.insert(Named(1, "second")));
    assert!(!set.pin().insert(Named(1, "second")));
    assert_eq!(set.get_or_insert(Named(1, "second")).1, "first");
    assert_eq!(set.pin().get_or_insert(Named(1, "second")).1, "first");
    assert_eq!(set.insert_many([Named(1, "second"), Named(1, "third")]), 0);
    assert_eq!(set.pin().insert_many([Named(1, "second"), Named(1, "third")]), 0);
    set.extend([Named(1, "second")]);
    is_first(&set);
    assert_eq!(set.stats().retired, 0, "nothing is overwritten");

    is_first(&HashSet::from([Named(1, "first"), Named(1, "second")]));
    let set = HashSet::new();
    let twice = (0..200).flat_map(|n| [Named(n, "first"), Named(n, "second")]);
    assert_eq!(set.insert_many(twice), 200, "in one group, and in two");
    assert!(set.pin().iter().all(|element| element.1 == "first"));
    let union = &first() | &HashSet::from([Named(1, "second"), Named(2, "")]);
    assert_eq!(union.get(&Named(1, "?")).unwrap().1, "second", "that of the larger set");
}

#[test]
fn many_are_looked_up_in_their_order_and_looked_for_when_asked() {
    let set = HashSet::from([1, 3]);
    let session = set.pin();
    let mut found = session.contains_many([&1, &2, &3]);
    assert_eq!((found.len(), found.next(), found.next()), (3, Some(true), Some(false)));
    set.remove(&3);
    assert_eq!((found.next(), found.next(), found.next()), (Some(false), None, None));
    assert!(format!("{found:?}").contains("ContainsMany"));
}

/// By a type that is none of the elements'.
#[test]
fn elements_are_looked_up_by_what_is_equivalent() {
    let set: HashSet<String> = ["a", "b", "c"].map(str::to_owned).into();
    let session = set.pin();
    assert!(set.contains("a") && session.contains("a") && set.reader().contains("a"));
    assert_eq!(session.get("a").map(String::as_str), Some("a"));
    assert_eq!(set.remove_many(["a", "x"]), 1);
    assert_eq!(session.take("b").map(String::as_str), Some("b"));
    assert_eq!(session.iter().cloned().collect::<BTreeSet<_>>(), ["c".to_owned()].into());
    drop(session);
    assert_eq!(set.take_owned("c"), Ok(Some("c".to_owned())));
}

#[test]
fn by_value() {
    let mut set: HashSet<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(set.take_mut("7").as_deref(), Some("7"));
    assert_eq!(set.take_mut("7"), None);
    let even: Vec<String> = set.extract_if(|n| n.len() == 1 && n.parse::<u32>().unwrap() % 2 == 0).collect();
    assert_eq!((even.len(), set.len()), (5, 94));
    let mut drain = set.drain();
    assert_eq!(drain.len(), 94);
    assert!(drain.next().is_some_and(|n| !even.contains(&n)));
    drop(drain);
    assert!(set.is_empty());
    set.insert(String::from("again"));
    assert_eq!(set.into_iter().collect::<Vec<_>>(), ["again"]);
}
