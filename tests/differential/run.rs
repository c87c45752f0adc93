//! A map under test beside its model, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tidymap::{CompareExchangeError, Compute, OccupiedError, Operation, ReclaimError};

use crate::answers::{Answer, Numbered, pair, perform};
use crate::common::fuse::{Fuse, burn, lit};
use crate::guards::Kept;
use crate::model::Model;
use crate::steps::{Expected, Next, Op, Step, Wait};
use crate::world::{Map, Payload, Session, Situation, World};

/// The map under test and its model, with whatever guards are live.
pub(crate) struct Run<'m, 'l, P, S> {
    pub(crate) world: World<'l>,
    pub(crate) map: &'m Map<'l, P, S>,
    /// Garbage that may be saved up.
    pub(crate) batch: u64,
    /// What the hook has been given, and of that what came from clones.
    pub(crate) hooked: Option<Arc<AtomicU64>>,
    pub(crate) of_clones: u64,
    /// Pairs that have been handed over.
    pub(crate) by_value: u64,
    /// For the calls to come, the next one last.
    pub(crate) fuses: Vec<Option<Fuse>>,
    pub(crate) model: Model,
    /// With when they were opened, in no order.
    pub(crate) sessions: Vec<(u64, Session<'m, 'l, P, S>)>,
    pub(crate) kept: Vec<Kept<'m, 'l, P>>,
}

