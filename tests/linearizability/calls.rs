//! The calls that are recorded, on a map and in a session, with their results as the model has them.

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher};

use tidymap::{Compute, HashMap, Operation, Pinned, ReclaimError, Ref, Removed};

use crate::model::{Call, KEYS, Next, Outcome, State, Value, wanted};

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

/// What a call that visits all keys has to say of each.
pub(crate) type Sweep = [Outcome; KEYS];

/// Makes calls on a map.
pub(crate) trait Calls {
    fn perform(&self, key: usize, call: Call) -> Outcome;

    /// A call that visits all keys, of which so many are recorded.
    fn sweep(&self, keys: usize, call: Call) -> Sweep;
}

/// A `Ref`, or what a session has in its place.
pub(crate) trait Pair {
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
    ($map:expr, $key:expr, $call:expr, $read:expr, $remove_entry:expr, $remove_owned:expr) => {{
        let (map, key) = ($map, Key($key));
        // What a closure saw when it was last asked, which is what the call acted on.
        let saw = Cell::new(None);
        let successor = |value: Value| {
            let saw = &saw;
            move |old: &Value| {
                saw.set(Some(*old));
                dawdle();
                value
            }
        };
        let made = |value: Value| {
            dawdle();
            value
        };
        let updated_or_inserted = |new: Value| match saw.get() {
            Some(old) if !new.is_first() => Outcome::Updated { old, new },
            _ => Outcome::Inserted(new),
        };
        match $call {
            Call::Get => Outcome::Found(map.get(&key).map(|found| found.read())),
            Call::Read => Outcome::Found($read(map, &key)),
            Call::ContainsKey => Outcome::Present(map.contains_key(&key)),
            Call::Insert(value) => Outcome::Old(map.insert(key, value).map(|old| old.read())),
            Call::TryInsert(value) => match map.try_insert(key, value) {
                Ok(new) => Outcome::Inserted(new.read()),
                Err(occupied) => Outcome::Kept(Some(occupied.entry.read())),
            },
            Call::GetOrInsert(value) => Outcome::Found(Some(map.get_or_insert(key, value).read())),
            Call::GetOrInsertWith(value) => Outcome::Found(Some(map.get_or_insert_with(key, || made(value)).read())),
            Call::Update(value) => {
                let updated = map.update(&key, successor(value));
                match (saw.get(), updated) {
                    (Some(old), Some(new)) => Outcome::Updated { old, new: new.read() },
                    (_, None) | (None, _) => Outcome::Kept(None),
                }
            }
            Call::UpdateOrInsert(value) => {
                updated_or_inserted(map.update_or_insert(key, successor(value), value.first()).read())
            }
            Call::UpdateOrInsertWith(value) => {
                let new = map.update_or_insert_with(key, successor(value), || made(value.first()));
                updated_or_inserted(new.read())
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
            Call::RemoveEntry => Outcome::Old($remove_entry(map, &key)),
            Call::RemoveOwned => Outcome::Old($remove_owned(map, &key)),
            Call::InsertMany(value) => {
                let [before, after] = unused(value);
                let new = map.insert_many([(before, value), (key, value), (after, value)]);
                Outcome::Present(new == 2)
            }
            Call::RemoveMany => Outcome::Present(map.remove_many(&[NEVER_USED, key, NEVER_USED]) == 1),
            Call::Clear => {
                map.clear();
                Outcome::Done
            }
            Call::Iterate | Call::GetMany | Call::InsertAll(_) | Call::RemoveAll | Call::Retain => {
                unreachable!("a sweep")
            }
        }
    }};
}

/// Keys that no other call uses.
fn unused(by: Value) -> [Key; 2] {
    let first = usize::MAX / 4 + (usize::from(by.thread) << 16 | usize::from(by.number)) * 2;
    [Key(first), Key(first + 1)]
}

const ALL: [Key; KEYS] = [Key(0), Key(1), Key(2), Key(3)];
const NEVER_USED: Key = Key(usize::MAX / 2);

/// A call that visits all of the first `$keys` keys, and what it says of each. Says so if an iteration, or `retain`, meets a key twice.
macro_rules! sweep {
    ($map:expr, $session:expr, $keys:expr, $call:expr) => {
        match $call {
            Call::GetMany => {
                let found: Vec<Option<Value>> = $session.get_many(&ALL[..$keys]).map(|found| found.copied()).collect();
                std::array::from_fn(|key| Outcome::Found(found.get(key).copied().flatten()))
            }
            Call::InsertAll(value) => {
                $map.insert_many(ALL[..$keys].iter().map(|key| (*key, value)));
                [Outcome::Done; KEYS]
            }
            Call::RemoveAll => {
                $map.remove_many(&ALL[..$keys]);
                [Outcome::Done; KEYS]
            }
            Call::Iterate => {
                let mut met = Met::default();
                $session.iter().for_each(|(key, value)| met.meet(*key, *value));
                met.sweep(|value| Outcome::Found(Some(value)))
            }
            _ => {
                let mut met = Met::default();
                $map.retain(|key, value| {
                    dawdle();
                    met.ask(*key, *value)
                });
                met.sweep(|value| if wanted(value) { Outcome::Old(Some(value)) } else { Outcome::Kept(Some(value)) })
            }
        }
    };
}

/// What a sweep has met, of the keys that are recorded and of others.
#[derive(Default)]
struct Met {
    recorded: State,
    others: HashSet<usize>,
}

impl Met {
    fn meet(&mut self, key: Key, value: Value) {
        let twice = match self.recorded.get_mut(key.0) {
            Some(place) => place.replace(value).is_some(),
            None => !self.others.insert(key.0),
        };
        assert!(!twice, "{key:?} was met twice (C2)");
    }

