//! Random calls on a map that one thread has to itself, among them all that take `&mut`, beside a map of the standard library.

use std::collections::HashMap as Model;
use std::hash::BuildHasher;
use std::mem::forget;

use tidymap::HashMap;

use crate::common::{ConstantHash, Counted, GoodHash, Ledger, LowBitsHash, Random};

/// Of which the first lives in the entry, and all live in boxes of their own.
trait Payload: Copy + From<u64> {
    fn number(self) -> u64;
}

impl Payload for u64 {
    fn number(self) -> u64 {
        self
    }
}

#[derive(Clone, Copy)]
struct Large([u64; 9]);

impl From<u64> for Large {
    fn from(number: u64) -> Large {
        Large([number; 9])
    }
}

impl Payload for Large {
    fn number(self) -> u64 {
        assert_eq!(self.0, [self.0[0]; 9]);
        self.0[0]
    }
}

type Key<'l> = Counted<'l, u64>;
type Value<'l, P> = Counted<'l, P>;

struct Run<'l, P, S> {
    keys: &'l Ledger,
    values: &'l Ledger,
    random: Random,
    map: HashMap<Key<'l>, Value<'l, P>, S>,
    model: Model<u64, u64>,
    /// Guards that nobody ends.
    leaked: usize,
}

impl<'l, P: Payload, S: BuildHasher + Default> Run<'l, P, S> {
    fn new(keys: &'l Ledger, values: &'l Ledger, seed: u64) -> Self {
        let (map, model) = (HashMap::default(), Model::new());
        Run { keys, values, random: Random::new(seed), map, model, leaked: 0 }
    }

