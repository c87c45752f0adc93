//! Keys and values that know whether they are right, and whether they are alive.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use tidymap::HashMap;

use crate::common::{Counted, Ledger};

/// A key's value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Sealed {
    key: u64,
    number: u64,
    seal: u64,
}

impl Sealed {
    pub(crate) fn new(key: u64, number: u64) -> Sealed {
        Sealed { key, number, seal: key.rotate_left(32) ^ number ^ 0x5EA1 }
    }

    /// Fails if this is not, or not any more, a value of `key`. Returns its number.
    pub(crate) fn open(&self, key: u64) -> u64 {
        assert_eq!(*self, Sealed::new(key, self.number), "a wrong value of key {key}");
        self.number
    }
}

pub(crate) type Key<'l> = Counted<'l, u64>;
pub(crate) type Value<'l> = Counted<'l, Sealed>;
pub(crate) type Map<'l, S> = HashMap<Key<'l>, Value<'l>, S>;

#[derive(Default)]
pub(crate) struct Ledgers {
    pub(crate) keys: Ledger,
    pub(crate) values: Ledger,
}

impl Ledgers {
    pub(crate) fn key(&self, key: u64) -> Key<'_> {
        self.keys.make(key)
    }

    pub(crate) fn value(&self, key: u64, number: u64) -> Value<'_> {
        self.values.make(Sealed::new(key, number))
    }

    /// Fails unless what is alive is what is in the map. No other thread may be using it.
    pub(crate) fn assert_settled<S: BuildHasher>(&self, map: &Map<'_, S>) {
        // First without the map's help: figures take a guard, and whoever takes one cleans up.
        let alive = (self.keys.live(), self.values.live());
        assert_eq!(alive, (map.len(), map.len()), "keys and values that are alive");
        let stats = map.stats();
        assert_eq!((stats.pending.entries, stats.live_guards), (0, 0), "{stats:?}");
        assert_eq!(stats.retired, stats.freed);
        let session = map.pin();
        let keys: BTreeSet<u64> = session.keys().map(|key| **key).collect();
        assert_eq!(keys.len(), map.len(), "len, and the keys that are there");
        for (key, value) in &session {
            value.open(**key);
            assert!(session.get(&**key).is_some_and(|found| found.id() == value.id()), "get finds what iter yields");
        }
        self.keys.assert_alive(session.keys());
        self.values.assert_alive(session.values());
    }

    pub(crate) fn assert_all_gone(&self) {
        assert_eq!((self.keys.live(), self.values.live()), (0, 0), "left after the map is gone");
    }
}
