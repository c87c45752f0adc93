//! Steps that have the map to themselves.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::mem::{forget, replace};

use crate::answers::{Numbered, pair};
use crate::common::fuse::{Fuse, burn, lit};
use crate::state::State;
use crate::steps::{Exclusive, Taking};
use crate::world::{Key, Map, Payload, Value};

/// What the call makes of keys, by the number of the new value if one stays: after a panic, of each of them or not.
type Becomes = RefCell<BTreeMap<u8, Option<u64>>>;

impl<'l> State<'l> {
    /// Does the call, and compares what it says, and what the map is then. `spare` is a map to go on with.
    pub(crate) fn exclusively<P, S>(&mut self, map: &mut Map<'l, P, S>, call: Exclusive, spare: Map<'l, P, S>)
    where
        P: Payload,
        S: BuildHasher + Clone,
    {
        if let Exclusive::IntoIter(pairs) = call {
            return self.make_another(map, pairs, spare);
        }
        let fuse = self.fuse();
        let becomes = Becomes::default();
        let taken = Cell::new(0);
        let is_done = lit(fuse, || self.change(map, call, &becomes, &taken)).is_some();

        let (becomes, taken) = (becomes.into_inner(), taken.get());
        let found = contents(map);
        let model = &mut self.model;
        for key in model.entries.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            let (was, is) = (model.entries.get(key), found.get(key).copied());
            let will_be = match becomes.get(key) {
                Some(value) => was.zip(*value).map(|((id, _), value)| (*id, value)),
                None => was.copied(),
            };
            assert!(is == will_be || !is_done && is == was.copied(), "{was:?} is {is:?}, not {will_be:?}: {call:?}");
        }
        let gone = (model.entries.len() - found.len()) as u64;
        model.entries = found;
        let stats = map.stats();
        if let Some(given) = self.given() {
            let by_value = stats.freed - given;
            let handed_over = by_value - self.by_value;
            assert!(
                handed_over == taken || !is_done && (taken..=gone).contains(&handed_over),
                "{taken}, {handed_over}"
            );
            self.by_value = by_value;
        }
    }

    fn change<P, S>(&self, map: &mut Map<'l, P, S>, call: Exclusive, becomes: &Becomes, taken: &Cell<u64>)
    where
        P: Payload,
        S: BuildHasher + Clone,
    {
        let (world, model) = (&self.world, &self.model);
        let will_be = |key: u8, value: Option<u64>| _ = becomes.borrow_mut().insert(key, value);
        let change = |key: u8, value: &mut Value<'l, P>| {
            let new = world.next_value(key);
            will_be(key, Some(new));
            *value = world.value(key);
        };
        let met = RefCell::new(BTreeSet::new());
        let meet = |key: &Key<'l>, value: &Value<'l, P>| {
            let pair = pair((key, value));
            assert_eq!(Some(pair), model.pair(pair.0), "it is there");
            assert!(met.borrow_mut().insert(pair.0), "key {key:?} is met twice");
            pair.0
        };
        let take = |(key, value): (Key<'l>, Value<'l, P>)| {
            taken.set(taken.get() + 1);
            assert_eq!(Some(pair((&key, &value))), model.pair(*key), "what is taken was there");
            will_be(*key, None);
        };
        match call {
            Exclusive::GetMut(key) => {
                let place = map.get_mut(&key);
                assert_eq!(place.as_deref().map(Numbered::number), model.value(key));
                if let Some(value) = place {
                    change(key, value);
                }
            }
            Exclusive::IterMut(bits) => {
                let all = map.iter_mut();
                assert_eq!(all.len(), model.entries.len());
                for (key, value) in all {
                    let key = meet(key, value);
                    if key & bits != 0 {
                        change(key, value);
                    }
                }
                assert_eq!(met.borrow().len(), model.entries.len(), "all are met");
            }
            Exclusive::RemoveMut(key) => {
                let expected = model.pair(key);
                if expected.is_some() {
                    will_be(key, None);
                }
                let pair = map.remove_mut(&key);
                assert_eq!(pair.is_some(), expected.is_some());
                pair.into_iter().for_each(take);
            }
            Exclusive::Drain(Taking { pairs, leak }) => {
                // After a panic anywhere.
                model.entries.keys().for_each(|key| will_be(*key, None));
                let mut all = map.drain();
                assert_eq!(all.len(), model.entries.len());
                all.by_ref().take(pairs).for_each(|(key, value)| {
                    meet(&key, &value);
                    take((key, value));
                });
                if leak {
                    forget(all);
                    becomes.borrow_mut().retain(|key, _| met.borrow().contains(key));
                }
            }
            Exclusive::ExtractIf(bits, Taking { pairs, leak }) => {
                let mut wanted = map.extract_if(|key, value| {
                    let key = meet(key, value);
                    burn();
                    if key & bits != 0 {
                        will_be(key, None);
                        return true;
                    }
                    change(key, value);
                    false
                });
                let count = wanted.by_ref().take(pairs).map(take).count();
                if leak {
                    forget(wanted);
                }
                assert!(count == pairs || met.borrow().len() == model.entries.len(), "all are met");
            }
            Exclusive::IntoIter(_) => unreachable!("it leaves no map to compare with"),
        }
    }

    /// Takes the map apart, and makes another of some of its pairs. What was leaked with the first has no meaning for the other.
    fn make_another<P, S>(&mut self, map: &mut Map<'l, P, S>, pairs: usize, spare: Map<'l, P, S>)
    where
        P: Payload,
        S: BuildHasher + Clone,
    {
        let all = replace(map, spare);
        let mut taken = Vec::new();
        lit(self.fuse(), || {
            let mut all = all.into_iter();
            assert_eq!(all.len(), self.model.entries.len());
            taken.extend(all.by_ref().take(pairs));
            assert_eq!(all.len(), self.model.entries.len() - taken.len());
            drop(all);
        });
        let live = (self.world.keys.live(), self.world.values.live());
        assert_eq!(live, (taken.len(), taken.len()), "the rest has been dropped");
        assert!(taken.iter().all(|(key, value)| self.model.pair(**key) == Some(pair((key, value)))));
        let before: BTreeMap<u8, (u64, u64)> =
            taken.iter().map(|(key, value)| (**key, (key.id(), value.number()))).collect();
        assert_eq!(before.len(), taken.len(), "a pair was taken twice");

        // Memory may be short; then some are lost here.
        let never = Some(Fuse { first: u32::MAX, again: None });
        let is_done = lit(never, || taken.into_iter().for_each(|(key, value)| drop(map.insert(key, value)))).is_some();
        let found = contents(map);
        assert!(!is_done || found == before);
        self.model.entries = found;
        self.model.guards.clear();
        self.model.owned.clear();
        self.model.pending.clear();
        self.of_others += self.given().unwrap_or(0);
        self.by_value = 0;
    }
}

fn contents<P: Payload, S>(map: &Map<'_, P, S>) -> BTreeMap<u8, (u64, u64)> {
    let session = map.pin();
    let found: BTreeMap<_, _> = session.iter().map(pair).map(|(key, id, value)| (key, (id, value))).collect();
    assert_eq!(found.len(), session.iter().count(), "an entry was visited twice");
    found
}
