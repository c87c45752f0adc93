//! Any sequence of calls, against `std::collections::HashMap`: every answer, and after every step what is alive.
//!
//! ```text
//! cargo +nightly fuzz run differential -- -max_total_time=60
//! ```
#![no_main]

use std::cell::Cell;
use std::collections::HashMap as Model;
use std::hash::{BuildHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tidymap::{Compute, HashMap, Operation, Pinned, Reclaim, ReclaimError};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Hashes {
    Good,
    Constant,
    LowBits,
    HighBits,
}

impl BuildHasher for Hashes {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher { hashes: *self, state: 0 }
    }
}

struct NumberHasher {
    hashes: Hashes,
    state: u64,
}

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers");
    }

    fn write_u8(&mut self, number: u8) {
        self.state = u64::from(number);
    }

    fn finish(&self) -> u64 {
        match self.hashes {
            Hashes::Good => self.state.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(32),
            Hashes::Constant => 0,
            Hashes::LowBits => self.state & 7,
            Hashes::HighBits => self.state << 60,
        }
    }
}

/// A number whose copies are counted.
struct Counted {
    number: u8,
    live: Rc<Cell<i64>>,
}

impl Counted {
    fn new(number: u8, live: &Rc<Cell<i64>>) -> Self {
        live.set(live.get() + 1);
        Counted { number, live: live.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
        assert!(self.live.get() >= 0, "dropped once");
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Counted::new(self.number, &self.live)
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.number);
    }
}

#[derive(Arbitrary, Debug)]
enum Step {
    Insert(u8, u8),
    InsertMany(u8, u8),
    TryInsert(u8, u8),
    GetOrInsert(u8, u8),
    Get(u8),
    Update(u8, u8),
    UpdateOrInsert(u8, u8),
    CompareExchange { key: u8, current: bool, expected: u8, new: u8 },
    Compute(u8, Option<Option<u8>>),
    Remove(u8),
    RemoveIf(u8, u8),
    RemoveMany(u8, u8),
    RemoveOwned(u8),
    RemoveEntry { key: u8, take: bool },
    Retain(u8),
    Clear,
    Iterate,
    Clone,
    Reserve(u8),
    ShrinkToFit,
    Reclaim,
    TryReclaim,
    Guards,
    OpenSession,
    CloseSession(u8),
    RefreshSession(u8),
}

#[derive(Arbitrary, Debug)]
struct Input {
    hashes: Hashes,
    batch: Option<u8>,
    max_pending: Option<u8>,
    hook: bool,
    steps: Vec<Step>,
}

type Map = HashMap<Counted, Counted, Hashes>;

/// What the map's figures should be made of.
#[derive(Default)]
struct Ledger {
    live: Rc<Cell<i64>>,
    probe: Rc<Cell<i64>>,
    /// What the hook has been given.
    hooked: Arc<AtomicU64>,
    /// Of that, what came from other maps with the same hook.
    of_clones: Cell<u64>,
    /// Pairs that have been handed over.
    by_value: Cell<u64>,
}

fuzz_target!(|input: Input| {
    let input = &input;
    let ledger = Ledger::default();
    let live = &ledger.live;
    let reclaim = input.batch.map_or(Reclaim::Immediate, |items| Reclaim::Batched(usize::from(items)));
    let mut builder = HashMap::<Counted, Counted>::builder().hasher(input.hashes).reclaim(reclaim);
    if let Some(entries) = input.max_pending {
        builder = builder.max_pending(usize::from(entries));
    }
    if input.hook {
        let hooked = ledger.hooked.clone();
        builder = builder.on_reclaim(move |_| _ = hooked.fetch_add(1, Ordering::Relaxed));
    }
    let map: Map = builder.build();
    let mut model: Model<u8, u8> = Model::new();
    let mut sessions: Vec<Pinned<'_, Counted, Counted, Hashes>> = Vec::new();
    for step in &input.steps {
        run(step, input, &map, &mut model, &mut sessions, &ledger);
        assert_eq!(map.len(), model.len());
        assert_eq!(ledger.probe.get(), 0, "what was only asked with is dropped");
        let stats = map.stats();
        assert_eq!(stats.live_guards, sessions.len());
        assert_eq!(stats.retired - stats.freed, stats.pending.entries);
        assert_eq!(stats.read_len + stats.dirty_len, model.len());
        // An overwritten value is one that is alive, a removed entry two.
        let garbage = live.get() - 2 * model.len() as i64;
        assert!(garbage >= stats.pending.entries as i64 && garbage <= 2 * stats.pending.entries as i64);
        if input.hook {
            let hooked = ledger.hooked.load(Ordering::Relaxed) - ledger.of_clones.get();
            assert_eq!(hooked + ledger.by_value.get(), stats.freed, "R10");
        }
        if sessions.is_empty() {
            assert!(stats.pending.entries <= input.batch.map_or(0, u64::from), "R1, R4");
        }
    }
    drop(sessions);
    let retired = map.stats().retired;
    drop(map);
    assert_eq!(live.get(), 0, "R7");
    if input.hook {
        let hooked = ledger.hooked.load(Ordering::Relaxed) - ledger.of_clones.get();
        assert_eq!(hooked + ledger.by_value.get(), retired + model.len() as u64, "R7, R10");
    }
});

