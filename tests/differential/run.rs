//! A map under test beside its model, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tidymap::{CompareExchangeError, Compute, OccupiedError, Operation, Pending, ReclaimError};

use crate::answers::{Answer, Numbered, pair, perform};
use crate::common::fuse::{burn, lit};
use crate::guards::Kept;
use crate::model::Model;
use crate::state::State;
use crate::steps::{Exclusive, Next, Op, Step, Wait};
use crate::world::{Map, Payload, Session, Situation, in_session};

/// The map under test and its model, with whatever guards are live.
pub(crate) struct Run<'m, 'l, P, S> {
    pub(crate) map: &'m Map<'l, P, S>,
    pub(crate) state: State<'l>,
    /// With when they were opened, in no order.
    pub(crate) sessions: Vec<(u64, Session<'m, 'l, P, S>)>,
    pub(crate) kept: Vec<Kept<'m, 'l, P>>,
    /// What is to be done when all of these have ended: whoever has the run takes it, ends the run, and begins another.
    pub(crate) exclusive: Option<Exclusive>,
}

impl<'m, 'l, P, S> Run<'m, 'l, P, S>
where
    P: Payload,
    S: BuildHasher + Clone,
{
    /// Does an operation on the map and on the model, compares what they say, and then what they are.
    pub(crate) fn perform(&mut self, session: Option<usize>, op: &Op) {
        let mut session = session;
        if session.is_none() && self.would_wait(1) {
            // In one of the sessions that it would wait for, or not at all.
            session = self.sessions.iter().position(|(_, session)| session.is_owned());
            if session.is_none() {
                return;
            }
        }
        let current = match op {
            Op::CompareExchange(key, _) => self.state.model.value(*key),
            _ => None,
        };
        let fuse = self.state.fuse();
        let before = fuse.map(|_| self.state.model.clone());
        let expected = self.state.answer(op);
        let situation = &Situation { world: &self.state.world, current };
        let answer = lit(fuse, || match session {
            Some(session) => in_session!(&self.sessions[session].1, session => perform!(situation, session, *op)),
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
        let all_done = std::mem::replace(&mut self.state.model, before);
        let pairs = self.map.pin().iter().map(pair).map(|(key, id, value)| (key, (id, value))).collect::<Vec<_>>();
        let found: BTreeMap<u8, (u64, u64)> = pairs.iter().copied().collect();
        assert_eq!(found.len(), pairs.len(), "an entry was visited twice");
        let keys: BTreeSet<u8> = [&self.state.model.entries, &all_done.entries, &found]
            .iter()
            .flat_map(|entries| entries.keys())
            .copied()
            .collect();
        for key in keys {
            let is = found.get(&key).copied();
            if is != self.state.model.entries.get(&key).copied() {
                assert_eq!(is, all_done.entries.get(&key).copied(), "key {key}, after a panic");
                match is {
                    Some((id, value)) => drop(self.state.model.insert(key, id, value)),
                    None => drop(self.state.model.remove(key)),
                }
            }
        }
    }

    pub(crate) fn new(map: &'m Map<'l, P, S>, state: State<'l>) -> Self {
        Run { map, state, sessions: Vec::new(), kept: Vec::new(), exclusive: None }
    }

    /// With all sessions ended, and nothing kept.
    pub(crate) fn end(mut self) -> State<'l> {
        self.check_contents();
        while !self.sessions.is_empty() {
            self.step(&Step::Close(0));
        }
        while !self.kept.is_empty() {
            self.step(&Step::LetGo(0));
        }
        self.check_contents();
        self.state
    }

    /// The number of an open session, if there is one.
    pub(crate) fn session(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.sessions.len())
    }

    /// Fails unless what is alive is what should be, and the map's figures agree.
    pub(crate) fn check(&mut self) {
        self.state.model.settle();
        let (len, held_back) = (self.state.model.entries.len(), self.state.model.pending.len());
        assert_eq!(self.map.len(), len, "len");
        // First without the map's help: figures take a guard, and whoever takes one cleans up.
        let values = self.state.world.values.live();
        let saved_up = values.checked_sub(len + held_back).expect("what a guard has seen must be kept");
        assert!(saved_up as u64 <= self.state.batch, "{saved_up} values are alive that no guard has seen");
        let removed = self.state.model.pending.iter().filter(|unlinked| unlinked.entry).count();
        let keys = len + removed..=len + removed + saved_up;
        assert!(
            keys.contains(&self.state.world.keys.live()),
            "{} live keys, not {keys:?}",
            self.state.world.keys.live()
        );

        let stats = self.map.stats();
        assert_eq!(stats.len, len, "stats().len");
        assert_eq!(stats.read_len + stats.dirty_len, len, "entries in the tables");
        assert!(stats.capacity >= len);
        assert_eq!(stats.retired - stats.freed, stats.pending.entries, "what is retired and not freed");
        assert_eq!(stats.live_guards, self.state.model.guards.len(), "live guards");
        assert_eq!(stats.oldest_guard.is_some(), !self.state.model.guards.is_empty());

        assert_eq!(stats.pending.entries as usize, values - len, "values that are alive and not in the map");
        if let Some(given) = self.state.given() {
            assert_eq!(given + self.state.by_value, stats.freed, "given to the hook, or handed over");
        }
    }

    /// Fails unless an iteration yields what the model holds.
    pub(crate) fn check_contents(&self) {
        let session = self.map.pin();
        let pairs: Vec<_> = session.iter().map(pair).collect();
        let seen: BTreeSet<_> = pairs.iter().copied().collect();
        assert_eq!(pairs.len(), seen.len(), "an entry was visited twice");
        assert_eq!(seen, self.state.model.entries.keys().filter_map(|key| self.state.model.pair(*key)).collect());
        assert_eq!(session.keys().map(|key| **key).collect::<BTreeSet<_>>().len(), seen.len());
        assert_eq!(session.values().count(), seen.len());
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::OneShot(op) => self.perform(None, op),
            Step::InSession(number, op) => self.perform(self.session(*number), op),
            Step::Open | Step::OpenOwned => {
                let session = self.open(matches!(step, Step::OpenOwned));
                self.sessions.push(session);
            }
            Step::Close(number) => self.close(*number),
            Step::Refresh(number) => self.refresh(*number),
            Step::Leak(number) => self.leak(*number),
            Step::HoldInSession { key, meanwhile } => self.hold_in_session(false, *key, meanwhile),
            Step::HoldInOwned { key, meanwhile } => self.hold_in_session(true, *key, meanwhile),
            Step::Keep(key) => self.keep(*key),
            Step::KeepRemoved(key) => self.keep_removed(*key),
            Step::LetGo(number) => self.let_go(*number),
            Step::Take(number) => self.take(*number),
            Step::Iterate(ops) => self.iterate(false, ops),
            Step::IterateOwned(ops) => self.iterate(true, ops),
            Step::Fill(first) => {
                for key in (0..40).map(|n| first.wrapping_add(n)) {
                    self.perform(None, &Op::Insert(key));
                }
            }
            Step::LookUp => (0..200).for_each(|key| self.perform(None, &Op::Get(key))),
            Step::RemoveOwned(key) => self.remove_owned(*key),
            Step::Guards => self.check_guards(),
            Step::ReadsOfTheMap(key) => {
                let pair = self.state.model.pair(*key);
                let (id, value) = (pair.map(|pair| pair.1), pair.map(|pair| pair.2));
                assert_eq!(self.map.get(key).map(|found| found.key().id()), id, "the stored key stays");
                assert_eq!(self.map.read(key, |key, value| (key, value).number()), value);
                assert_eq!(self.map.get_cloned(key).map(|value| (&value).number()), value);
                assert_eq!(self.map.get(key).map(|found| format!("{found:?}")).is_some(), pair.is_some());
                self.check_contents();
            }
            Step::ReadsOfASession(number, key) => self.reads_of_a_session(*number, *key),
            Step::Reserve(additional) => {
                if lit(self.state.fuse(), || self.map.reserve((*additional).into())).is_some() {
                    assert!(self.map.capacity() >= self.map.len() + usize::from(*additional));
                }
            }
            Step::TryReserve(Some(additional)) => {
                assert!(self.map.try_reserve((*additional).into()).is_ok());
                assert!(self.map.capacity() >= self.map.len() + usize::from(*additional));
            }
            Step::TryReserve(None) => assert!(self.map.try_reserve(usize::MAX).is_err()),
            Step::ShrinkToFit => {
                if lit(self.state.fuse(), || self.map.shrink_to_fit()).is_some() {
                    assert_eq!(self.map.stats().dirty_len, 0);
                }
            }
            Step::Reclaim(wait) => self.reclaim(*wait),
            Step::TryReclaim => {
                if let Some(pending) = lit(self.state.fuse(), || self.map.try_reclaim()) {
                    assert_eq!(pending.entries as usize, self.state.model.pending.len(), "after try_reclaim");
                }
            }
            Step::CloneCompareExtend(keys) => self.clone_compare_extend(keys),
            Step::InsertMany(session, keys) => self.insert_many(session.and_then(|number| self.session(number)), keys),
            Step::RemoveMany(session, keys) => self.remove_many(session.and_then(|number| self.session(number)), keys),
            Step::GetMany(keys) => self.get_many(keys),
            Step::GetOrInit(key, init) => self.get_or_init(*key, *init),
            Step::Exclusive(call) => self.exclusive = Some(*call),
        }
        self.check();
    }

    fn reads_of_a_session(&mut self, number: usize, key: u8) {
        let Some(session) = self.session(number) else { return };
        let expected = self.state.model.pair(key);
        in_session!(&self.sessions[session].1, session => {
            assert_eq!(session.get_key_value(&key).map(pair), expected);
            assert!(std::ptr::eq(session.map(), self.map));
            assert_eq!(session.iter().count(), self.state.model.entries.len());
            assert_eq!(session.into_iter().count(), self.state.model.entries.len());
            assert_eq!(format!("{session:?}"), format!("{:?}", session.map()));
            assert_eq!(session.remove_entry(&key).map(pair), expected);
        });
        self.state.model.remove(key);
    }

    fn reclaim(&mut self, wait: Wait) {
        // Sessions that belong to their owner it would wait for, for ever.
        let (is_free, is_endless) = (self.state.model.guards.is_empty(), self.state.model.is_only_owned());
        let reclaimed = lit(self.state.fuse(), || match wait {
            Wait::Forever if !is_endless => self.map.reclaim(),
            Wait::Forever | Wait::Timeout => {
                self.map.reclaim_timeout(if is_endless { Duration::ZERO } else { Duration::MAX })
            }
            Wait::Task => {
                match std::pin::pin!(self.map.reclaim_async()).poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(reclaimed) => reclaimed,
                    Poll::Pending if is_endless => Err(ReclaimError::TimedOut),
                    Poll::Pending => panic!("there is nobody to wait for"),
                }
            }
        });
        match reclaimed {
            // Or tables.
            Some(Err(ReclaimError::TimedOut)) => assert!(is_endless && self.map.stats().pending != Pending::default()),
            Some(Err(_)) => assert!(!is_free && !is_endless),
            Some(Ok(())) => assert!(is_free || is_endless && self.state.model.pending.is_empty()),
            None => {}
        }
        if is_free {
            assert_eq!(self.map.stats().pending.entries, 0, "after reclaim");
        }
    }

    fn remove_owned(&mut self, key: u8) {
        let may_wait = self.state.model.guards.is_empty();
        let expected = self.state.model.pair(key);
        if self.state.model.is_only_owned() {
            // It would wait for sessions that this thread has to end.
            if expected.is_none() {
                assert!(lit(self.state.fuse(), || self.map.remove_owned(&key)).is_none_or(|none| none == Ok(None)));
            }
            return;
        }
        let Some(removed) = lit(self.state.fuse(), || self.map.remove_owned(&key)) else {
            // The pair is there, or has been dropped.
            let is_removed = expected.is_some() && !self.map.contains_key(&key);
            if is_removed {
                self.state.by_value += 1;
                self.state.model.entries.remove(&key);
            }
            return;
        };
        if may_wait {
            let removed = removed.unwrap();
            self.state.by_value += u64::from(removed.is_some());
            // It never was garbage that a guard sees.
            self.state.model.entries.remove(&key);
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
        let fuse = self.state.fuse();
        // Beside what the map itself gives up: reads that promote retire a table, and with that goes what is saved up.
        let given = || {
            self.state
                .hooked
                .as_ref()
                .map_or(0, |hooked| hooked.load(Ordering::Relaxed).wrapping_sub(self.map.stats().freed))
        };
        let before = given();
        let done = lit(fuse, || self.clone_and_drop(keys));
        // Each pair and each value that it was given, if it has the hook.
        let of_clone = (self.state.model.entries.len() + keys.len()) as u64;
        let hooked = given().wrapping_sub(before);
        assert!(
            done.is_none() || self.state.hooked.is_none() || hooked == of_clone,
            "{hooked} of {of_clone} given to the hook"
        );
        self.state.of_others += hooked;
    }

    fn clone_and_drop(&self, keys: &[u8]) {
        let map = self.map;
        let mut clone = map.clone();
        assert!(clone == *map, "a clone is equal");
        assert_eq!(clone.len(), self.state.model.entries.len());
        let expected: BTreeSet<u8> = self.state.model.entries.keys().chain(keys).copied().collect();
        clone.extend(keys.iter().map(|key| (self.state.world.key(*key), self.state.world.value(*key))));
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
