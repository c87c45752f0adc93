//! Steps done to a map and to maps of the standard library, and all that can be seen compared after each.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use tidymap::{Compute, NestedMap, Operation};

use crate::common::{Counted, Ledger};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Insert(u8, u8, u8),
    TryInsert(u8, u8, u8),
    GetOrInsert(u8, u8, u8),
    Update(u8, u8),
    UpdateOrInsert(u8, u8, u8),
    /// What `next` answers: insert this, remove, or abort.
    Compute(u8, u8, Option<Option<u8>>),
    Remove(u8, u8),
    /// If its value is even.
    RemoveIf(u8, u8),
    RemoveOuter(u8),
    /// Those of which the sum of keys and value is not divisible by this.
    Retain(u8),
    Clear,
    Clone,
    /// Insert, remove, and remove an outer key, in one session.
    InSession(u8, u8, u8),
}

type Twin = BTreeMap<u8, BTreeMap<u8, u8>>;
type Map<'l, S> = NestedMap<u8, u8, Counted<'l, u8>, S>;

fn remove(twin: &mut Twin, outer: u8, inner: u8) -> Option<u8> {
    let entries = twin.get_mut(&outer)?;
    let removed = entries.remove(&inner);
    if entries.is_empty() {
        twin.remove(&outer);
    }
    removed
}

/// Does the steps to both.
pub(crate) fn agree<S: BuildHasher + Clone + Default>(hasher: S, steps: &[Step]) {
    let ledger = Ledger::new();
    {
        let map = Map::with_hasher(hasher);
        let mut twin = Twin::new();
        for step in steps {
            run(&map, &mut twin, &ledger, step.clone());
            compare(&map, &twin, &ledger, step);
        }
    }
    assert_eq!(ledger.live(), 0, "the map drops what is in it");
}

fn run<'l, S: BuildHasher + Clone + Default>(map: &Map<'l, S>, twin: &mut Twin, ledger: &'l Ledger, step: Step) {
    let there = |twin: &Twin, outer, inner| twin.get(&outer).and_then(|entries| entries.get(&inner)).copied();
    let put = |twin: &mut Twin, outer: u8, inner: u8, value| twin.entry(outer).or_default().insert(inner, value);
    match step {
        Step::Insert(outer, inner, value) => {
            let old = map.insert(outer, inner, ledger.make(value));
            assert_eq!(old.map(|old| **old), put(twin, outer, inner, value));
        }
        Step::TryInsert(outer, inner, value) => {
            match (map.try_insert(outer, inner, ledger.make(value)), there(twin, outer, inner)) {
                (Ok(new), None) => {
                    assert_eq!((*new.key(), **new), (inner, value));
                    put(twin, outer, inner, value);
                }
                (Err(occupied), Some(old)) => {
                    assert_eq!((**occupied.entry, occupied.key, *occupied.value), (old, inner, value));
                }
                (inserted, there) => panic!("{} beside {there:?}", inserted.is_ok()),
            }
        }
        Step::GetOrInsert(outer, inner, value) => {
            let found = map.get_or_insert_with(outer, inner, || ledger.make(value));
            assert_eq!(**found, *twin.entry(outer).or_default().entry(inner).or_insert(value));
        }
        Step::Update(outer, inner) => {
            let new = map.update(&outer, &inner, |old| ledger.make(**old + 1)).map(|new| **new);
            assert_eq!(new, there(twin, outer, inner).map(|old| old + 1));
            if let Some(new) = new {
                put(twin, outer, inner, new);
            }
        }
        Step::UpdateOrInsert(outer, inner, value) => {
            let new = **map.update_or_insert_with(outer, inner, |old| ledger.make(**old + 1), || ledger.make(value));
            assert_eq!(new, there(twin, outer, inner).map_or(value, |old| old + 1));
            put(twin, outer, inner, new);
        }
        Step::Compute(outer, inner, answer) => {
            let mut asked = Vec::new();
            let computed = map.compute(outer, inner, |old| {
                asked.push(old.map(|(key, value)| (*key, **value)));
                match answer {
                    None => Operation::Abort("no"),
                    Some(None) => Operation::Remove,
                    Some(Some(value)) => Operation::Insert(ledger.make(value)),
                }
            });
            let old = there(twin, outer, inner);
            assert_eq!(asked, [old.map(|old| (inner, old))], "asked once, when nobody else is there");
            match (computed, answer) {
                (Compute::Aborted("no"), None) => {}
                (Compute::Absent, Some(None)) => assert_eq!(old, None),
                (Compute::Removed(pair), Some(None)) => assert_eq!(Some(**pair), remove(twin, outer, inner)),
                (Compute::Inserted(pair), Some(Some(value))) => {
                    assert_eq!((**pair, old), (value, None));
                    put(twin, outer, inner, value);
                }
                (Compute::Updated { old: before, new }, Some(Some(value))) => {
                    assert_eq!((Some(**before), **new), (old, value));
                    put(twin, outer, inner, value);
                }
                _ => panic!("another outcome than was asked for"),
            }
        }
        Step::Remove(outer, inner) => {
            assert_eq!(map.remove(&outer, &inner).map(|old| **old), remove(twin, outer, inner));
        }
        Step::RemoveIf(outer, inner) => {
            let is_even = |value: u8| value % 2 == 0;
            let removed = map.remove_if(&outer, &inner, |_, value| is_even(**value));
            match (removed, there(twin, outer, inner)) {
                (Ok(None), None) => {}
                (Ok(Some(pair)), Some(value)) => {
                    assert!(is_even(value) && **pair == value);
                    remove(twin, outer, inner);
                }
                (Err(pair), Some(value)) => assert!(!is_even(value) && **pair == value),
                (removed, there) => panic!("{} beside {there:?}", removed.is_ok()),
            }
        }
        Step::RemoveOuter(outer) => {
            assert_eq!(map.remove_outer(&outer), twin.remove(&outer).map_or(0, |entries| entries.len()));
        }
        Step::Retain(by) => {
            map.retain(|outer, inner, value| (outer + inner + **value) % by != 0);
            for (outer, entries) in &mut *twin {
                entries.retain(|inner, value| (outer + inner + *value) % by != 0);
            }
            twin.retain(|_, entries| !entries.is_empty());
        }
        Step::Clear => {
            map.clear();
            twin.clear();
        }
        Step::Clone => {
            let clone = map.clone();
            assert_eq!((clone == *map, *map == clone), (true, true));
            clone.insert(200, 0, ledger.make(0));
            assert_eq!((clone == *map, *map == clone), (false, false), "one has more");
            clone.remove_outer(&200);
            if let Some(outer) = twin.keys().next() {
                let inner = *twin[outer].keys().next().unwrap();
                clone.insert(*outer, inner, ledger.make(100));
                assert!(clone != *map, "another value");
            }
        }
        Step::InSession(outer, inner, value) => {
            let mut session = map.pin();
            assert_eq!(
                session.insert(outer, inner, ledger.make(value)).map(|old| **old),
                put(twin, outer, inner, value)
            );
            let other = (inner + 1) % 6;
            let found = **session.get_or_insert_with(outer, other, || ledger.make(value));
            assert_eq!(found, *twin.entry(outer).or_default().entry(other).or_insert(value));
            assert_eq!(session.remove(&outer, &inner).map(|old| **old), remove(twin, outer, inner));
            match session.try_insert(outer, inner, ledger.make(value)) {
                Ok(new) => {
                    assert_eq!((**new, put(twin, outer, inner, value)), (value, None));
                }
                Err(occupied) => assert_eq!(Some(**occupied.entry.1), there(twin, outer, inner)),
            }
            let new = session.update(&outer, &inner, |old| ledger.make(**old / 2)).map(|new| **new);
            assert_eq!(new, Some(there(twin, outer, inner).unwrap() / 2));
            put(twin, outer, inner, new.unwrap());
            let new =
                **session.update_or_insert_with(outer, other, |old| ledger.make(**old / 2), || ledger.make(value));
            assert_eq!(new, there(twin, outer, other).unwrap() / 2);
            put(twin, outer, other, new);
            let removed = session.compute(outer, other, |_| Operation::<_, ()>::Remove);
            assert!(matches!(removed, Compute::Removed((key, last)) if (*key, **last) == (other, new)));
            remove(twin, outer, other);
            assert!(session.remove_if(&outer, &inner, |_, _| false).is_err());
            let gone = (outer + 1) % 5;
            assert_eq!(session.remove_outer(&gone), twin.remove(&gone).map_or(0, |entries| entries.len()));
            session.refresh();
            assert_eq!(map.stats().pending.entries, 0);
        }
    }
}