fn run<'m>(
    step: &Step,
    input: &Input,
    map: &'m Map,
    model: &mut Model<u8, u8>,
    sessions: &mut Vec<Pinned<'m, Counted, Counted, Hashes>>,
    ledger: &Ledger,
) {
    let stored = |number| Counted::new(number, &ledger.live);
    let asked = |number| Counted::new(number, &ledger.probe);
    match *step {
        Step::Insert(key, value) => {
            let old = map.insert(stored(key), stored(value)).map(|old| old.number);
            assert_eq!(old, model.insert(key, value));
        }
        Step::InsertMany(from, to) => {
            for key in from..to {
                let old = map.insert(stored(key), stored(key)).map(|old| old.number);
                assert_eq!(old, model.insert(key, key));
            }
        }
        Step::TryInsert(key, value) => match map.try_insert(stored(key), stored(value)) {
            Ok(new) => assert_eq!((new.number, model.insert(key, value)), (value, None)),
            Err(error) => {
                assert_eq!((error.key.number, error.value.number), (key, value));
                assert_eq!(Some(&error.entry.number), model.get(&key));
            }
        },
        Step::GetOrInsert(key, value) => {
            let pair = map.get_or_insert_with(stored(key), || stored(value)).number;
            assert_eq!(pair, *model.entry(key).or_insert(value));
        }
        Step::Get(key) => {
            assert_eq!(map.get(&asked(key)).map(|pair| (pair.key().number, pair.number)), model.get(&key).map(|v| (key, *v)));
        }
        Step::Update(key, add) => {
            let new = map.update(&asked(key), |old| stored(old.number.wrapping_add(add))).map(|new| new.number);
            let expected = model.get_mut(&key).map(|value| {
                *value = value.wrapping_add(add);
                *value
            });
            assert_eq!(new, expected);
        }
        Step::UpdateOrInsert(key, value) => {
            let update = |old: &Counted| stored(old.number ^ value);
            let new = map.update_or_insert_with(stored(key), update, || stored(value)).number;
            assert_eq!(new, *model.entry(key).and_modify(|old| *old ^= value).or_insert(value));
        }
        Step::CompareExchange { key, current, expected, new } => {
            let expected = if current { model.get(&key).copied().unwrap_or(expected) } else { expected };
            let result = map.compare_exchange(&asked(key), &asked(expected), stored(new));
            match model.get_mut(&key) {
                Some(value) if *value == expected => {
                    assert_eq!(result.map(|old| old.number).ok(), Some(expected));
                    *value = new;
                }
                other => {
                    let Err(error) = result else { panic!("it is not the expected value") };
                    assert_eq!((error.current.map(|pair| pair.number), error.new.number), (other.copied(), new));
                }
            }
        }
        Step::Compute(key, next) => {
            let computed = map.compute(stored(key), |_| match next {
                Some(Some(value)) => Operation::Insert(stored(value)),
                Some(None) => Operation::Remove,
                None => Operation::Abort(key),
            });
            let old = model.get(&key).copied();
            match (computed, next) {
                (Compute::Inserted(pair), Some(Some(value))) => assert_eq!((pair.number, old), (value, None)),
                (Compute::Updated { old: before, new }, Some(Some(value))) => {
                    assert_eq!((Some(before.number), new.number), (old, value));
                }
                (Compute::Removed(pair), Some(None)) => assert_eq!(Some(pair.number), old),
                (Compute::Absent, Some(None)) => assert_eq!(old, None),
                (Compute::Aborted(why), None) => assert_eq!(why, key),
                _ => panic!("another outcome than was asked for"),
            }
            match next {
                Some(Some(value)) => drop(model.insert(key, value)),
                Some(None) => drop(model.remove(&key)),
                None => {}
            }
        }
        Step::Remove(key) => {
            assert_eq!(map.remove(&asked(key)).map(|pair| pair.number), model.remove(&key));
        }
        Step::RemoveIf(key, least) => match map.remove_if(&asked(key), |_, value| value.number >= least) {
            Ok(removed) => assert_eq!(removed.map(|pair| pair.number), model.remove(&key)),
            Err(kept) => assert!(kept.number < least && model[&key] == kept.number),
        },
        Step::RemoveMany(from, to) => {
            for key in from..to {
                assert_eq!(map.remove(&asked(key)).map(|pair| pair.number), model.remove(&key));
            }
        }
        Step::RemoveOwned(key) => match map.remove_owned(&asked(key)) {
            Ok(removed) => {
                assert!(sessions.is_empty(), "R9");
                ledger.by_value.set(ledger.by_value.get() + u64::from(removed.is_some()));
                assert_eq!(removed.map(|(key, value)| (key.number, value.number)), model.remove(&key).map(|v| (key, v)));
            }
            Err(why) => assert!(why == ReclaimError::GuardHeld && !sessions.is_empty()),
        },
        Step::RemoveEntry { key, take } => {
            let removed = map.remove_entry(&asked(key));
            let expected = model.remove(&key).map(|value| (key, value));
            assert_eq!(removed.as_ref().map(|pair| (pair.key().number, pair.number)), expected);
            if let Some(removed) = removed.filter(|_| take) {
                match removed.try_into_owned() {
                    Ok((key, value)) => {
                        assert!(sessions.is_empty(), "R9");
                        ledger.by_value.set(ledger.by_value.get() + 1);
                        assert_eq!(Some((key.number, value.number)), expected);
                    }
                    // All of them were there before.
                    Err(_) => assert!(!sessions.is_empty()),
                }
            }
        }
        Step::Retain(least) => {
            map.retain(|_, value| value.number >= least);
            model.retain(|_, value| *value >= least);
        }
        Step::Clear => {
            map.clear();
            model.clear();
        }
        Step::Iterate => {
            let mut rest = model.clone();
            for (key, value) in &map.pin() {
                assert_eq!(rest.remove(&key.number), Some(value.number), "each once");
            }
            assert!(rest.is_empty());
        }
        Step::Clone => {
            let clone = map.clone();
            assert!(clone == *map && clone.len() == model.len());
            ledger.of_clones.set(ledger.of_clones.get() + model.len() as u64);
        }
        Step::Reserve(additional) => map.reserve(usize::from(additional) * 64),
        Step::ShrinkToFit => map.shrink_to_fit(),
        Step::Reclaim => match map.reclaim() {
            Ok(()) => assert!(sessions.is_empty() && map.stats().pending.entries == 0, "R3"),
            Err(_) => assert!(!sessions.is_empty()),
        },
        Step::TryReclaim => {
            let left = map.try_reclaim();
            assert!(!sessions.is_empty() || (left.entries, left.bytes) == (0, 0));
        }
        Step::Guards => {
            let guards = map.guards();
            assert_eq!(guards.len(), usize::from(!sessions.is_empty()), "one thread");
            for thread in &guards {
                assert_eq!(thread.guards, sessions.len());
                let pending = map.stats().pending;
                // What is saved up waits for nobody.
                assert!(thread.pending.entries <= pending.entries && thread.pending.bytes <= pending.bytes);
                assert!(input.batch.is_some() || thread.pending.entries == pending.entries, "R8");
            }
        }
        Step::OpenSession => sessions.push(map.pin()),
        Step::CloseSession(which) => {
            if !sessions.is_empty() {
                drop(sessions.remove(usize::from(which) % sessions.len()));
            }
        }
        Step::RefreshSession(which) => {
            if !sessions.is_empty() {
                let index = usize::from(which) % sessions.len();
                sessions[index].refresh();
            }
        }
    }
}
