//! Maps with a bug each, the kind that only other threads can see. The tests have to reject them.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::calls::{Calls, Map, Sweep, dawdle};
use crate::common::GoodHash;
use crate::model::{Call, KEYS, Outcome, State, wanted};
use crate::subject::{OneShot, Subject};

/// Passes a call to the map below, in several steps or none.
pub(crate) trait Bug: Default + Sync {
    /// What the call returns, or `None` if the bug is not about such calls.
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome>;

    /// The same for a call that visits all keys.
    fn sweep(&self, _map: &OneShot<GoodHash>, _keys: usize, _call: Call) -> Option<Sweep> {
        None
    }
}

#[derive(Default)]
pub(crate) struct With<B> {
    map: OneShot<GoodHash>,
    bug: B,
}

impl<B: Bug> Calls for With<B> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        self.bug.perform(&self.map, key, call).unwrap_or_else(|| self.map.perform(key, call))
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.bug.sweep(&self.map, keys, call).unwrap_or_else(|| self.map.sweep(keys, call))
    }
}

impl<B: Bug> Subject for With<B> {
    type Hasher = GoodHash;

    fn map(&self) -> &Map<GoodHash> {
        self.map.map()
    }
}

/// A `get` now and then returns what the thread's last one returned, from a cache.
#[derive(Default)]
pub(crate) struct StaleReads;

impl Bug for StaleReads {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
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
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
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
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
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
    fn perform(&self, map: &OneShot<GoodHash>, _: usize, call: Call) -> Option<Outcome> {
        if call != Call::Clear {
            return None;
        }
        for key in 0..KEYS {
            map.perform(key, Call::Remove);
            dawdle();
        }
        Some(Outcome::Done)
    }
}

/// A `get` now and then looks into a read table that has been replaced: what was there at some moment before.
#[derive(Default)]
pub(crate) struct OldReadTable {
    table: Mutex<State>,
    gets: AtomicUsize,
}

impl Bug for OldReadTable {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        if call != Call::Get {
            return None;
        }
        if self.gets.fetch_add(1, SeqCst) % 8 != 0 {
            return None;
        }
        let found = std::mem::take(&mut self.table.lock().expect("no panic")[key]);
        if found.is_some() {
            return Some(Outcome::Found(found));
        }
        let Outcome::Found(now) = map.perform(key, Call::Get) else { return None };
        self.table.lock().expect("no panic")[key] = now;
        Some(Outcome::Found(now))
    }
}

/// A `remove` says that the key is absent if another thread is just overwriting its value.
#[derive(Default)]
pub(crate) struct MissesBusyEntries([AtomicUsize; KEYS]);

impl Bug for MissesBusyEntries {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        match call {
            Call::Insert(_) | Call::Update(_) | Call::CompareExchange { .. } => {
                self.0[key].fetch_add(1, SeqCst);
                let outcome = map.perform(key, call);
                self.0[key].fetch_sub(1, SeqCst);
                Some(outcome)
            }
            Call::Remove if self.0[key].load(SeqCst) > 0 => Some(Outcome::Old(None)),
            _ => None,
        }
    }
}

/// A `clear` leaves one entry.
#[derive(Default)]
pub(crate) struct LeavesAnEntry;

impl Bug for LeavesAnEntry {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        if call != Call::Clear {
            return None;
        }
        let left = map.perform(key, Call::Get).seen();
        map.perform(key, Call::Clear);
        if let Some(left) = left {
            map.perform(key, Call::TryInsert(left));
        }
        Some(Outcome::Done)
    }
}

/// Every sixteenth call promotes; what is inserted meanwhile, by another thread, is not in the new table.
#[derive(Default)]
pub(crate) struct LosesInserts {
    calls: AtomicUsize,
    promoting: AtomicUsize,
}

impl Bug for LosesInserts {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        if self.calls.fetch_add(1, SeqCst) % 16 == 0 {
            self.promoting.fetch_add(1, SeqCst);
            (0..8).for_each(|_| dawdle());
            self.promoting.fetch_sub(1, SeqCst);
        }
        let promoting = self.promoting.load(SeqCst) > 0;
        let outcome = map.perform(key, call);
        if promoting && matches!((call, outcome), (Call::Insert(_), Outcome::Old(None)) | (_, Outcome::Inserted(_))) {
            map.perform(key, Call::Remove);
        }
        Some(outcome)
    }
}

