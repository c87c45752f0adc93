//! What is recorded: the map's calls, made one-shot or in sessions, with their results as the model has them.

use std::cell::Cell;
use std::hash::{BuildHasher, Hash, Hasher};

use tidymap::{Compute, HashMap, Operation, Ref};

use crate::history::Script;
use crate::model::{Call, Next, Outcome, Value, wanted};

/// A key that takes its time to be compared. The map compares keys between the moment at which it begins a search and the one
/// at which it acts on what it found: that is where others should come in between.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) struct Key(pub(crate) usize);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        dawdle();
        self.0 == other.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Lets other threads go first, now and then.
pub(crate) fn dawdle() {
    thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
    }
    CALLS.set(CALLS.get().wrapping_add(1));
    if CALLS.get() % 8 == 0 {
        std::thread::yield_now();
    }
}

pub(crate) type Map<S> = HashMap<Key, Value, S>;

/// A map, and a way to make calls on it.
pub(crate) trait Subject: Default + Sync {
    type Hasher: BuildHasher + Sync;

    fn map(&self) -> &Map<Self::Hasher>;

    fn perform(&self, key: usize, call: Call) -> Outcome;

    /// Makes the next calls of a thread.
    fn follow(&self, script: &mut Script<'_>, calls: usize) {
        (0..calls).for_each(|_| script.record(|key, call| self.perform(key, call)));
    }
}

/// A `Ref`, or what a session has in its place.
trait Pair {
    fn read(&self) -> Value;
}

impl Pair for Ref<'_, Key, Value> {
    fn read(&self) -> Value {
        **self
    }
}

impl Pair for &Value {
    fn read(&self) -> Value {
        **self
    }
}

impl Pair for (&Key, &Value) {
    fn read(&self) -> Value {
        *self.1
    }
}

/// The same for the map and for a session, whose calls differ only in what kind of pair they return.
macro_rules! perform {
    ($map:expr, $key:expr, $call:expr) => {{
        let (map, key) = ($map, Key($key));
        // What a closure saw when it was last asked, which is what the call acted on.
        let saw = Cell::new(None);
        match $call {
            Call::Get => Outcome::Found(map.get(&key).map(|found| found.read())),
            Call::ContainsKey => Outcome::Present(map.contains_key(&key)),
            Call::Insert(value) => Outcome::Old(map.insert(key, value).map(|old| old.read())),
            Call::TryInsert(value) => match map.try_insert(key, value) {
                Ok(new) => Outcome::Inserted(new.read()),
                Err(occupied) => Outcome::Kept(Some(occupied.entry.read())),
            },
            Call::GetOrInsert(value) => Outcome::Found(Some(map.get_or_insert(key, value).read())),
            Call::Update(value) => {
                let updated = map.update(&key, |old| {
                    saw.set(Some(*old));
                    dawdle();
                    value
                });
                match (saw.get(), updated) {
                    (Some(old), Some(new)) => Outcome::Updated { old, new: new.read() },
                    (_, None) | (None, _) => Outcome::Kept(None),
                }
            }
            Call::CompareExchange { expected, new } => match map.compare_exchange(&key, &expected, new) {
                Ok(old) => Outcome::Old(Some(old.read())),
                Err(error) => Outcome::Kept(error.current.map(|current| current.read())),
            },
            Call::Compute(value) => {
                let computed = map.compute(key, |old| {
                    let old = old.map(|(_, old)| *old);
                    dawdle();
                    match Next::after(old) {
                        Next::Insert => Operation::Insert(value),
                        Next::Remove => Operation::Remove,
                        Next::Abort => Operation::Abort(old),
                    }
                });
                match computed {
                    Compute::Inserted(new) => Outcome::Inserted(new.read()),
                    Compute::Updated { old, new } => Outcome::Updated { old: old.read(), new: new.read() },
                    Compute::Removed(old) => Outcome::Old(Some(old.read())),
                    Compute::Absent => Outcome::Old(None),
                    Compute::Aborted(old) => Outcome::Kept(old),
                }
            }
            Call::Remove => Outcome::Old(map.remove(&key).map(|old| old.read())),
            Call::RemoveIf => {
                let removed = map.remove_if(&key, |_, value| {
                    dawdle();
                    wanted(*value)
                });
                match removed {
                    Ok(old) => Outcome::Old(old.map(|old| old.read())),
                    Err(kept) => Outcome::Kept(Some(kept.read())),
                }
            }
            Call::Clear => {
                map.clear();
                Outcome::Cleared
            }
        }
    }};
}

/// Each call under a guard of its own.
#[derive(Default)]
pub(crate) struct OneShot<S>(Map<S>);

impl<S: BuildHasher + Default + Sync> Subject for OneShot<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        &self.0
    }

    fn perform(&self, key: usize, call: Call) -> Outcome {
        perform!(&self.0, key, call)
    }
}

/// Several calls to a session.
#[derive(Default)]
pub(crate) struct InSessions<S>(Map<S>);

impl<S: BuildHasher + Default + Sync> Subject for InSessions<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        &self.0
    }

    fn perform(&self, key: usize, call: Call) -> Outcome {
        perform!(&self.0.pin(), key, call)
    }

    fn follow(&self, script: &mut Script<'_>, calls: usize) {
        let mut left = calls;
        while left > 0 {
            let session = self.0.pin();
            let some = left.min(1 + script.below(8));
            (0..some).for_each(|_| script.record(|key, call| perform!(&session, key, call)));
            left -= some;
        }
    }
}
