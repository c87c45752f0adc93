//! What the map should be.

use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(crate) struct Model {
    /// The id of the stored key, and the number of the value.
    pub(crate) entries: BTreeMap<u8, (u64, u64)>,
    /// Moves on with whatever happens.
    pub(crate) clock: u64,
    /// When each of the live guards was taken.
    pub(crate) guards: Vec<u64>,
    /// Those of them that belong to an owner, and to no thread.
    pub(crate) owned: Vec<u64>,
    /// What has been unlinked and is kept by a guard.
    pub(crate) pending: Vec<Unlinked>,
}

#[derive(Clone, Copy)]
pub(crate) struct Unlinked {
    pub(crate) when: u64,
    /// With its key: removed, not overwritten.
    pub(crate) entry: bool,
}

impl Model {
    pub(crate) fn now(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    pub(crate) fn value(&self, key: u8) -> Option<u64> {
        self.entries.get(&key).map(|(_, value)| *value)
    }

    pub(crate) fn pair(&self, key: u8) -> Option<(u8, u64, u64)> {
        self.entries.get(&key).map(|(id, value)| (key, *id, *value))
    }

    /// Makes `value` the key's value, and returns the one before.
    pub(crate) fn insert(&mut self, key: u8, id: u64, value: u64) -> Option<u64> {
        let when = self.now();
        match self.entries.get_mut(&key) {
            Some((_, current)) => {
                self.pending.push(Unlinked { when, entry: false });
                Some(std::mem::replace(current, value))
            }
            None => {
                self.entries.insert(key, (id, value));
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, key: u8) -> Option<u64> {
        let when = self.now();
        let (_, value) = self.entries.remove(&key)?;
        self.pending.push(Unlinked { when, entry: true });
        Some(value)
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(u8) -> bool) {
        for key in self.entries.keys().copied().filter(|key| !keep(*key)).collect::<Vec<_>>() {
            self.remove(key);
        }
    }

    pub(crate) fn take_guard(&mut self) -> u64 {
        let when = self.now();
        self.guards.push(when);
        when
    }

    /// One of no thread.
    pub(crate) fn take_owned_guard(&mut self) -> u64 {
        let when = self.take_guard();
        self.owned.push(when);
        when
    }

    /// Are there guards, and none of them the thread's?
    pub(crate) fn is_only_owned(&self) -> bool {
        !self.guards.is_empty() && self.guards.len() == self.owned.len()
    }

    /// The guards that the thread holds.
    pub(crate) fn of_the_thread(&self) -> impl Iterator<Item = u64> {
        self.guards.iter().copied().filter(|guard| !self.owned.contains(guard))
    }

    /// Of each holder of guards how much waits for the oldest of them, and how many it has.
    pub(crate) fn holders(&self) -> Vec<(usize, usize)> {
        let holders = self.owned.iter().map(|guard| vec![*guard]).chain([self.of_the_thread().collect()]);
        let waits = |oldest: u64| self.pending.iter().filter(|unlinked| unlinked.when > oldest).count();
        let mut all: Vec<_> = holders.filter_map(|guards| Some((waits(*guards.iter().min()?), guards.len()))).collect();
        all.sort_unstable();
        all
    }

    pub(crate) fn drop_guard(&mut self, taken: u64) {
        self.owned.retain(|guard| *guard != taken);
        let place = self.guards.iter().position(|guard| *guard == taken).expect("it is live");
        self.guards.remove(place);
        self.settle();
    }

    /// Forgets what no guard has seen.
    pub(crate) fn settle(&mut self) {
        let oldest = self.guards.iter().min().copied().unwrap_or(u64::MAX);
        self.pending.retain(|unlinked| unlinked.when > oldest);
    }
}