impl<'m, 'l, P, S> Run<'m, 'l, P, S>
where
    P: Payload,
    S: BuildHasher + Clone,
{
    /// The model's answer to an operation, which it does. `id` and `value` are those of the next key and value.
    pub(crate) fn answer(model: &mut Model, world: &World<'l>, op: &Op) -> Answer {
        let id = world.keys.made();
        let made = |key: u8| world.next_value(key);
        match *op {
            Op::Get(key) => Answer::Value(model.value(key)),
            Op::ContainsKey(key) => Answer::Yes(model.value(key).is_some()),
            Op::Insert(key) => Answer::Value(model.insert(key, id, made(key))),
            Op::TryInsert(key) => match model.value(key) {
                Some(there) => Answer::Occupied(there, id, made(key)),
                None => {
                    model.insert(key, id, made(key));
                    Answer::Inserted(made(key))
                }
            },
            Op::GetOrInsert(key) | Op::GetOrInsertWith(key) => {
                if model.value(key).is_none() {
                    model.insert(key, id, made(key));
                }
                Answer::Value(model.value(key))
            }
            Op::Update(key) => {
                if model.value(key).is_some() {
                    model.insert(key, id, made(key));
                }
                Answer::Value(model.value(key))
            }
            Op::UpdateOrInsert(key) => {
                // The value to insert is made before, the successor when it is needed.
                let successor = made(key) + 256;
                let value = if model.value(key).is_some() { successor } else { made(key) };
                model.insert(key, id, value);
                Answer::Value(Some(value))
            }
            Op::UpdateOrInsertWith(key) => {
                model.insert(key, id, made(key));
                Answer::Value(model.value(key))
            }
            Op::Compute(key, next) => match (next, model.value(key)) {
                (Next::Abort, old) => Answer::Aborted(old),
                (Next::Remove, None) => Answer::Nothing,
                (Next::Remove, Some(old)) => {
                    model.remove(key);
                    Answer::Removed(old)
                }
                (Next::Insert, old) => {
                    model.insert(key, id, made(key));
                    old.map_or(Answer::Inserted(made(key)), |old| Answer::Updated(old, made(key)))
                }
            },
            Op::CompareExchange(key, expected) => match (expected, model.value(key)) {
                (Expected::Current, Some(_)) => Answer::Value(model.insert(key, id, made(key))),
                (_, current) => Answer::Unequal(current, made(key)),
            },
            Op::Remove(key) => Answer::Value(model.remove(key)),
            Op::RemoveIf(key, wanted) => match model.value(key) {
                Some(there) if !wanted => Answer::NotWanted(there),
                _ => Answer::Value(model.remove(key)),
            },
            Op::Retain(bits) => {
                model.retain(|key| key & bits != 0);
                Answer::Nothing
            }
            Op::Clear => {
                model.retain(|_| false);
                Answer::Nothing
            }
            Op::Len => Answer::Count(model.entries.len()),
        }
    }

    /// The fuse of the next call.
    pub(crate) fn fuse(&mut self) -> Option<Fuse> {
        self.fuses.pop().flatten()
    }

    /// Does an operation on the map and on the model, compares what they say, and then what they are.
    pub(crate) fn perform(&mut self, session: Option<usize>, op: &Op) {
        let current = match op {
            Op::CompareExchange(key, _) => self.model.value(*key),
            _ => None,
        };
        let fuse = self.fuse();
        let before = fuse.map(|_| self.model.clone());
        let expected = Self::answer(&mut self.model, &self.world, op);
        let situation = &Situation { world: &self.world, current };
        let answer = lit(fuse, || match session {
            Some(session) => perform!(situation, &self.sessions[session].1, *op),
            None => perform!(situation, self.map, *op),
        });
        match (answer, before) {
            (Some(answer), _) => assert_eq!(answer, expected, "the answer to {op:?}"),
            (None, Some(before)) => self.half_done(before),
            (None, None) => unreachable!("there was no fuse"),
        }
        self.check();
    }

    /// After a panic in a call. Of each key it has done what it was to do, which the model has done already, or nothing.
    pub(crate) fn half_done(&mut self, before: Model) {
        let all_done = std::mem::replace(&mut self.model, before);
        let pairs = self.map.pin().iter().map(pair).map(|(key, id, value)| (key, (id, value))).collect::<Vec<_>>();
        let found: BTreeMap<u8, (u64, u64)> = pairs.iter().copied().collect();
        assert_eq!(found.len(), pairs.len(), "an entry was visited twice");
        let keys: BTreeSet<u8> = [&self.model.entries, &all_done.entries, &found]
            .iter()
            .flat_map(|entries| entries.keys())
            .copied()
            .collect();
        for key in keys {
            let is = found.get(&key).copied();
            if is != self.model.entries.get(&key).copied() {
                assert_eq!(is, all_done.entries.get(&key).copied(), "key {key}, after a panic");
                match is {
                    Some((id, value)) => drop(self.model.insert(key, id, value)),
                    None => drop(self.model.remove(key)),
                }
            }
        }
    }

    /// The number of an open session, if there is one.
    pub(crate) fn session(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.sessions.len())
    }

    /// Fails unless what is alive is what should be, and the map's figures agree.
    pub(crate) fn check(&mut self) {
        self.model.settle();
        let (len, held_back) = (self.model.entries.len(), self.model.pending.len());
        assert_eq!(self.map.len(), len, "len");
        // First without the map's help: figures take a guard, and whoever takes one cleans up.
        let values = self.world.values.live();
        let saved_up = values.checked_sub(len + held_back).expect("what a guard has seen must be kept");
        assert!(saved_up as u64 <= self.batch, "{saved_up} values are alive that no guard has seen");
        let removed = self.model.pending.iter().filter(|unlinked| unlinked.entry).count();
        let keys = len + removed..=len + removed + saved_up;
        assert!(keys.contains(&self.world.keys.live()), "{} live keys, not {keys:?}", self.world.keys.live());

        let stats = self.map.stats();
        assert_eq!(stats.len, len, "stats().len");
        assert_eq!(stats.read_len + stats.dirty_len, len, "entries in the tables");
        assert!(stats.capacity >= len);
        assert_eq!(stats.retired - stats.freed, stats.pending.entries, "what is retired and not freed");
        assert_eq!(stats.live_guards, self.model.guards.len(), "live guards");
        assert_eq!(stats.oldest_guard.is_some(), !self.model.guards.is_empty());

        assert_eq!(stats.pending.entries as usize, values - len, "values that are alive and not in the map");
        if let Some(hooked) = &self.hooked {
            let hooked = hooked.load(Ordering::Relaxed) - self.of_clones;
            assert_eq!(hooked + self.by_value, stats.freed, "given to the hook, or handed over");
        }
    }

    /// Fails unless an iteration yields what the model holds.
    pub(crate) fn check_contents(&self) {
        let session = self.map.pin();
        let pairs: Vec<_> = session.iter().map(pair).collect();
        let seen: BTreeSet<_> = pairs.iter().copied().collect();
        assert_eq!(pairs.len(), seen.len(), "an entry was visited twice");
        assert_eq!(seen, self.model.entries.keys().filter_map(|key| self.model.pair(*key)).collect());
        assert_eq!(session.keys().map(|key| **key).collect::<BTreeSet<_>>().len(), seen.len());
        assert_eq!(session.values().count(), seen.len());
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::OneShot(op) => self.perform(None, op),
            Step::InSession(number, op) => self.perform(self.session(*number), op),
            Step::Open => self.sessions.push((self.model.take_guard(), self.map.pin())),
            Step::Close(number) => {
                if let Some(session) = self.session(*number) {
                    let (opened, session) = self.sessions.swap_remove(session);
                    lit(self.fuse(), || drop(session));
                    self.model.drop_guard(opened);
                }
            }
            Step::Refresh(number) => {
                if let Some(session) = self.session(*number) {
                    let fuse = self.fuse();
                    let (opened, session) = &mut self.sessions[session];
                    lit(fuse, || session.refresh());
                    self.model.drop_guard(*opened);
                    *opened = self.model.take_guard();
                }
            }
            Step::HoldInSession { key, meanwhile } => self.hold_in_session(*key, meanwhile),
            Step::Keep(key) => self.keep(*key),
            Step::KeepRemoved(key) => self.keep_removed(*key),
            Step::LetGo(number) => self.let_go(*number),
            Step::Take(number) => self.take(*number),
            Step::Iterate(ops) => self.iterate(ops),
            Step::Fill(first) => {
                for key in (0..40).map(|n| first.wrapping_add(n)) {
                    self.perform(None, &Op::Insert(key));
                }
            }
            Step::LookUp => (0..200).for_each(|key| self.perform(None, &Op::Get(key))),
            Step::RemoveOwned(key) => self.remove_owned(*key),
            Step::Guards => {
                let guards = self.map.guards();
                assert_eq!(guards.len(), usize::from(!self.model.guards.is_empty()), "one thread");
                for thread in &guards {
                    assert_eq!(thread.guards, self.model.guards.len());
                    assert_eq!(thread.pending.entries as usize, self.model.pending.len(), "what waits for the oldest");
                }
            }
            Step::ReadsOfTheMap(key) => {
                let pair = self.model.pair(*key);
                let (id, value) = (pair.map(|pair| pair.1), pair.map(|pair| pair.2));
                assert_eq!(self.map.get(key).map(|found| found.key().id()), id, "the stored key stays");
                assert_eq!(self.map.read(key, |key, value| (key, value).number()), value);
                assert_eq!(self.map.get_cloned(key).map(|value| (&value).number()), value);
                assert_eq!(self.map.get(key).map(|found| format!("{found:?}")).is_some(), pair.is_some());
                self.check_contents();
            }
            Step::ReadsOfASession(number, key) => {
                if let Some(session) = self.session(*number) {
                    let (_, session) = &self.sessions[session];
                    assert_eq!(session.get_key_value(key).map(pair), self.model.pair(*key));
                    assert!(std::ptr::eq(session.map(), self.map));
                    assert_eq!(session.iter().count(), self.model.entries.len());
                    assert_eq!(session.into_iter().count(), self.model.entries.len());
                    assert_eq!(format!("{session:?}"), format!("{:?}", session.map()));
                    let removed = session.remove_entry(key).map(pair);
                    assert_eq!(removed, self.model.pair(*key));
                    self.model.remove(*key);
                }
            }
            Step::Reserve(additional) => {
                if lit(self.fuse(), || self.map.reserve((*additional).into())).is_some() {
                    assert!(self.map.capacity() >= self.map.len() + usize::from(*additional));
                }
            }
            Step::TryReserve(Some(additional)) => {
                assert!(self.map.try_reserve((*additional).into()).is_ok());
                assert!(self.map.capacity() >= self.map.len() + usize::from(*additional));
            }
            Step::TryReserve(None) => assert!(self.map.try_reserve(usize::MAX).is_err()),
            Step::ShrinkToFit => {
                if lit(self.fuse(), || self.map.shrink_to_fit()).is_some() {
                    assert_eq!(self.map.stats().dirty_len, 0);
                }
            }
            Step::Reclaim(wait) => self.reclaim(*wait),
            Step::TryReclaim => {
                if let Some(pending) = lit(self.fuse(), || self.map.try_reclaim()) {
                    assert_eq!(pending.entries as usize, self.model.pending.len(), "after try_reclaim");
                }
            }
            Step::CloneCompareExtend(keys) => self.clone_compare_extend(keys),
            Step::InsertMany(session, keys) => self.insert_many(session.and_then(|number| self.session(number)), keys),
            Step::RemoveMany(session, keys) => self.remove_many(session.and_then(|number| self.session(number)), keys),
            Step::GetMany(keys) => self.get_many(keys),
        }
        self.check();
    }

    fn reclaim(&mut self, wait: Wait) {
        let may_wait = self.model.guards.is_empty();
        let reclaimed = lit(self.fuse(), || match wait {
            Wait::Forever => self.map.reclaim(),
            Wait::Timeout => self.map.reclaim_timeout(Duration::MAX),
            Wait::Task => {
                match std::pin::pin!(self.map.reclaim_async()).poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(reclaimed) => reclaimed,
                    Poll::Pending => panic!("there is nobody to wait for"),
                }
            }
        });
        if let Some(reclaimed) = reclaimed {
            assert_eq!(reclaimed, if may_wait { Ok(()) } else { Err(ReclaimError::GuardHeld) });
        }
        if may_wait {
            assert_eq!(self.map.stats().pending.entries, 0, "after reclaim");
        }
    }

    fn remove_owned(&mut self, key: u8) {
        let may_wait = self.model.guards.is_empty();
        let expected = self.model.pair(key);
        let Some(removed) = lit(self.fuse(), || self.map.remove_owned(&key)) else {
            // The pair is there, or has been dropped.
            let is_removed = expected.is_some() && !self.map.contains_key(&key);
            if is_removed {
                self.by_value += 1;
                self.model.entries.remove(&key);
            }
            return;
        };
        if may_wait {
            let removed = removed.unwrap();
            self.by_value += u64::from(removed.is_some());
            // It never was garbage that a guard sees.
            self.model.entries.remove(&key);
            assert_eq!(removed.as_ref().map(|(key, value)| pair((key, value))), expected);
        } else {
            assert_eq!(removed.unwrap_err(), ReclaimError::GuardHeld);
        }
    }

    pub(crate) fn perform_all(&mut self, ops: &[Op]) {
        for (number, op) in ops.iter().enumerate() {
            // In turns in a session, if one is open, and on the map.
            let session = self.session(number).filter(|_| number % 2 == 1);
            self.perform(session, op);
        }
    }

    /// A clone, and what has been collected: equal to the map, until they change.
    fn clone_compare_extend(&mut self, keys: &[u8]) {
        let fuse = self.fuse();
        // Beside what the map itself gives up: reads that promote retire a table, and with that goes what is saved up.
        let given = || {
            self.hooked.as_ref().map_or(0, |hooked| hooked.load(Ordering::Relaxed).wrapping_sub(self.map.stats().freed))
        };
        let before = given();
        let done = lit(fuse, || self.clone_and_drop(keys));
        // Each pair and each value that it was given, if it has the hook.
        let of_clone = (self.model.entries.len() + keys.len()) as u64;
        let hooked = given().wrapping_sub(before);
        assert!(
            done.is_none() || self.hooked.is_none() || hooked == of_clone,
            "{hooked} of {of_clone} given to the hook"
        );
        self.of_clones += hooked;
    }

    fn clone_and_drop(&self, keys: &[u8]) {
        let map = self.map;
        let mut clone = map.clone();
        assert!(clone == *map, "a clone is equal");
        assert_eq!(clone.len(), self.model.entries.len());
        let expected: BTreeSet<u8> = self.model.entries.keys().chain(keys).copied().collect();
        clone.extend(keys.iter().map(|key| (self.world.key(*key), self.world.value(*key))));
        assert_eq!(clone.pin().keys().map(|key| **key).collect::<BTreeSet<_>>(), expected);
        // Every value is new, so one more pair is enough to make a difference.
        assert_eq!(clone == *map, keys.is_empty());
        let collected: Map<'_, P, crate::common::GoodHash> =
            map.pin().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        assert!(collected == *map, "whatever the hashers are");
        // It ends in one of three ways, which make no difference to what is in it.
        match keys.len() % 3 {
            0 => drop(clone),
            1 => drop(clone.drain()),
            _ => drop(clone.into_iter()),
        }
    }
}
