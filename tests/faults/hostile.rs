//! Keys, values, a hasher, closures and a hook: all that a map calls of its user's, and each call may panic.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::panic::panic_any;
use std::sync::Once;
use std::thread;

use tidymap::{HashMap, Reclaimed};

use crate::common::{Counted, Ledger};

/// A call of the user's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    BuildHasher,
    CloneHasher,
    HashKey,
    CompareKeys,
    CompareValues,
    CloneKey,
    CloneValue,
    ShowKey,
    ShowValue,
    Closure,
    DropClosure,
    NextOfIterator,
    DropKey,
    DropValue,
    Hook,
}

/// What such a call panics with.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Call);

thread_local! {
    /// How many calls are still to go on this thread before one panics, if one is to.
    static FUSE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Keeps faults out of the output.
pub(crate) fn expect_faults() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Fault>() {
                hook(info);
            }
        }));
    });
}

/// Has the call after so many others panic on this thread.
pub(crate) fn light_fuse(calls: u32) {
    expect_faults();
    FUSE.set(Some(calls));
}

/// True if no call has panicked since it was lit.
pub(crate) fn put_out_fuse() -> bool {
    FUSE.take().is_some()
}

pub(crate) fn call(call: Call) {
    // A second panic would be the end of the process, by Rust's rules.
    if thread::panicking() {
        return;
    }
    match FUSE.get() {
        None => {}
        Some(0) => {
            FUSE.set(None);
            panic_any(Fault(call));
        }
        Some(left) => FUSE.set(Some(left - 1)),
    }
}

#[derive(Default)]
pub(crate) struct Ledgers {
    pub(crate) keys: Ledger,
    pub(crate) values: Ledger,
}

impl Ledgers {
    /// There until the process ends, so that no type has lifetimes.
    pub(crate) fn leaked() -> &'static Ledgers {
        Box::leak(Box::default())
    }

    pub(crate) fn key(&'static self, key: u64) -> Key {
        Key(self.keys.make(key))
    }

    pub(crate) fn value<const WORDS: usize>(&'static self, number: u64) -> Value<WORDS> {
        Value { number: self.values.make(number), armed: false, padding: [0; WORDS] }
    }
}

/// Collides with every fourth other.
pub(crate) struct Key(pub(crate) Counted<'static, u64>);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        call(Call::HashKey);
        (*self.0 % 4).hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        call(Call::CompareKeys);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Clone for Key {
    fn clone(&self) -> Self {
        call(Call::CloneKey);
        Key(self.0.clone())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        call(Call::ShowKey);
        self.0.fmt(f)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        call(Call::DropKey);
    }
}

/// Lives in its entry at first without padding, and never with much of it.
pub(crate) struct Value<const WORDS: usize> {
    pub(crate) number: Counted<'static, u64>,
    /// Panics when it is dropped, whoever drops it.
    armed: bool,
    padding: [u64; WORDS],
}

impl<const WORDS: usize> Value<WORDS> {
    pub(crate) fn armed(mut self) -> Self {
        expect_faults();
        self.armed = true;
        self
    }
}

impl<const WORDS: usize> PartialEq for Value<WORDS> {
    fn eq(&self, other: &Self) -> bool {
        call(Call::CompareValues);
        self.number == other.number
    }
}

impl<const WORDS: usize> Clone for Value<WORDS> {
    fn clone(&self) -> Self {
        call(Call::CloneValue);
        Value { number: self.number.clone(), armed: false, padding: self.padding }
    }
}

impl<const WORDS: usize> fmt::Debug for Value<WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        call(Call::ShowValue);
        self.number.fmt(f)
    }
}

impl<const WORDS: usize> Drop for Value<WORDS> {
    fn drop(&mut self) {
        call(Call::DropValue);
        if self.armed && !thread::panicking() {
            panic_any(Fault(Call::DropValue));
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct State;

impl BuildHasher for State {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        call(Call::BuildHasher);
        DefaultHasher::new()
    }
}

impl Clone for State {
    fn clone(&self) -> Self {
        call(Call::CloneHasher);
        State
    }
}

/// What a closure has captured.
pub(crate) struct Captive;

impl Captive {
    /// Called in the closure, which keeps it for that.
    pub(crate) fn call(&self) {
        call(Call::Closure);
    }
}

impl Drop for Captive {
    fn drop(&mut self) {
        call(Call::DropClosure);
    }
}

/// Pairs for `extend`.
pub(crate) struct Pairs<const WORDS: usize>(pub(crate) std::ops::Range<u64>, pub(crate) &'static Ledgers);

impl<const WORDS: usize> Iterator for Pairs<WORDS> {
    type Item = (Key, Value<WORDS>);

    fn next(&mut self) -> Option<Self::Item> {
        call(Call::NextOfIterator);
        self.0.next().map(|number| (self.1.key(number), self.1.value(number)))
    }
}

pub(crate) type Map<const WORDS: usize> = HashMap<Key, Value<WORDS>, State>;

/// A map; with a hook that drops what it is given, if it comes to that.
pub(crate) fn map<const WORDS: usize>(hook: bool) -> Map<WORDS> {
    let builder = HashMap::builder().hasher(State);
    if !hook {
        return builder.build();
    }
    let hook = |given: Reclaimed<Key, Value<WORDS>>| {
        call(Call::Hook);
        drop(given);
    };
    builder.on_reclaim(hook).build()
}

/// Keys from 0 on, some in the read table and some not.
pub(crate) fn fill<const WORDS: usize>(map: &Map<WORDS>, ledgers: &'static Ledgers, keys: u64) {
    for key in 0..keys {
        map.insert(ledgers.key(key), ledgers.value(key));
        if key == keys / 2 {
            map.shrink_to_fit();
        }
    }
}

/// Fails unless what is alive is what is in the map, nobody holds a guard, and nothing waits or is locked.
pub(crate) fn assert_whole<const WORDS: usize>(map: &Map<WORDS>, ledgers: &'static Ledgers, when: &str) {
    // First without the map's help: whoever takes a guard cleans up.
    assert_eq!((ledgers.keys.live(), ledgers.values.live()), (map.len(), map.len()), "{when}: keys, values alive");
    assert!(map.guards().is_empty(), "{when}: {}", map.guards());
    assert_eq!(map.in_flight(), 0, "{when}");
    let stats = map.stats();
    assert_eq!((stats.pending.entries, stats.live_guards, stats.retired - stats.freed), (0, 0, 0), "{when}");
    {
        let session = map.pin();
        ledgers.keys.assert_alive(session.keys().map(|key| &key.0));
        ledgers.values.assert_alive(session.values().map(|value| &value.number));
        assert_eq!(session.iter().count(), map.len(), "{when}");
    }
    // With the mutex, and without.
    map.insert(ledgers.key(1000), ledgers.value(1));
    map.insert(ledgers.key(1000), ledgers.value(2));
    assert!(map.remove(&ledgers.key(1000)).is_some_and(|value| *value.number == 2), "{when}: it is usable");
    assert_eq!(map.reclaim(), Ok(()), "{when}");
    assert_eq!(ledgers.values.live(), map.len(), "{when}");
}

/// Fails unless all has been dropped, once.
pub(crate) fn assert_gone(ledgers: &Ledgers, when: &str) {
    assert_eq!((ledgers.keys.live(), ledgers.values.live()), (0, 0), "{when}: left after the map");
}