/// A `try_insert` looks whether the key is absent, and then inserts.
#[derive(Default)]
pub(crate) struct InsertsTwice;

impl Bug for InsertsTwice {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        let Call::TryInsert(new) = call else { return None };
        let Outcome::Found(None) = map.perform(key, Call::Get) else { return None };
        dawdle();
        map.perform(key, Call::Insert(new));
        Some(Outcome::Inserted(new))
    }
}

/// An `insert_many` counts what is new, and then inserts.
#[derive(Default)]
pub(crate) struct CountsBefore;

impl Bug for CountsBefore {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        let Call::InsertMany(new) = call else { return None };
        let Outcome::Found(found) = map.perform(key, Call::Get) else { return None };
        dawdle();
        map.perform(key, Call::Insert(new));
        Some(Outcome::Present(found.is_some()))
    }
}

/// A `compare_exchange` compares, and then writes.
#[derive(Default)]
pub(crate) struct ComparesBefore;

impl Bug for ComparesBefore {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        let Call::CompareExchange { expected, new } = call else { return None };
        let Outcome::Found(Some(now)) = map.perform(key, Call::Get) else { return None };
        if now != expected {
            return None;
        }
        dawdle();
        map.perform(key, Call::Insert(new));
        Some(Outcome::Old(Some(expected)))
    }
}

/// A `remove` says what it removes, and leaves it to the thread's next call to do so.
#[derive(Default)]
pub(crate) struct RemovesLater;

impl Bug for RemovesLater {
    fn perform(&self, map: &OneShot<GoodHash>, key: usize, call: Call) -> Option<Outcome> {
        thread_local! {
            static LATER: Cell<Option<usize>> = const { Cell::new(None) };
        }
        if let Some(key) = LATER.take() {
            map.perform(key, Call::Remove);
        }
        if call != Call::Remove {
            return None;
        }
        LATER.set(Some(key));
        Some(Outcome::Old(map.perform(key, Call::Get).seen()))
    }
}

/// An iteration leaves out what is overwritten while it goes on.
#[derive(Default)]
pub(crate) struct SkipsWhatChanges;

impl Bug for SkipsWhatChanges {
    fn perform(&self, _: &OneShot<GoodHash>, _: usize, _: Call) -> Option<Outcome> {
        None
    }

    fn sweep(&self, map: &OneShot<GoodHash>, keys: usize, call: Call) -> Option<Sweep> {
        if call != Call::Iterate {
            return None;
        }
        let first = map.sweep(keys, call);
        dawdle();
        let second = map.sweep(keys, call);
        Some(std::array::from_fn(|key| if first[key] == second[key] { first[key] } else { Outcome::Found(None) }))
    }
}

/// An iteration yields what was there when the last one began.
#[derive(Default)]
pub(crate) struct IteratesOverThePast(Mutex<Option<Sweep>>);

impl Bug for IteratesOverThePast {
    fn perform(&self, _: &OneShot<GoodHash>, _: usize, _: Call) -> Option<Outcome> {
        None
    }

    fn sweep(&self, map: &OneShot<GoodHash>, keys: usize, call: Call) -> Option<Sweep> {
        if call != Call::Iterate {
            return None;
        }
        let now = map.sweep(keys, call);
        self.0.lock().expect("no panic").replace(now).or(Some(now))
    }
}

/// A `retain` leaves what it should remove if that has been overwritten since it looked.
#[derive(Default)]
pub(crate) struct RetainsWhatChanges;

impl Bug for RetainsWhatChanges {
    fn perform(&self, _: &OneShot<GoodHash>, _: usize, _: Call) -> Option<Outcome> {
        None
    }

    fn sweep(&self, map: &OneShot<GoodHash>, keys: usize, call: Call) -> Option<Sweep> {
        if call != Call::Retain {
            return None;
        }
        let met = map.sweep(keys, Call::Iterate);
        dawdle();
        let each = |key: usize| match met[key].seen() {
            Some(value) if wanted(value) && map.perform(key, Call::Get).seen() == Some(value) => {
                map.perform(key, Call::Remove);
                Outcome::Old(Some(value))
            }
            Some(value) if wanted(value) => Outcome::Old(Some(value)),
            Some(value) => Outcome::Kept(Some(value)),
            None => Outcome::Found(None),
        };
        Some(std::array::from_fn(each))
    }
}
