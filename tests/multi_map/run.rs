//! A map with several values a key beside a plain map of vectors, step by step.
//!
//! One thread, so that after every step everything is known: what it answered, what the map holds, and how many keys and values are alive.
//! With no guard live these are the map's (R1); with some, those and the slices that were unlinked since the oldest of the guards was taken
//! that are still live (R2).

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

use tidymap::{MultiMap, PinnedMulti, ValuesRef};

use crate::common::fuse::{Fuse, burn, lit};
use crate::common::{Counted, GoodHash, Ledger};
use crate::vectors::{Answer, Vectors, Write};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write(Write),
    Open,
    Close(usize),
    Refresh(usize),
    /// Takes a reference to a slice, and keeps it.
    Keep(u8),
    /// Removes a key, and keeps its slice.
    KeepRemoved(u8),
    /// Drops one of those that are kept.
    LetGo(usize),
    /// Iterates, and does one of these at each key, as far as they go.
    Iterate(Vec<Write>),
    /// The ways to read a key, and whether it has a value.
    Reads(u8, u8),
    CloneExtend(Vec<(u8, u8)>),
    ShrinkToFit,
}

pub(crate) type Element<'l> = Counted<'l, u8>;
pub(crate) type Map<'l, S> = MultiMap<Element<'l>, Element<'l>, S>;

/// A slice that is held on to, with its guard.
struct Kept<'m, 'l> {
    taken: u64,
    expected: Vec<u8>,
    slice: ValuesRef<'m, Element<'l>, Element<'l>>,
}

