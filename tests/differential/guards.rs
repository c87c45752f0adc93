//! Steps that hold guards while others are done.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use tidymap::{Ref, Removed};

use crate::answers::{Numbered, pair};
use crate::common::fuse::lit;
use crate::run::Run;
use crate::steps::Op;
use crate::world::{Key, Payload, Session, Value, in_session};

/// A reference that is held on to, with its guard.
pub(crate) struct Kept<'m, 'l, P> {
    taken: u64,
    /// What it refers to.
    pair: (u8, u64, u64),
    reference: Reference<'m, 'l, P>,
}

enum Reference<'m, 'l, P> {
    Found(Ref<'m, Key<'l>, Value<'l, P>>),
    /// And when it was removed.
    Removed(u64, Removed<'m, Key<'l>, Value<'l, P>>),
}

impl<P: Payload> Kept<'_, '_, P> {
    fn look(&self) {
        let seen = match &self.reference {
            Reference::Found(found) => pair((found.key(), found.value())),
            Reference::Removed(_, removed) => pair((removed.key(), removed.value())),
        };
        assert_eq!(seen, self.pair, "a reference that was kept");
    }
}

impl<'m, 'l, P, S> Run<'m, 'l, P, S>
where
    P: Payload,
    S: BuildHasher + Clone,
{
    pub(crate) fn open(&mut self, owned: bool) -> (u64, Session<'m, 'l, P, S>) {
        match owned {
            false => (self.state.model.take_guard(), Session::OfItsThread(self.map.pin())),
            true => (self.state.model.take_owned_guard(), Session::OfItsOwner(self.map.pin_owned())),
        }
    }

    pub(crate) fn close(&mut self, number: usize) {
        let Some(index) = self.session(number) else { return };
        let (opened, session) = self.sessions.swap_remove(index);
        lit(self.state.fuse(), || drop(session));
        self.state.model.drop_guard(opened);
    }

    pub(crate) fn refresh(&mut self, number: usize) {
        let Some(index) = self.session(number) else { return };
        let fuse = self.state.fuse();
        let (opened, session) = &mut self.sessions[index];
        lit(fuse, || in_session!(session, session => session.refresh()));
        let model = &mut self.state.model;
        model.drop_guard(*opened);
        *opened = if session.is_owned() { model.take_owned_guard() } else { model.take_guard() };
    }

    /// Its guard stays for as long as the map does.
    pub(crate) fn leak(&mut self, number: usize) {
        if let Some(index) = self.session(number) {
            std::mem::forget(self.sessions.swap_remove(index));
        }
    }

    /// Would a call of this thread that adds so much to the garbage wait for sessions, all of which are this thread's to end?
    pub(crate) fn would_wait(&self, garbage: usize) -> bool {
        let is_full = |cap| self.map.stats().pending.entries + garbage as u64 > cap;
        self.state.model.is_only_owned() && self.state.cap.is_some_and(is_full)
    }

    pub(crate) fn check_guards(&self) {
        let (guards, model) = (self.map.guards(), &self.state.model);
        let mut seen: Vec<_> = guards.iter().map(|holder| (holder.pending.entries as usize, holder.guards)).collect();
        seen.sort_unstable();
        let expected = model.holders();
        // Of what the thread unlinks beside an older guard of its own, a session of no thread is told all or nothing, and of what is
        // saved up nothing.
        let last = model.owned.iter().max();
        let is_older = last.is_none_or(|last| model.of_the_thread().all(|guard| guard > *last));
        if last.is_none() || is_older && self.state.batch == 0 {
            assert_eq!(seen, expected, "what waits for the oldest guard, and how many there are");
        }
        let counts = |holders: &[(usize, usize)]| holders.iter().map(|(_, guards)| *guards).sum::<usize>();
        assert_eq!((seen.len(), counts(&seen)), (expected.len(), counts(&expected)), "{guards}");
        assert!(seen.iter().zip(&expected).all(|((waits, _), (most, _))| waits <= most), "{guards}");
    }

    pub(crate) fn keep(&mut self, key: u8) {
        let taken = self.state.model.take_guard();
        let expected = self.state.model.pair(key);
        match lit(self.state.fuse(), || self.map.get(&key)).flatten() {
            Some(found) => {
                let pair = expected.expect("what is found is there");
                self.kept.push(Kept { taken, pair, reference: Reference::Found(found) });
            }
            // Or a panic.
            None => self.state.model.drop_guard(taken),
        }
    }

    pub(crate) fn keep_removed(&mut self, key: u8) {
        if self.would_wait(1) {
            return;
        }
        let fuse = self.state.fuse();
        let before = fuse.map(|_| self.state.model.clone());
        let taken = self.state.model.take_guard();
        let expected = self.state.model.pair(key);
        self.state.model.remove(key);
        let removed = lit(fuse, || self.map.remove_entry(&key));
        match (removed, expected, before) {
            (Some(Some(removed)), Some(pair), _) => {
                self.kept.push(Kept { taken, pair, reference: Reference::Removed(self.state.model.clock, removed) });
            }
            (Some(None), None, _) => self.state.model.drop_guard(taken),
            (None, _, Some(before)) => self.half_done(before),
            (removed, expected, _) => panic!("{removed:?} was removed, and not {expected:?}"),
        }
        self.kept.iter().for_each(Kept::look);
    }

    fn kept(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.kept.len())
    }

    pub(crate) fn let_go(&mut self, number: usize) {
        let Some(index) = self.kept(number) else { return };
        let kept = self.kept.swap_remove(index);
        kept.look();
        let taken = kept.taken;
        lit(self.state.fuse(), || drop(kept));
        self.state.model.drop_guard(taken);
    }

    /// Takes a removed pair by value, if nobody else can see it.
    pub(crate) fn take(&mut self, number: usize) {
        let Some(index) = self.kept(number) else { return };
        if matches!(self.kept[index].reference, Reference::Found(_)) {
            return;
        }
        let Kept { taken, pair: expected, reference } = self.kept.swap_remove(index);
        let Reference::Removed(when, removed) = reference else { unreachable!("it was just seen") };
        let is_alone = self.state.model.guards.iter().filter(|guard| **guard < when).count() == 1;
        match lit(self.state.fuse(), || removed.try_into_owned()) {
            Some(Err(removed)) => {
                assert!(!is_alone, "nobody else looks");
                let reference = Reference::Removed(when, removed);
                self.kept.push(Kept { taken, pair: expected, reference });
            }
            taken_out => {
                assert!(is_alone, "another guard was live at the removal");
                self.state.by_value += 1;
                if let Some(Ok((key, value))) = taken_out {
                    assert_eq!(pair((&key, &value)), expected);
                }
                self.state.model.drop_guard(taken);
            }
        }
    }

    pub(crate) fn hold_in_session(&mut self, owned: bool, key: u8, meanwhile: &[Op]) {
        let before = self.state.model.value(key);
        let (guard, session) = self.open(owned);
        let found = in_session!(&session, session => session.get(&key));
        assert_eq!(found.map(Numbered::number), before);
        self.perform_all(meanwhile);
        assert_eq!(found.map(Numbered::number), before, "a reference that was held");
        lit(self.state.fuse(), || drop(session));
        self.state.model.drop_guard(guard);
    }

    /// C2: whatever comes and goes meanwhile, each key that is there throughout is met once, and none twice.
    pub(crate) fn iterate(&mut self, owned: bool, ops: &[Op]) {
        let (guard, session) = self.open(owned);
        let mut throughout: BTreeSet<u8> = self.state.model.entries.keys().copied().collect();
        let (mut met, mut ops) = (BTreeSet::new(), ops.iter());
        for (key, value) in in_session!(&session, session => session.iter()) {
            assert_eq!(
                Some((key, value).number()),
                self.state.model.value(**key),
                "what the iteration yields is there"
            );
            assert!(met.insert(**key), "key {key:?} was met twice");
            if let Some(op) = ops.next() {
                self.perform(None, op);
                throughout.retain(|key| self.state.model.entries.contains_key(key));
            }
        }
        assert!(met.is_superset(&throughout), "met {met:?}, and {throughout:?} were there throughout");
        lit(self.state.fuse(), || drop(session));
        self.state.model.drop_guard(guard);
    }
}
