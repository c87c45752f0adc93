//! Steps that read, combine, clone and compare whole sets.

use std::collections::{BTreeSet, HashSet as StdSet};
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;

use tidymap::HashSet;

use crate::common::GoodHash;
use crate::common::fuse::{burn, lit};
use crate::run::{Run, Set};
use crate::twin::{Element, Twin, sorted};

impl<S: BuildHasher + Clone + Default> Run<'_, '_, S> {
    pub(crate) fn reads(&mut self, values: &[u8]) {
        let expected: Vec<_> = values.iter().map(|value| self.twins.get(value).map(|twin| twin.id)).collect();
        let guard = self.model.take_guard();
        lit(self.fuse(), || {
            let session = self.set.pin();
            let found = session.contains_many(values);
            assert_eq!(found.len(), values.len());
            assert!(found.eq(expected.iter().map(Option::is_some)));
            assert!(std::ptr::eq(session.set(), self.set));
            assert_eq!(format!("{session:?}"), format!("{:?}", self.set));
            drop(session);
            let mut reader = self.set.reader();
            assert!(reader.is_parked());
            for (value, expected) in values.iter().zip(&expected) {
                assert_eq!(reader.contains(value), expected.is_some());
                assert_eq!(reader.get(value).map(|element| element.id()), *expected);
                assert!(!reader.is_parked());
            }
            assert_eq!(self.set.stats().live_guards, self.model.guards.len() - usize::from(values.is_empty()));
            reader.park();
            assert!(reader.is_parked() && std::ptr::eq(reader.set(), self.set));
        });
        self.model.drop_guard(guard);
        assert_eq!(self.set.guards().len(), usize::from(!self.model.guards.is_empty()), "one thread");
    }

    pub(crate) fn with_another(&self, values: &[u8]) {
        let made = self.ledger.made();
        let other: Set<'_, S> = values.iter().map(|value| self.ledger.make(*value)).collect();
        let other_twins: StdSet<Twin> = (made..).zip(values).map(|(id, value)| Twin { value: *value, id }).collect();
        let twins = [&self.twins, &other_twins];
        let (ours, others) = (self.set.pin(), other.pin());
        for ([a, b], [twin, other]) in [([&ours, &others], twins), ([&others, &ours], [twins[1], twins[0]])] {
            let same = |ours: Vec<Twin>, theirs: Vec<Twin>| assert_eq!(sorted(ours), sorted(theirs));
            same(a.union(b).map(Twin::of).collect(), twin.union(other).copied().collect());
            same(a.intersection(b).map(Twin::of).collect(), twin.intersection(other).copied().collect());
            same(a.difference(b).map(Twin::of).collect(), twin.difference(other).copied().collect());
            same(
                a.symmetric_difference(b).map(Twin::of).collect(),
                twin.symmetric_difference(other).copied().collect(),
            );
            assert_eq!(a.is_subset(b), twin.is_subset(other));
            assert_eq!(a.is_superset(b), twin.is_superset(other));
            assert_eq!(a.is_disjoint(b), twin.is_disjoint(other));
            assert_eq!(a.set() == b.set(), twin == other);
            let new = [a.set() | b.set(), a.set() & b.set(), a.set() ^ b.set(), a.set() - b.set()];
            let new = new.each_ref().map(|set| set.pin().iter().map(|element| **element).collect::<BTreeSet<u8>>());
            let twins = [twin | other, twin & other, twin ^ other, twin - other];
            assert_eq!(new, twins.map(|set| set.iter().map(|twin| twin.value).collect::<BTreeSet<u8>>()));
        }
    }

    /// A clone, and what has been collected: equal to the set, until they change.
    pub(crate) fn clone_compare_extend(&mut self, values: &[u8]) {
        let fuse = self.fuse();
        // Beside what the set itself gives up; see the map's test.
        let given = |run: &Self| run.hooked.load(Ordering::Relaxed).wrapping_sub(run.set.stats().freed);
        let before = given(self);
        let done = lit(fuse, || {
            let mut clone = self.set.clone();
            assert_eq!(&clone, self.set, "a clone is equal");
            clone.extend(values.iter().map(|value| self.ledger.make(*value)));
            (&clone).extend(values.iter().map(|value| self.ledger.make(*value)));
            let is_subset = values.iter().all(|value| self.twins.contains(value));
            assert_eq!(clone == *self.set, is_subset);
            let collected: HashSet<Element<'_>, GoodHash> = self.set.pin().iter().cloned().collect();
            assert!(collected == *self.set, "whatever the hashers are");
            self.end(clone, values)
        });
        let of_clone = given(self).wrapping_sub(before);
        assert_eq!(done.unwrap_or(of_clone), of_clone, "what the clone drops goes to the same hook");
        self.hooked.fetch_sub(of_clone, Ordering::Relaxed);
    }
    /// What takes `&mut`, or the set itself: one of four, by how many values there are. Returns how many elements the set is to drop itself.
    fn end(&self, mut clone: Set<'_, S>, values: &[u8]) -> u64 {
        // One by one: a destructor that panics must not leak what is returned.
        let sorted =
            |elements: Vec<Element<'_>>| elements.into_iter().map(|element| *element).collect::<BTreeSet<u8>>();
        let mut expected: BTreeSet<u8> =
            self.twins.iter().map(|twin| twin.value).chain(values.iter().copied()).collect();
        match values.len() % 4 {
            0 => {}
            1 => {
                let all = clone.drain();
                assert_eq!(all.len(), expected.len());
                assert_eq!(sorted(all.collect()), std::mem::take(&mut expected));
                assert!(clone.is_empty());
            }
            2 => {
                let is_even = |value: u8| {
                    burn();
                    value % 2 == 0
                };
                let even = expected.iter().copied().filter(|value| value % 2 == 0).collect();
                assert_eq!(sorted(clone.extract_if(|element| is_even(**element)).collect()), even);
                expected.retain(|value| value % 2 != 0);
                for value in values {
                    assert_eq!(clone.take_mut(value).map(|element| *element), expected.take(value));
                }
                assert_eq!(sorted(clone.pin().iter().cloned().collect()), expected);
            }
            _ => {
                let all = clone.into_iter();
                assert_eq!(all.len(), expected.len());
                assert_eq!(sorted(all.collect()), expected);
                return 0;
            }
        }
        expected.len() as u64
    }
}
