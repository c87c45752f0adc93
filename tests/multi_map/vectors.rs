//! What a map of vectors does in the place of ours, and what waits for guards then.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) enum Write {
    Insert(u8, u8),
    InsertAll(u8, Vec<u8>),
    Remove(u8),
    RemoveValue(u8, u8),
    /// Keeps the values that have a bit in common with this.
    RetainValues(u8, u8),
    Clear,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    Yes(bool),
    Count(usize),
    Values(Option<Vec<u8>>),
}

#[derive(Default)]
pub(crate) struct Vectors {
    pub(crate) slices: BTreeMap<u8, Vec<u8>>,
    clock: u64,
    /// When each of the live guards was taken.
    pub(crate) guards: Vec<u64>,
    /// Slices that have been unlinked: when, with how many values, and with their key?
    pub(crate) pending: Vec<(u64, usize, bool)>,
}

impl Vectors {
    /// The answer, and the slices after it.
    pub(crate) fn answer(&self, write: &Write) -> (Answer, BTreeMap<u8, Vec<u8>>) {
        let mut slices = self.slices.clone();
        let len = |slices: &BTreeMap<u8, Vec<u8>>, key: &u8| slices.get(key).map_or(0, Vec::len);
        let answer = match write {
            Write::Insert(key, value) => {
                slices.entry(*key).or_default().push(*value);
                Answer::Count(len(&slices, key))
            }
            Write::InsertAll(key, values) => {
                slices.entry(*key).or_default().extend(values);
                Answer::Count(len(&slices, key))
            }
            Write::Remove(key) => Answer::Values(slices.remove(key)),
            Write::RemoveValue(key, value) => {
                let values = slices.entry(*key).or_default();
                let place = values.iter().position(|there| there == value);
                place.map(|place| values.remove(place));
                Answer::Yes(place.is_some())
            }
            Write::RetainValues(key, bits) => {
                let values = slices.entry(*key).or_default();
                let before = values.len();
                values.retain(|value| value & bits != 0);
                Answer::Count(before - values.len())
            }
            Write::Clear => {
                slices.clear();
                Answer::Nothing
            }
        };
        slices.retain(|_, values| !values.is_empty());
        (answer, slices)
    }

    fn now(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Replaces a slice, or removes it with its key. Returns the one before.
    pub(crate) fn become_one(&mut self, key: u8, new: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let when = self.now();
        let is_removed = new.is_none();
        let old = match new {
            Some(new) => self.slices.insert(key, new),
            None => self.slices.remove(&key),
        };
        if let Some(old) = &old {
            self.pending.push((when, old.len(), is_removed));
        }
        old
    }

    /// Makes them these slices.
    pub(crate) fn become_all(&mut self, slices: &BTreeMap<u8, Vec<u8>>) {
        for key in self.slices.keys().chain(slices.keys()).copied().collect::<BTreeSet<_>>() {
            if self.slices.get(&key) != slices.get(&key) {
                self.become_one(key, slices.get(&key).cloned());
            }
        }
    }

    pub(crate) fn take_guard(&mut self) -> u64 {
        let when = self.now();
        self.guards.push(when);
        when
    }

    pub(crate) fn drop_guard(&mut self, taken: u64) {
        self.guards.retain(|guard| *guard != taken);
        self.settle();
    }

    /// Forgets what no guard has seen.
    pub(crate) fn settle(&mut self) {
        let oldest = self.guards.iter().min().copied().unwrap_or(u64::MAX);
        self.pending.retain(|(when, ..)| *when > oldest);
    }

    /// How many keys and values are alive.
    pub(crate) fn alive(&self) -> (usize, usize) {
        let keys = self.pending.iter().filter(|(.., is_removed)| *is_removed).count();
        let values = self.pending.iter().map(|(_, values, _)| values).sum::<usize>();
        (self.slices.len() + keys, self.slices.values().map(Vec::len).sum::<usize>() + values)
    }
}
