//! Steps with many keys at once.

use std::hash::BuildHasher;

use crate::answers::Numbered;
use crate::common::fuse::{burn, lit};
use crate::run::Run;
use crate::world::{Payload, in_session};

/// Each once.
fn distinct(keys: &[u8]) -> Vec<u8> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl<P, S> Run<'_, '_, P, S>
where
    P: Payload,
    S: BuildHasher + Clone,
{
    pub(crate) fn insert_many(&mut self, session: Option<usize>, keys: &[u8]) {
        if session.is_none() && self.would_wait(keys.len()) {
            return;
        }
        let fuse = self.state.fuse();
        let before = fuse.map(|_| self.state.model.clone());
        // After a panic a key has the value from before, or the one after all: none between.
        let keys = if fuse.is_some() { distinct(keys) } else { keys.to_vec() };
        let (id, mut new) = (self.state.world.keys.made(), 0);
        for (number, key) in (0..).zip(&keys) {
            let value = self.state.world.next_value(*key) + 256 * number;
            new += usize::from(self.state.model.insert(*key, id + number, value).is_none());
        }
        let inserted = lit(fuse, || {
            let pairs = keys.iter().map(|key| (self.state.world.key(*key), self.state.world.value(*key)));
            match session {
                Some(session) => in_session!(&self.sessions[session].1, session => session.insert_many(pairs)),
                None => self.map.insert_many(pairs),
            }
        });
        self.compare(inserted.map(|inserted| assert_eq!(inserted, new, "new keys")), before);
    }

    pub(crate) fn remove_many(&mut self, session: Option<usize>, keys: &[u8]) {
        if session.is_none() && self.would_wait(keys.len()) {
            return;
        }
        let fuse = self.state.fuse();
        let before = fuse.map(|_| self.state.model.clone());
        let there = keys.iter().filter(|key| self.state.model.remove(**key).is_some()).count();
        let removed = lit(fuse, || {
            let keys = keys.iter().inspect(|_| burn());
            match session {
                Some(session) => in_session!(&self.sessions[session].1, session => session.remove_many(keys)),
                None => self.map.remove_many(keys),
            }
        });
        self.compare(removed.map(|removed| assert_eq!(removed, there, "keys that were there")), before);
    }

    pub(crate) fn get_many(&mut self, keys: &[u8]) {
        let expected: Vec<_> = keys.iter().map(|key| self.state.model.value(*key)).collect();
        let guard = self.state.model.take_guard();
        lit(self.state.fuse(), || {
            let session = self.map.pin();
            let found = session.get_many(keys);
            assert_eq!(found.len(), keys.len());
            assert_eq!(found.map(|value| value.map(Numbered::number)).collect::<Vec<_>>(), expected);
        });
        self.state.model.drop_guard(guard);
    }

    /// After a call that has changed the map, or panicked.
    fn compare(&mut self, done: Option<()>, before: Option<crate::model::Model>) {
        match (done, before) {
            (Some(()), _) => self.check_contents(),
            (None, Some(before)) => self.half_done(before),
            (None, None) => unreachable!("there was no fuse"),
        }
        self.check();
    }
}
