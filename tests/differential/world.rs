//! Keys and values: numbered, counted, and known to each other.

use std::cell::Cell;
use std::fmt::Debug;

use tidymap::{HashMap, OwnedPinned, Pinned};

use crate::common::fuse::burn;
use crate::common::{Counted, Ledger};
use crate::steps::Expected;

/// What values are made of. Each number is used once, and says which key it belongs to.
pub(crate) trait Payload: Copy + PartialEq + Debug {
    fn new(number: u64) -> Self;
    fn number(self) -> u64;
}

/// Small enough to live in an entry.
impl Payload for u64 {
    fn new(number: u64) -> Self {
        number
    }

    fn number(self) -> u64 {
        self
    }
}

/// Too large for that.
impl Payload for [u64; 9] {
    fn new(number: u64) -> Self {
        [number; 9]
    }

    fn number(self) -> u64 {
        assert_eq!(self, [self[0]; 9]);
        self[0]
    }
}

pub(crate) type Key<'l> = Counted<'l, u8>;
pub(crate) type Value<'l, P> = Counted<'l, P>;
pub(crate) type Map<'l, P, S> = HashMap<Key<'l>, Value<'l, P>, S>;

/// Of either kind.
pub(crate) enum Session<'m, 'l, P, S> {
    OfItsThread(Pinned<'m, Key<'l>, Value<'l, P>, S>),
    OfItsOwner(OwnedPinned<'m, Key<'l>, Value<'l, P>, S>),
}

impl<P, S> Session<'_, '_, P, S> {
    pub(crate) fn is_owned(&self) -> bool {
        matches!(self, Session::OfItsOwner(_))
    }
}

/// The same of a session of either kind.
macro_rules! in_session {
    ($session:expr, $pinned:ident => $work:expr) => {
        match $session {
            $crate::world::Session::OfItsThread($pinned) => $work,
            $crate::world::Session::OfItsOwner($pinned) => $work,
        }
    };
}
pub(crate) use in_session;

/// The ledgers of keys and values, and what is needed to make more.
pub(crate) struct World<'l> {
    pub(crate) keys: &'l Ledger,
    pub(crate) values: &'l Ledger,
    pub(crate) values_made: Cell<u64>,
}

impl<'l> World<'l> {
    pub(crate) fn key(&self, key: u8) -> Key<'l> {
        self.keys.make(key)
    }

    /// A value for `key` that differs from all others. What closures do.
    pub(crate) fn value<P: Payload>(&self, key: u8) -> Value<'l, P> {
        burn();
        let number = self.next_value(key);
        self.values_made.set(self.values_made.get() + 1);
        self.values.make(P::new(number))
    }

    /// The number of the value that [`value`](Self::value) will make next.
    pub(crate) fn next_value(&self, key: u8) -> u64 {
        (self.values_made.get() + 1) * 256 + u64::from(key)
    }
}

/// A [`World`] that knows the current values, to make expected ones.
pub(crate) struct Situation<'w, 'l> {
    pub(crate) world: &'w World<'l>,
    pub(crate) current: Option<u64>,
}

impl<'l> Situation<'_, 'l> {
    pub(crate) fn key(&self, key: u8) -> Key<'l> {
        self.world.key(key)
    }

    pub(crate) fn value<P: Payload>(&self, key: u8) -> Value<'l, P> {
        self.world.value(key)
    }

    pub(crate) fn expected<P: Payload>(&self, key: u8, expected: Expected) -> Value<'l, P> {
        let number = match (expected, self.current) {
            (Expected::Current, Some(current)) => current,
            _ => u64::from(key),
        };
        self.world.values.make(P::new(number))
    }
}