/// All that can be seen.
fn compare<S: BuildHasher>(map: &Map<'_, S>, twin: &Twin, ledger: &Ledger, step: &Step) {
    assert_eq!(map.stats().pending.entries, 0, "{step:?}");
    let session = map.pin();
    let mut seen = Twin::new();
    for (outer, inner, value) in &session {
        assert!(seen.entry(*outer).or_default().insert(*inner, **value).is_none(), "none twice");
    }
    assert_eq!(&seen, twin, "{step:?}");
    ledger.assert_alive(session.iter().map(|(.., value)| value));
    let entries: usize = twin.values().map(BTreeMap::len).sum();
    assert_eq!((map.len(), session.len(), map.stats().len), (entries, entries, entries));
    assert_eq!((map.outer_len(), map.is_empty(), session.is_empty()), (twin.len(), twin.is_empty(), twin.is_empty()));
    let mut outer_keys: Vec<u8> = session.outer_keys().copied().collect();
    outer_keys.sort_unstable();
    assert_eq!(outer_keys, twin.keys().copied().collect::<Vec<_>>());
    for outer in 0..5_u8 {
        let theirs = twin.get(&outer);
        assert_eq!(map.inner_len(&outer), theirs.map_or(0, BTreeMap::len));
        assert_eq!(
            (map.contains_outer(&outer), map.inner_heap(&outer).is_some()),
            (theirs.is_some(), theirs.is_some())
        );
        let ours = session.inner(&outer);
        assert_eq!(ours.is_some(), theirs.is_some());
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            assert_eq!((*ours.outer_key(), ours.len(), ours.is_empty()), (outer, theirs.len(), false));
            assert_eq!(ours.iter().map(|(key, value)| (*key, **value)).collect::<BTreeMap<_, _>>(), *theirs);
            let apart = ours.keys().zip(ours.values()).map(|(key, value)| (*key, **value));
            assert_eq!(apart.collect::<BTreeMap<_, _>>(), *theirs);
        }
        for inner in 0..6_u8 {
            let value = theirs.and_then(|entries| entries.get(&inner)).copied();
            assert_eq!(session.get(&outer, &inner).map(|value| **value), value);
            assert_eq!(map.get(&outer, &inner).map(|value| **value), value);
            assert_eq!(ours.and_then(|ours| ours.get(&inner)).map(|value| **value), value);
            let pair = ours.and_then(|ours| ours.get_key_value(&inner)).map(|(key, value)| (*key, **value));
            assert_eq!(pair, value.map(|value| (inner, value)));
            let there = [
                map.contains_key(&outer, &inner),
                session.contains_key(&outer, &inner),
                ours.is_some_and(|ours| ours.contains_key(&inner)),
            ];
            assert_eq!(there, [value.is_some(); 3]);
        }
    }
}
