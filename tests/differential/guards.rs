//! Steps that hold guards while others are done.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use tidymap::{Ref, Removed};

use crate::answers::{Numbered, pair};
use crate::common::fuse::lit;
use crate::run::Run;
use crate::steps::Op;
use crate::world::{Key, Payload, Value};

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

impl<P, S> Run<'_, '_, P, S>
where
    P: Payload,
    S: BuildHasher + Clone,
{
    pub(crate) fn keep(&mut self, key: u8) {
        let taken = self.model.take_guard();
        let expected = self.model.pair(key);
        match lit(self.fuse(), || self.map.get(&key)).flatten() {
            Some(found) => {
                let pair = expected.expect("what is found is there");
                self.kept.push(Kept { taken, pair, reference: Reference::Found(found) });
            }
            // Or a panic.
            None => self.model.drop_guard(taken),
        }
    }

    pub(crate) fn keep_removed(&mut self, key: u8) {
        let fuse = self.fuse();
        let before = fuse.map(|_| self.model.clone());
        let taken = self.model.take_guard();
        let expected = self.model.pair(key);
        self.model.remove(key);
        let removed = lit(fuse, || self.map.remove_entry(&key));
        match (removed, expected, before) {
            (Some(Some(removed)), Some(pair), _) => {
                self.kept.push(Kept { taken, pair, reference: Reference::Removed(self.model.clock, removed) });
            }
            (Some(None), None, _) => self.model.drop_guard(taken),
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
        lit(self.fuse(), || drop(kept));
        self.model.drop_guard(taken);
    }

    /// Takes a removed pair by value, if nobody else can see it.
    pub(crate) fn take(&mut self, number: usize) {
        let Some(index) = self.kept(number) else { return };
        if matches!(self.kept[index].reference, Reference::Found(_)) {
            return;
        }
        let Kept { taken, pair: expected, reference } = self.kept.swap_remove(index);
        let Reference::Removed(when, removed) = reference else { unreachable!("it was just seen") };
        let is_alone = self.model.guards.iter().filter(|guard| **guard < when).count() == 1;
        match lit(self.fuse(), || removed.try_into_owned()) {
            Some(Err(removed)) => {
                assert!(!is_alone, "nobody else looks");
                let reference = Reference::Removed(when, removed);
                self.kept.push(Kept { taken, pair: expected, reference });
            }
            taken_out => {
                assert!(is_alone, "another guard was live at the removal");
                self.by_value += 1;
                if let Some(Ok((key, value))) = taken_out {
                    assert_eq!(pair((&key, &value)), expected);
                }
                self.model.drop_guard(taken);
            }
        }
    }

    pub(crate) fn hold_in_session(&mut self, key: u8, meanwhile: &[Op]) {
        let before = self.model.value(key);
        let map = self.map;
        let guard = self.model.take_guard();
        let session = map.pin();
        let found = session.get(&key);
        assert_eq!(found.map(Numbered::number), before);
        self.perform_all(meanwhile);
        assert_eq!(found.map(Numbered::number), before, "a reference that was held");
        lit(self.fuse(), || drop(session));
        self.model.drop_guard(guard);
    }

    /// C2: whatever comes and goes meanwhile, each key that is there throughout is met once, and none twice.
    pub(crate) fn iterate(&mut self, ops: &[Op]) {
        let map = self.map;
        let guard = self.model.take_guard();
        let session = map.pin();
        let mut throughout: BTreeSet<u8> = self.model.entries.keys().copied().collect();
        let (mut met, mut ops) = (BTreeSet::new(), ops.iter());
        for (key, value) in &session {
            assert_eq!(Some((key, value).number()), self.model.value(**key), "what the iteration yields is there");
            assert!(met.insert(**key), "key {key:?} was met twice");
            if let Some(op) = ops.next() {
                self.perform(None, op);
                throughout.retain(|key| self.model.entries.contains_key(key));
            }
        }
        assert!(met.is_superset(&throughout), "met {met:?}, and {throughout:?} were there throughout");
        lit(self.fuse(), || drop(session));
        self.model.drop_guard(guard);
    }
}
