//! The maps that are compared: [`Peer`] is a kind of map, [`Way`] a way to read one.
//!
//! All have the same hasher, and the settings that they come with.

mod capacity;
mod peers;
mod ways;

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

pub use foldhash::fast::FixedState;

pub use capacity::Roomy;
pub use peers::*;
pub use ways::*;

/// What values are looked up by.
pub trait Key: Borrow<Self::Query> + Clone + Debug + Ord + Hash + Send + Sync + 'static {
    /// What is asked for: not the key itself, which would have to be owned.
    type Query: ?Sized + Hash + Ord + Sync;

    /// The key of a number.
    fn of(number: u64) -> Self;
}

/// What keys are mapped to.
pub trait Value: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// The value of a number.
    fn of(number: u64) -> Self;

    /// The number. Touches the value.
    fn number(&self) -> u64;
}

/// A kind of map that threads share.
pub trait Peer: 'static {
    const NAME: &'static str;
    type Map<K: Key, V: Value>: Send + Sync;

    /// An empty one.
    fn empty<K: Key, V: Value>() -> Self::Map<K, V>;

    /// One with these pairs, as its documentation recommends to make it. No key comes twice.
    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        let map = Self::empty();
        pairs.for_each(|(key, value)| Self::fill_in(&map, key, value));
        map
    }

    /// Inserts a new key. Not what is measured.
    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V);
}

/// A kind of map that threads change while others read, one call at a time.
pub trait Writable: Peer {
    /// How removed values are dropped, if that is a choice.
    const POLICY: &'static str = "";

    /// Inserts or overwrites.
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V);

    /// Removes, and tells whether there was something.
    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool;

    /// Reads in one call.
    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64>;

    /// Reads, and writes what `next` makes of it. Atomic where the map has such a call.
    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool;

    /// Visits `count` entries at most; tells how many.
    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize;
}

/// What stands between a reader and the removal of what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Each call takes a guard or lock of its own, and gives it back.
    OneShot,
    /// One guard for many reads.
    Session,
    /// A handle that a thread keeps, and which lets reclamation pass at each read.
    Handle,
    /// Nothing: nobody else may have the map. The limit of what can be reached.
    Unshared,
}

/// A way to read a kind of map.
pub trait Way: 'static {
    type Peer: Peer;
    /// How the call is written.
    const CALL: &'static str;
    const PROTECTION: Protection;
    type Reader<'m, K: Key, V: Value>: Read<K, V>;

    fn open<K: Key, V: Value>(map: &MapOf<Self, K, V>) -> Self::Reader<'_, K, V>;
}

/// The map that is read in this way.
pub type MapOf<W, K, V> = <<W as Way>::Peer as Peer>::Map<K, V>;

/// A map, opened for reading by one thread.
pub trait Read<K: Key, V> {
    fn read(&mut self, key: &K::Query) -> Option<u64>;
}
