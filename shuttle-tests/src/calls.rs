//! The recorded calls, on the map and in sessions, with their results as the model has them.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};

use tidymap::{Compute, HashMap, Operation, Pinned, Reader, Ref};

use crate::common::{Counted, Ledger};
use crate::model::{Call, Next, Outcome, Value, wanted};
use crate::program::Hashes;

pub(crate) type Stored<'l> = Counted<'l, Value>;
pub(crate) type Map<'l> = HashMap<u64, Stored<'l>, Hashes>;
pub(crate) type ByReader<'m, 'l> = Reader<'m, u64, Stored<'l>, Hashes>;
pub(crate) type Session<'m, 'l> = Pinned<'m, u64, Stored<'l>, Hashes>;

impl BuildHasher for Hashes {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher { hashes: *self, number: 0 }
    }
}

pub(crate) struct NumberHasher {
    hashes: Hashes,
    number: u64,
}

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers");
    }

    fn write_u64(&mut self, number: u64) {
        self.number = number;
    }

    fn finish(&self) -> u64 {
        if self.hashes == Hashes::AllTheSame { 0 } else { self.number }
    }
}

/// A `Ref`, or what a session has in its place.
pub(crate) trait Pair {
    fn read(&self) -> Value;
}

impl Pair for Ref<'_, u64, Stored<'_>> {
    fn read(&self) -> Value {
        **self.value()
    }
}

impl Pair for &Stored<'_> {
    fn read(&self) -> Value {
        ***self
    }
}

impl Pair for (&u64, &Stored<'_>) {
    fn read(&self) -> Value {
        **self.1
    }
}

/// From here on each key is used by one call.
const FIRST_UNUSED: u64 = 1000;
const NEVER_USED: u64 = 999;

/// The same for the map and for a session, whose calls differ only in what kind of pair they return.
macro_rules! perform {
    ($map:expr, $ledger:expr, $key:expr, $call:expr) => {{
        let (map, key, store) = ($map, $key as u64, |value| $ledger.make(value));
        // What a closure saw when it was last asked, which is what the call acted on.
        let saw = Cell::new(None);
        match $call {
            Call::Get => Outcome::Found(map.get(&key).map(|found| found.read())),
            Call::ContainsKey => Outcome::Present(map.contains_key(&key)),
            Call::Insert(value) => Outcome::Old(map.insert(key, store(value)).map(|old| old.read())),
            Call::TryInsert(value) => match map.try_insert(key, store(value)) {
                Ok(new) => Outcome::Inserted(new.read()),
                Err(occupied) => Outcome::Kept(Some(occupied.entry.read())),
            },
            Call::GetOrInsert(value) => Outcome::Found(Some(map.get_or_insert(key, store(value)).read())),
            Call::Update(value) => {
                let updated = map.update(&key, |old| {
                    saw.set(Some(**old));
                    store(value)
                });
                match (saw.get(), updated) {
                    (Some(old), Some(new)) => Outcome::Updated { old, new: new.read() },
                    (_, None) | (None, _) => Outcome::Kept(None),
                }
            }
            Call::CompareExchange { expected, new } => match map.compare_exchange(&key, &store(expected), store(new)) {
                Ok(old) => Outcome::Old(Some(old.read())),
                Err(error) => Outcome::Kept(error.current.map(|current| current.read())),
            },
            Call::Compute(value) => {
                let computed = map.compute(key, |old| {
                    let old = old.map(|(_, old)| **old);
                    match Next::after(old) {
                        Next::Insert => Operation::Insert(store(value)),
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
            Call::RemoveIf => match map.remove_if(&key, |_, value| wanted(**value)) {
                Ok(old) => Outcome::Old(old.map(|old| old.read())),
                Err(kept) => Outcome::Kept(Some(kept.read())),
            },
            Call::InsertMany(value) => {
                let other = FIRST_UNUSED + u64::from(value.thread) * 100 + u64::from(value.number);
                Outcome::Present(map.insert_many([(other, store(value)), (key, store(value))]) == 1)
            }
            Call::RemoveMany => Outcome::Present(map.remove_many(&[NEVER_USED, key]) == 1),
            Call::Clear => {
                map.clear();
                Outcome::Done
            }
            #[allow(unreachable_patterns, reason = "the recorder of real runs may know more calls")]
            _ => unreachable!("programs have no such call"),
        }
    }};
}

pub(crate) fn on_map<'l>(map: &Map<'l>, ledger: &'l Ledger, key: usize, call: Call) -> Outcome {
    perform!(map, ledger, key, call)
}

pub(crate) fn in_session<'l>(session: &Session<'_, 'l>, ledger: &'l Ledger, key: usize, call: Call) -> Outcome {
    perform!(session, ledger, key, call)
}
