//! Maps with a bug each, the kind that only other threads can see. The tests have to reject them.

use std::cell::Cell;

use crate::common::GoodHash;
use crate::model::{Call, KEYS, Outcome, State};
use crate::subject::{Map, OneShot, Subject, dawdle};

/// Passes a call to the map below, in several steps or none.
trait Bug: Default + Sync {
    /// What the call returns, or `None` if the bug is not about such calls.
    fn perform(map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome>;
}

#[derive(Default)]
pub(crate) struct With<B> {
    map: OneShot<GoodHash>,
    _bug: B,
}

impl<B: Bug> Subject for With<B> {
    type Hasher = GoodHash;

    fn map(&self) -> &Map<GoodHash> {
        self.map.map()
    }

    fn perform(&self, key: usize, call: Call) -> Outcome {
        B::perform(&self.map, key, call).unwrap_or_else(|| self.map.perform(key, call))
    }
}

/// A `get` now and then returns what the thread's last one returned, from a cache.
#[derive(Default)]
pub(crate) struct StaleReads;

impl Bug for StaleReads {
    fn perform(map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        thread_local! {
            static CACHE: Cell<(State, u32)> = const { Cell::new(([None; KEYS], 0)) };
        }
        if call != Call::Get {
            return None;
        }
        let (mut cached, calls) = CACHE.get();
        if calls % 4 != 0 {
            if let Outcome::Found(value) = map.perform(key, Call::Get) {
                cached[key] = value;
            }
        }
        CACHE.set((cached, calls + 1));
        Some(Outcome::Found(cached[key]))
    }
}

/// An `update` reads, and then writes whatever has become of the value meanwhile.
#[derive(Default)]
pub(crate) struct LostUpdates;

impl Bug for LostUpdates {
    fn perform(map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        let Call::Update(new) = call else { return None };
        let Outcome::Found(Some(old)) = map.perform(key, Call::Get) else { return Some(Outcome::Kept(None)) };
        dawdle();
        map.perform(key, Call::Insert(new));
        Some(Outcome::Updated { old, new })
    }
}

/// A `remove` returns what it found, even if another thread was faster to remove it.
#[derive(Default)]
pub(crate) struct DoubleRemoves;

impl Bug for DoubleRemoves {
    fn perform(map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        if call != Call::Remove {
            return None;
        }
        let Outcome::Found(found) = map.perform(key, Call::Get) else { return None };
        dawdle();
        map.perform(key, Call::Remove);
        Some(Outcome::Old(found))
    }
}

/// A `clear` removes one key after the other. Each key for itself, nothing is wrong.
#[derive(Default)]
pub(crate) struct ClearsInSteps;

impl Bug for ClearsInSteps {
    fn perform(map: &OneShot<GoodHash>, _: usize, call: Call) -> Option<Outcome> {
        if call != Call::Clear {
            return None;
        }
        for key in 0..KEYS {
            map.perform(key, Call::Remove);
            dawdle();
        }
        Some(Outcome::Cleared)
    }
}