fn plain(values: &[Element<'_>]) -> Vec<u8> {
    values.iter().map(|value| **value).collect()
}

pub(crate) struct Run<'m, 'l, S> {
    keys: &'l Ledger,
    values: &'l Ledger,
    map: &'m Map<'l, S>,
    vectors: Vectors,
    /// For the calls to come, the next one last.
    pub(crate) fuses: Vec<Option<Fuse>>,
    sessions: Vec<(u64, PinnedMulti<'m, Element<'l>, Element<'l>, S>)>,
    kept: Vec<Kept<'m, 'l>>,
}

/// Has each of the steps done to a new map, and drops it. `fuses` are taken one after the other, until there are none left.
pub(crate) fn run_with<S: BuildHasher + Clone, T>(
    hasher: S,
    fuses: &[Option<Fuse>],
    steps: &[T],
    each: impl Fn(&mut Run<'_, '_, S>, &T),
) {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let map = MultiMap::with_hasher(hasher);
    let mut run = Run {
        keys: &keys,
        values: &values,
        map: &map,
        vectors: Vectors::default(),
        fuses: fuses.iter().copied().rev().collect(),
        sessions: Vec::new(),
        kept: Vec::new(),
    };
    for step in steps {
        each(&mut run, step);
        run.check();
    }
    while !run.sessions.is_empty() {
        run.step(&Step::Close(0));
    }
    while !run.kept.is_empty() {
        run.step(&Step::LetGo(0));
    }
    run.check();
    let last = run.fuses.pop().flatten();
    drop(run);
    lit(last, || drop(map));
    assert_eq!((keys.live(), values.live()), (0, 0), "left after the map is gone");
}

impl<S: BuildHasher + Clone> Run<'_, '_, S> {
    fn fuse(&mut self) -> Option<Fuse> {
        self.fuses.pop().flatten()
    }

    /// Does it here and there, and compares the answers.
    fn write(&mut self, write: &Write) {
        let fuse = self.fuse();
        let before = self.vectors.slices.clone();
        let (expected, after) = self.vectors.answer(write);
        let (keys, values, map) = (self.keys, self.values, self.map);
        let answer = lit(fuse, || match write {
            Write::Insert(key, value) => Answer::Count(map.insert(keys.make(*key), values.make(*value))),
            Write::InsertAll(key, new) => Answer::Count(map.insert_all(
                keys.make(*key),
                new.iter().map(|value| {
                    burn();
                    values.make(*value)
                }),
            )),
            Write::Remove(key) => Answer::Values(map.remove(key).map(|removed| {
                assert_eq!(**removed.key(), *key);
                let values = plain(&removed);
                // Not at the end: a destructor that panics there leaks what is returned.
                drop(removed);
                values
            })),
            Write::RemoveValue(key, value) => Answer::Yes(map.remove_value(key, &values.make(*value))),
            Write::RetainValues(key, bits) => Answer::Count(map.retain_values(key, |value| {
                burn();
                **value & bits != 0
            })),
            Write::Clear => {
                map.clear();
                Answer::Nothing
            }
        });
        if let Some(answer) = answer {
            assert_eq!(answer, expected, "the answer to {write:?}");
            self.vectors.become_all(&after);
        } else {
            // Of each key it has done what it was to do, or nothing.
            let found = self.contents();
            for key in before.keys().chain(after.keys()).chain(found.keys()).collect::<BTreeSet<_>>() {
                let [was, will_be, is] = [&before, &after, &found].map(|slices| slices.get(key));
                assert!(is == was || is == will_be, "{was:?} was to be {will_be:?}, and is {is:?}, after a panic");
            }
            self.vectors.become_all(&found);
        }
    }

    fn contents(&self) -> BTreeMap<u8, Vec<u8>> {
        let session = self.map.pin();
        let found: BTreeMap<_, _> = session.iter().map(|(key, values)| (**key, plain(values))).collect();
        assert_eq!(found.len(), session.iter().count(), "a key was visited twice");
        found
    }

    fn session(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.sessions.len())
    }

    fn check(&mut self) {
        self.vectors.settle();
        // First without the map's help: figures take a guard, and whoever takes one cleans up.
        assert_eq!((self.keys.live(), self.values.live()), self.vectors.alive(), "keys and values that are alive");
        let (slices, stats) = (&self.vectors.slices, self.map.as_map().stats());
        assert_eq!((self.map.len(), stats.len), (slices.len(), slices.len()));
        assert_eq!(stats.pending.entries as usize, self.vectors.pending.len(), "slices that wait");
        assert_eq!(stats.live_guards, self.vectors.guards.len());
        assert_eq!(self.contents(), *slices);
        for kept in &self.kept {
            assert_eq!(plain(&kept.slice), kept.expected, "a slice that was kept");
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Write(write) => self.write(write),
            Step::Open => self.sessions.push((self.vectors.take_guard(), self.map.pin())),
            Step::Close(number) => {
                let Some(index) = self.session(*number) else { return };
                let (opened, session) = self.sessions.swap_remove(index);
                lit(self.fuse(), || drop(session));
                self.vectors.drop_guard(opened);
            }
            Step::Refresh(number) => {
                let Some(index) = self.session(*number) else { return };
                let fuse = self.fuse();
                let (opened, session) = &mut self.sessions[index];
                lit(fuse, || session.refresh());
                self.vectors.drop_guard(*opened);
                *opened = self.vectors.take_guard();
            }
            Step::Keep(key) => {
                let taken = self.vectors.take_guard();
                match lit(self.fuse(), || self.map.get(key)).flatten() {
                    Some(slice) => {
                        let expected = self.vectors.slices.get(key).expect("what is found is there").clone();
                        self.kept.push(Kept { taken, expected, slice });
                    }
                    None => self.vectors.drop_guard(taken),
                }
            }
            Step::KeepRemoved(key) => {
                let taken = self.vectors.take_guard();
                let fuse = self.fuse();
                let removed = lit(fuse, || self.map.remove(key));
                // Also after a panic: that of a destructor comes when it is done.
                let expected = match self.map.contains_key(key) {
                    true => None,
                    false => self.vectors.become_one(*key, None),
                };
                match removed.flatten() {
                    Some(slice) => {
                        self.kept.push(Kept { taken, expected: expected.expect("it was there"), slice });
                    }
                    None => {
                        assert!(fuse.is_some() || expected.is_none());
                        self.vectors.drop_guard(taken);
                    }
                }
            }
            Step::LetGo(number) => {
                let Some(index) = number.checked_rem(self.kept.len()) else { return };
                let kept = self.kept.swap_remove(index);
                let taken = kept.taken;
                lit(self.fuse(), || drop(kept));
                self.vectors.drop_guard(taken);
            }
            Step::Iterate(writes) => self.iterate(writes),
            Step::Reads(key, value) => self.reads(*key, *value),
            Step::CloneExtend(pairs) => {
                lit(self.fuse(), || self.clone_and_extend(pairs));
            }
            Step::ShrinkToFit => {
                lit(self.fuse(), || self.map.as_map().shrink_to_fit());
            }
        }
    }

    /// C2: whatever comes and goes meanwhile, each key that is there throughout is met once, and none twice.
    fn iterate(&mut self, writes: &[Write]) {
        let guard = self.vectors.take_guard();
        let session = self.map.pin();
        let mut throughout: BTreeSet<u8> = self.vectors.slices.keys().copied().collect();
        let (mut met, mut writes) = (BTreeSet::new(), writes.iter());
        for (key, values) in &session {
            assert_eq!(Some(&plain(values)), self.vectors.slices.get(&**key), "what is met is there");
            assert!(met.insert(**key), "key {key:?} was met twice");
            if let Some(write) = writes.next() {
                self.write(write);
                throughout.retain(|key| self.vectors.slices.contains_key(key));
            }
        }
        assert!(met.is_superset(&throughout), "met {met:?}, and {throughout:?} were there throughout");
        lit(self.fuse(), || drop(session));
        self.vectors.drop_guard(guard);
    }

    fn reads(&mut self, key: u8, value: u8) {
        let slices = &self.vectors.slices;
        let expected = slices.get(&key).cloned();
        let (is_there, has) = (expected.is_some(), expected.as_ref().is_some_and(|values| values.contains(&value)));
        let (keys, values) = (slices.len(), slices.values().map(Vec::len).sum::<usize>());
        let guard = self.vectors.take_guard();
        lit(self.fuse(), || {
            let (value, session) = (self.values.make(value), self.map.pin());
            assert_eq!(self.map.get(&key).map(|found| plain(found.values())), expected);
            assert_eq!(plain(session.get(&key)), expected.unwrap_or_default());
            assert_eq!((self.map.contains_key(&key), session.contains_key(&key)), (is_there, is_there));
            assert_eq!((self.map.contains(&key, &value), session.contains(&key, &value)), (has, has));
            assert_eq!((session.iter().count(), session.values_len()), (keys, values));
            assert_eq!(self.map.is_empty(), keys == 0);
            assert!(std::ptr::eq(session.map(), self.map));
            assert_eq!(format!("{session:?}"), format!("{:?}", self.map));
        });
        self.vectors.drop_guard(guard);
    }

    /// A clone, and what has been collected, go their own ways.
    fn clone_and_extend(&self, pairs: &[(u8, u8)]) {
        let mut clone = self.map.clone();
        let made = || pairs.iter().map(|(key, value)| (self.keys.make(*key), self.values.make(*value)));
        clone.extend(made());
        let mut expected = self.vectors.slices.clone();
        for (key, value) in pairs {
            expected.entry(*key).or_default().push(*value);
        }
        let seen = |map: &Map<'_, S>| -> BTreeMap<u8, Vec<u8>> {
            map.pin().iter().map(|(key, values)| (**key, plain(values))).collect()
        };
        assert_eq!(seen(&clone), expected);
        for key in self.vectors.slices.keys() {
            clone.remove(key);
            expected.remove(key);
        }
        assert_eq!(seen(&clone), expected);
        assert_eq!(clone.into_map().len(), expected.len());
        let collected: Map<'_, GoodHash> = made().collect();
        let mut grouped = BTreeMap::<u8, Vec<u8>>::new();
        pairs.iter().for_each(|(key, value)| grouped.entry(*key).or_default().push(*value));
        let session = collected.pin();
        assert_eq!(session.iter().map(|(key, values)| (**key, plain(values))).collect::<BTreeMap<_, _>>(), grouped);
    }
}