    fn value(&self, number: u64) -> Value<'l, P> {
        self.values.make(P::from(number))
    }

    /// A pair that has left the map: it is what the model had, and leaves that, too.
    fn has_left(&mut self, (key, value): (Key<'l>, Value<'l, P>)) {
        assert_eq!(self.model.remove(&key), Some(value.number()), "key {}", *key);
    }

    fn step(&mut self) {
        let (key, number) = (self.random.below(20), self.random.below(1 << 40));
        match self.random.below(20) {
            0..=5 => {
                self.map.insert(self.keys.make(key), self.value(number));
                self.model.insert(key, number);
            }
            6 => {
                for key in key * 10..key * 10 + 40 {
                    self.map.insert(self.keys.make(key), self.value(number));
                    self.model.insert(key, number);
                }
            }
            7 => assert_eq!(self.map.remove(&key).map(|value| value.number()), self.model.remove(&key)),
            // Reads that miss, which promote.
            8 => (0..200).for_each(|key| assert_eq!(self.map.contains_key(&key), self.model.contains_key(&key))),
            9 => self.map.shrink_to_fit(),
            10 | 11 => {
                let value = self.value(number);
                let place = self.map.get_mut(&key);
                assert_eq!(place.as_deref().map(|value| value.number()), self.model.get(&key).copied());
                if let Some(place) = place {
                    *place = value;
                    self.model.insert(key, number);
                }
            }
            12 | 13 => match self.map.remove_mut(&key) {
                Some(pair) => {
                    assert_eq!(*pair.0, key);
                    self.has_left(pair);
                }
                None => assert_eq!(self.model.get(&key), None),
            },
            14 => {
                let all = self.map.iter_mut();
                assert_eq!(all.len(), self.model.len());
                let mut met = 0;
                for (key, value) in all {
                    met += 1;
                    let number = self.model.get_mut(key).expect("it is there");
                    assert_eq!(value.number(), *number);
                    *number += 1;
                    *value = self.values.make(P::from(*number));
                }
                assert_eq!(met, self.model.len());
            }
            15 => self.drain(number),
            16 | 17 => self.extract(number),
            18 => self.rebuild(number),
            _ => {
                if self.random.once_in(4) {
                    forget(self.map.pin());
                    self.leaked += 1;
                }
            }
        }
        self.check();
    }

    fn drain(&mut self, number: u64) {
        let mut pairs = self.map.drain();
        let (all, taken) = (pairs.len(), pairs.by_ref().take((number % 30) as usize).collect::<Vec<_>>());
        assert_eq!((all, pairs.len()), (self.model.len(), self.model.len() - taken.len()));
        if number % 3 == 0 {
            forget(pairs);
            taken.into_iter().for_each(|pair| self.has_left(pair));
        } else {
            drop(pairs);
            taken.into_iter().for_each(|pair| self.has_left(pair));
            self.model.clear();
        }
    }

    fn extract(&mut self, number: u64) {
        let (values, model) = (self.values, &mut self.model);
        let mut left = Vec::new();
        let mut pairs = self.map.extract_if(|key, value| {
            if (**key ^ number) % 3 == 0 {
                return true;
            }
            *value = values.make(P::from(number));
            left.push(**key);
            false
        });
        let taken: Vec<_> = pairs.by_ref().take((number % 30) as usize).collect();
        match number % 4 {
            0 => forget(pairs),
            1 => {
                assert!(pairs.all(|(key, value)| model.remove(&key) == Some(value.number())));
                drop(pairs);
            }
            _ => drop(pairs),
        }
        for key in left {
            assert!(self.model.insert(key, number).is_some(), "it is there");
        }
        for pair in taken {
            assert_eq!((*pair.0 ^ number) % 3, 0);
            self.has_left(pair);
        }
    }

    /// Takes the map apart, and makes another of what came out.
    fn rebuild(&mut self, number: u64) {
        let mut pairs = std::mem::take(&mut self.map).into_iter();
        self.leaked = 0;
        assert_eq!(pairs.len(), self.model.len());
        let taken: Vec<_> = pairs.by_ref().take((number % 100) as usize).collect();
        assert_eq!(pairs.len(), self.model.len() - taken.len());
        drop(pairs);
        assert_eq!((self.keys.live(), self.values.live()), (taken.len(), taken.len()), "the rest has been dropped");
        let mut model = Model::new();
        for (key, value) in taken {
            model.extend(self.model.remove_entry(&key));
            assert_eq!(model[&key], value.number());
            self.map.insert(key, value);
        }
        self.model = model;
    }

    fn check(&self) {
        let len = self.model.len();
        let stats = self.map.stats();
        assert_eq!((stats.len, stats.read_len + stats.dirty_len), (len, len));
        assert_eq!((stats.retired - stats.freed, stats.live_guards), (stats.pending.entries, self.leaked));
        assert_eq!(self.values.live(), len + stats.pending.entries as usize);
        if self.leaked == 0 {
            assert_eq!((stats.pending.entries, stats.pending.bytes), (0, 0));
            assert_eq!(stats.heap.entries == 0, len == 0, "{} bytes", stats.heap.entries);
        }
        let session = self.map.pin();
        assert_eq!(session.iter().count(), len);
        for (key, number) in &self.model {
            assert_eq!(session[key].number(), *number, "key {key}");
        }
    }
}

fn run<P: Payload, S: BuildHasher + Default>() {
    let (runs, steps) = if cfg!(miri) { (1, 60) } else { (30, 300) };
    for seed in 0..runs {
        let (keys, values) = (Ledger::new(), Ledger::new());
        let mut run = Run::<P, S>::new(&keys, &values, seed);
        (0..steps).for_each(|_| run.step());
        drop(run);
        assert_eq!((keys.live(), values.live()), (0, 0));
    }
}

#[test]
fn with_values_in_their_entries() {
    run::<u64, GoodHash>();
}

#[test]
fn with_values_in_boxes() {
    run::<Large, GoodHash>();
}

#[test]
fn with_bad_hashes() {
    run::<u64, LowBitsHash>();
    run::<u64, ConstantHash>();
}