    /// For `retain`: is it to stay? Asked again of what was to go, if that has been overwritten.
    fn ask(&mut self, key: Key, value: Value) -> bool {
        let Some(place) = self.recorded.get_mut(key.0) else { return true };
        let before = place.replace(value);
        assert!(before.is_none_or(|before| wanted(before) && before != value), "{key:?} was asked for twice (C2)");
        !wanted(value)
    }

    fn sweep(self, of: impl Fn(Value) -> Outcome) -> Sweep {
        self.recorded.map(|met| met.map_or(Outcome::Found(None), &of))
    }
}

impl<S: BuildHasher> Calls for Map<S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        // Two ways to look that are not `get`, in turn.
        let read = |map: &Map<S>, key: &Key| match key.0 % 2 {
            0 => map.read(key, |_, value| *value),
            _ => map.get_cloned(key),
        };
        let remove_entry = |map: &Map<S>, key: &Key| {
            let removed = map.remove_entry(key)?;
            Some(removed.try_into_owned().map_or_else(|removed: Removed<'_, _, _>| *removed, |(_, value)| value))
        };
        let remove_owned = |map: &Map<S>, key: &Key| {
            let removed = map.remove_owned(key).expect("this thread holds no guard");
            removed.map(|(_, value)| value)
        };
        perform!(self, key, call, read, remove_entry, remove_owned)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        sweep!(self, self.pin(), keys, call)
    }
}

impl<S: BuildHasher> Calls for Pinned<'_, Key, Value, S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        let read = |session: &Self, key: &Key| session.get_key_value(key).map(|pair| pair.read());
        let remove_entry = |session: &Self, key: &Key| session.remove_entry(key).map(|pair| pair.read());
        // Refused in a session; so a one-shot call in the midst of it takes its place.
        let remove_owned = |session: &Self, key: &Key| {
            assert_eq!(session.map().remove_owned(key), Err(ReclaimError::GuardHeld));
            session.map().remove(key).map(|old| old.read())
        };
        perform!(self, key, call, read, remove_entry, remove_owned)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        sweep!(self, self, keys, call)
    }
}
