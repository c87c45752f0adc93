//! Everything that the map can do, in any order, beside a map of the standard library that does the same.
//!
//! One thread, so that after every step everything is known: what the step returned, what the map holds, and what is alive.
//! With no guard live, that is what the map holds, and nothing else (R1); with some, it is that and what was unlinked
//! since the oldest of those that are still live was taken (R2), and the map's figures say so (R8).

mod common;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{ConstantHash, Counted, GoodHash, Ledger, LowBitsHash};
use proptest::prelude::*;
use tidymap::{
    Builder, CompareExchangeError, Compute, HashMap, OccupiedError, Operation, Pinned, Reclaim, ReclaimError, Ref,
};

/// What values are made of. Each number is used once, and says which key it belongs to.
trait Payload: Copy + PartialEq + Debug {
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

type Key<'l> = Counted<'l, u8>;
type Value<'l, P> = Counted<'l, P>;
type Map<'l, P, S> = HashMap<Key<'l>, Value<'l, P>, S>;
type Session<'m, 'l, P, S> = Pinned<'m, Key<'l>, Value<'l, P>, S>;

#[derive(Clone, Copy, Debug)]
enum Expected {
    /// The value that the key has, if it has one.
    Current,
    /// One that no key has.
    Wrong,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Insert,
    Remove,
    Abort,
}

/// An operation of both the map and its sessions.
#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    ContainsKey(u8),
    Insert(u8),
    TryInsert(u8),
    GetOrInsert(u8),
    GetOrInsertWith(u8),
    Update(u8),
    UpdateOrInsert(u8),
    UpdateOrInsertWith(u8),
    Compute(u8, Next),
    CompareExchange(u8, Expected),
    Remove(u8),
    RemoveIf(u8, bool),
    /// Keeps the keys that have a bit in common with this.
    Retain(u8),
    Clear,
    Len,
}

#[derive(Clone, Debug)]
enum Step {
    /// On the map itself.
    OneShot(Op),
    /// In one of the sessions that are open, or on the map if none is.
    InSession(usize, Op),
    Open,
    Close(usize),
    Refresh(usize),
    /// Takes a `Ref` to a key (or a reference in a session of its own), works, and looks at it once more.
    Hold {
        key: u8,
        in_session: bool,
        meanwhile: Vec<Op>,
    },
    /// Removes a key, works, and looks at the pair that was removed.
    HoldRemoved {
        key: u8,
        meanwhile: Vec<Op>,
    },
    /// Iterates, and does one of these at each entry, as far as they go.
    Iterate(Vec<Op>),
    /// Many new keys at once, so that tables grow and are promoted.
    Fill(u8),
    /// Many lookups at once, so that misses are told and tables promoted.
    LookUp,
    RemoveOwned(u8),
    /// Removes a key, works, and takes the pair if nobody else can see it.
    TakeRemoved {
        key: u8,
        meanwhile: Vec<Op>,
    },
    Guards,
    ReadsOfTheMap(u8),
    ReadsOfASession(usize, u8),
    Reserve(u16),
    TryReserve(Option<u16>),
    ShrinkToFit,
    Reclaim,
    TryReclaim,
    CloneCompareExtend(Vec<u8>),
}

fn key() -> impl Strategy<Value = u8> {
    prop_oneof![9 => 0..12u8, 1 => any::<u8>()]
}

fn op() -> impl Strategy<Value = Op> {
    let next = prop_oneof![3 => Just(Next::Insert), 2 => Just(Next::Remove), 1 => Just(Next::Abort)];
    let expected = prop_oneof![3 => Just(Expected::Current), 1 => Just(Expected::Wrong)];
    prop_oneof![
        4 => key().prop_map(Op::Get),
        1 => key().prop_map(Op::ContainsKey),
        8 => key().prop_map(Op::Insert),
        2 => key().prop_map(Op::TryInsert),
        2 => key().prop_map(Op::GetOrInsert),
        2 => key().prop_map(Op::GetOrInsertWith),
        2 => key().prop_map(Op::Update),
        2 => key().prop_map(Op::UpdateOrInsert),
        2 => key().prop_map(Op::UpdateOrInsertWith),
        4 => (key(), next).prop_map(|(key, next)| Op::Compute(key, next)),
        4 => (key(), expected).prop_map(|(key, expected)| Op::CompareExchange(key, expected)),
        5 => key().prop_map(Op::Remove),
        2 => (key(), any::<bool>()).prop_map(|(key, wanted)| Op::RemoveIf(key, wanted)),
        1 => any::<u8>().prop_map(Op::Retain),
        1 => Just(Op::Clear),
        1 => Just(Op::Len),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => op().prop_map(Step::OneShot),
        16 => (any::<usize>(), op()).prop_map(|(session, op)| Step::InSession(session, op)),
        4 => Just(Step::Open),
        4 => any::<usize>().prop_map(Step::Close),
        2 => any::<usize>().prop_map(Step::Refresh),
        2 => (key(), any::<bool>(), ops())
            .prop_map(|(key, in_session, meanwhile)| Step::Hold { key, in_session, meanwhile }),
        2 => (key(), ops()).prop_map(|(key, meanwhile)| Step::HoldRemoved { key, meanwhile }),
        2 => ops().prop_map(Step::Iterate),
        1 => any::<u8>().prop_map(Step::Fill),
        1 => Just(Step::LookUp),
        3 => key().prop_map(Step::RemoveOwned),
        3 => (key(), ops()).prop_map(|(key, meanwhile)| Step::TakeRemoved { key, meanwhile }),
        2 => Just(Step::Guards),
        1 => key().prop_map(Step::ReadsOfTheMap),
        1 => (any::<usize>(), key()).prop_map(|(session, key)| Step::ReadsOfASession(session, key)),
        1 => (0..500u16).prop_map(Step::Reserve),
        1 => prop::option::of(0..500u16).prop_map(Step::TryReserve),
        1 => Just(Step::ShrinkToFit),
        2 => Just(Step::Reclaim),
        2 => Just(Step::TryReclaim),
        1 => prop::collection::vec(any::<u8>(), 0..10).prop_map(Step::CloneCompareExtend),
    ]
}

/// What the map should be.
#[derive(Default)]
struct Model {
    /// The id of the stored key, and the number of the value.
    entries: BTreeMap<u8, (u64, u64)>,
    /// Moves on with whatever happens.
    clock: u64,
    /// When each of the live guards was taken.
    guards: Vec<u64>,
    /// What has been unlinked and is kept by a guard.
    pending: Vec<Unlinked>,
}

struct Unlinked {
    when: u64,
    /// With its key: removed, not overwritten.
    entry: bool,
}

impl Model {
    fn now(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn value(&self, key: u8) -> Option<u64> {
        self.entries.get(&key).map(|(_, value)| *value)
    }

    fn pair(&self, key: u8) -> Option<(u8, u64, u64)> {
        self.entries.get(&key).map(|(id, value)| (key, *id, *value))
    }

    /// Makes `value` the key's value, and returns the one before.
    fn insert(&mut self, key: u8, id: u64, value: u64) -> Option<u64> {
        let when = self.now();
        match self.entries.get_mut(&key) {
            Some((_, current)) => {
                self.pending.push(Unlinked { when, entry: false });
                Some(std::mem::replace(current, value))
            }
            None => {
                self.entries.insert(key, (id, value));
                None
            }
        }
    }

    fn remove(&mut self, key: u8) -> Option<u64> {
        let when = self.now();
        let (_, value) = self.entries.remove(&key)?;
        self.pending.push(Unlinked { when, entry: true });
        Some(value)
    }

    fn retain(&mut self, keep: impl Fn(u8) -> bool) {
        for key in self.entries.keys().copied().filter(|key| !keep(*key)).collect::<Vec<_>>() {
            self.remove(key);
        }
    }

    fn take_guard(&mut self) -> u64 {
        let when = self.now();
        self.guards.push(when);
        when
    }

    fn drop_guard(&mut self, taken: u64) {
        let place = self.guards.iter().position(|guard| *guard == taken).expect("it is live");
        self.guards.remove(place);
        self.settle();
    }

    /// Forgets what no guard has seen.
    fn settle(&mut self) {
        let oldest = self.guards.iter().min().copied().unwrap_or(u64::MAX);
        self.pending.retain(|unlinked| unlinked.when > oldest);
    }
}

/// What an operation returned, with numbers in place of values.
#[derive(Debug, PartialEq)]
enum Answer {
    Nothing,
    Yes(bool),
    Count(usize),
    Value(Option<u64>),
    /// The value that is there, and the id of the key and the number of the value that were not inserted.
    Occupied(u64, u64, u64),
    /// The value that is there, and that which was not stored.
    Unequal(Option<u64>, u64),
    NotWanted(u64),
    Inserted(u64),
    Updated(u64, u64),
    Removed(u64),
    Aborted(Option<u64>),
}

/// Whatever tells the number of a value: a `Ref`, a reference, a pair of references. Checks what it can on the way.
trait Numbered {
    fn number(self) -> u64;
}

impl<P: Payload> Numbered for Ref<'_, Key<'_>, Value<'_, P>> {
    fn number(self) -> u64 {
        (self.key(), self.value()).number()
    }
}

impl<P: Payload> Numbered for &Value<'_, P> {
    fn number(self) -> u64 {
        Payload::number(**self)
    }
}

impl<P: Payload> Numbered for (&Key<'_>, &Value<'_, P>) {
    fn number(self) -> u64 {
        let number = self.1.number();
        assert_eq!(number % 256, u64::from(**self.0), "the value of another key");
        number
    }
}

fn pair<P: Payload>((key, value): (&Key<'_>, &Value<'_, P>)) -> (u8, u64, u64) {
    (**key, key.id(), (key, value).number())
}

/// Does an operation on a map or a session, which have the same names for them.
macro_rules! perform {
    ($world:expr, $target:expr, $op:expr) => {{
        let (world, target) = ($world, $target);
        match $op {
            Op::Get(key) => Answer::Value(target.get(&key).map(Numbered::number)),
            Op::ContainsKey(key) => Answer::Yes(target.contains_key(&key)),
            Op::Insert(key) => Answer::Value(target.insert(world.key(key), world.value(key)).map(Numbered::number)),
            Op::TryInsert(key) => match target.try_insert(world.key(key), world.value(key)) {
                Ok(new) => Answer::Inserted(new.number()),
                Err(OccupiedError { entry, key, value }) => Answer::Occupied(entry.number(), key.id(), value.number()),
            },
            Op::GetOrInsert(key) => {
                Answer::Value(Some(target.get_or_insert(world.key(key), world.value(key)).number()))
            }
            Op::GetOrInsertWith(key) => {
                Answer::Value(Some(target.get_or_insert_with(world.key(key), || world.value(key)).number()))
            }
            Op::Update(key) => Answer::Value(target.update(&key, |_| world.value(key)).map(Numbered::number)),
            Op::UpdateOrInsert(key) => {
                let new = world.value(key);
                Answer::Value(Some(target.update_or_insert(world.key(key), |_| world.value(key), new).number()))
            }
            Op::UpdateOrInsertWith(key) => {
                let make = || world.value(key);
                Answer::Value(Some(target.update_or_insert_with(world.key(key), |_| make(), make).number()))
            }
            Op::Compute(key, next) => {
                let outcome = target.compute(world.key(key), |old| match next {
                    Next::Insert => Operation::Insert(world.value(key)),
                    Next::Remove => Operation::Remove,
                    Next::Abort => Operation::Abort(old.map(Numbered::number)),
                });
                match outcome {
                    Compute::Inserted(new) => Answer::Inserted(new.number()),
                    Compute::Updated { old, new } => Answer::Updated(old.number(), new.number()),
                    Compute::Removed(old) => Answer::Removed(old.number()),
                    Compute::Absent => Answer::Nothing,
                    Compute::Aborted(old) => Answer::Aborted(old),
                }
            }
            Op::CompareExchange(key, expected) => {
                let expected = world.expected(key, expected);
                match target.compare_exchange(&key, &expected, world.value(key)) {
                    Ok(old) => Answer::Value(Some(old.number())),
                    Err(CompareExchangeError { current, new }) => {
                        Answer::Unequal(current.map(Numbered::number), new.number())
                    }
                }
            }
            Op::Remove(key) => Answer::Value(target.remove(&key).map(Numbered::number)),
            Op::RemoveIf(key, wanted) => match target.remove_if(&key, |_, _| wanted) {
                Ok(removed) => Answer::Value(removed.map(Numbered::number)),
                Err(kept) => Answer::NotWanted(kept.number()),
            },
            Op::Retain(bits) => {
                target.retain(|key, _| **key & bits != 0);
                Answer::Nothing
            }
            Op::Clear => {
                target.clear();
                Answer::Nothing
            }
            Op::Len => {
                assert_eq!(target.is_empty(), target.len() == 0);
                Answer::Count(target.len())
            }
        }
    }};
}

/// The ledgers of keys and values, and what is needed to make more.
struct World<'l> {
    keys: &'l Ledger,
    values: &'l Ledger,
    values_made: Cell<u64>,
}

impl<'l> World<'l> {
    fn key(&self, key: u8) -> Key<'l> {
        self.keys.make(key)
    }

    /// A value for `key` that differs from all others.
    fn value<P: Payload>(&self, key: u8) -> Value<'l, P> {
        let number = self.next_value(key);
        self.values_made.set(self.values_made.get() + 1);
        self.values.make(P::new(number))
    }

    /// The number of the value that [`value`](Self::value) will make next.
    fn next_value(&self, key: u8) -> u64 {
        (self.values_made.get() + 1) * 256 + u64::from(key)
    }
}

/// The map under test and its model, with whatever guards are live.
struct Run<'m, 'l, P, S> {
    world: World<'l>,
    map: &'m Map<'l, P, S>,
    /// Garbage that may be saved up.
    batch: u64,
    /// What the hook has been given, and of that what came from clones.
    hooked: Option<Arc<AtomicU64>>,
    of_clones: u64,
    /// Pairs that have been handed over.
    by_value: u64,
    model: Model,
    /// With when they were opened, in no order.
    sessions: Vec<(u64, Session<'m, 'l, P, S>)>,
}

/// A [`World`] that knows the current values, to make expected ones.
struct Situation<'w, 'l> {
    world: &'w World<'l>,
    current: Option<u64>,
}

impl<'l> Situation<'_, 'l> {
    fn key(&self, key: u8) -> Key<'l> {
        self.world.key(key)
    }

    fn value<P: Payload>(&self, key: u8) -> Value<'l, P> {
        self.world.value(key)
    }

    fn expected<P: Payload>(&self, key: u8, expected: Expected) -> Value<'l, P> {
        let number = match (expected, self.current) {
            (Expected::Current, Some(current)) => current,
            _ => u64::from(key),
        };
        self.world.values.make(P::new(number))
    }
}

impl<'m, 'l, P, S> Run<'m, 'l, P, S>
where
    P: Payload,
    S: BuildHasher + Clone + Default,
{
    /// The model's answer to an operation, which it does. `id` and `value` are those of the next key and value.
    fn answer(model: &mut Model, world: &World<'l>, op: &Op) -> Answer {
        let id = world.keys.made();
        let made = |key: u8| world.next_value(key);
        match *op {
            Op::Get(key) => Answer::Value(model.value(key)),
            Op::ContainsKey(key) => Answer::Yes(model.value(key).is_some()),
            Op::Insert(key) => Answer::Value(model.insert(key, id, made(key))),
            Op::TryInsert(key) => match model.value(key) {
                Some(there) => Answer::Occupied(there, id, made(key)),
                None => {
                    model.insert(key, id, made(key));
                    Answer::Inserted(made(key))
                }
            },
            Op::GetOrInsert(key) | Op::GetOrInsertWith(key) => {
                if model.value(key).is_none() {
                    model.insert(key, id, made(key));
                }
                Answer::Value(model.value(key))
            }
            Op::Update(key) => {
                if model.value(key).is_some() {
                    model.insert(key, id, made(key));
                }
                Answer::Value(model.value(key))
            }
            Op::UpdateOrInsert(key) => {
                // The value to insert is made before, the successor when it is needed.
                let successor = made(key) + 256;
                let value = if model.value(key).is_some() { successor } else { made(key) };
                model.insert(key, id, value);
                Answer::Value(Some(value))
            }
            Op::UpdateOrInsertWith(key) => {
                model.insert(key, id, made(key));
                Answer::Value(model.value(key))
            }
            Op::Compute(key, next) => match (next, model.value(key)) {
                (Next::Abort, old) => Answer::Aborted(old),
                (Next::Remove, None) => Answer::Nothing,
                (Next::Remove, Some(old)) => {
                    model.remove(key);
                    Answer::Removed(old)
                }
                (Next::Insert, old) => {
                    model.insert(key, id, made(key));
                    old.map_or(Answer::Inserted(made(key)), |old| Answer::Updated(old, made(key)))
                }
            },
            Op::CompareExchange(key, expected) => match (expected, model.value(key)) {
                (Expected::Current, Some(_)) => Answer::Value(model.insert(key, id, made(key))),
                (_, current) => Answer::Unequal(current, made(key)),
            },
            Op::Remove(key) => Answer::Value(model.remove(key)),
            Op::RemoveIf(key, wanted) => match model.value(key) {
                Some(there) if !wanted => Answer::NotWanted(there),
                _ => Answer::Value(model.remove(key)),
            },
            Op::Retain(bits) => {
                model.retain(|key| key & bits != 0);
                Answer::Nothing
            }
            Op::Clear => {
                model.retain(|_| false);
                Answer::Nothing
            }
            Op::Len => Answer::Count(model.entries.len()),
        }
    }

    /// Does an operation on the map and on the model, compares what they say, and then what they are.
    fn perform(&mut self, session: Option<usize>, op: &Op) {
        let current = match op {
            Op::CompareExchange(key, _) => self.model.value(*key),
            _ => None,
        };
        let expected = Self::answer(&mut self.model, &self.world, op);
        let situation = &Situation { world: &self.world, current };
        let answer = match session {
            Some(session) => perform!(situation, &self.sessions[session].1, *op),
            None => perform!(situation, self.map, *op),
        };
        assert_eq!(answer, expected, "the answer to {op:?}");
        self.check();
    }

    /// The number of an open session, if there is one.
    fn session(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.sessions.len())
    }

    /// Fails unless what is alive is what should be, and the map's figures agree.
    fn check(&mut self) {
        self.model.settle();
        let (len, held_back) = (self.model.entries.len(), self.model.pending.len());
        assert_eq!(self.map.len(), len, "len");
        // First without the map's help: figures take a guard, and whoever takes one cleans up.
        let values = self.world.values.live();
        let saved_up = values.checked_sub(len + held_back).expect("what a guard has seen must be kept");
        assert!(saved_up as u64 <= self.batch, "{saved_up} values are alive that no guard has seen");
        let removed = self.model.pending.iter().filter(|unlinked| unlinked.entry).count();
        let keys = len + removed..=len + removed + saved_up;
        assert!(keys.contains(&self.world.keys.live()), "{} live keys, not {keys:?}", self.world.keys.live());

        let stats = self.map.stats();
        assert_eq!(stats.len, len, "stats().len");
        assert_eq!(stats.read_len + stats.dirty_len, len, "entries in the tables");
        assert!(stats.capacity >= len);
        assert_eq!(stats.retired - stats.freed, stats.pending.entries, "what is retired and not freed");
        assert_eq!(stats.live_guards, self.model.guards.len(), "live guards");
        assert_eq!(stats.oldest_guard.is_some(), !self.model.guards.is_empty());

        assert_eq!(stats.pending.entries as usize, values - len, "values that are alive and not in the map");
        if let Some(hooked) = &self.hooked {
            let hooked = hooked.load(Ordering::Relaxed) - self.of_clones;
            assert_eq!(hooked + self.by_value, stats.freed, "given to the hook, or handed over");
        }
    }

    /// Fails unless an iteration yields what the model holds.
    fn check_contents(&self) {
        let session = self.map.pin();
        let pairs: Vec<_> = session.iter().map(pair).collect();
        let seen: BTreeSet<_> = pairs.iter().copied().collect();
        assert_eq!(pairs.len(), seen.len(), "an entry was visited twice");
        assert_eq!(seen, self.model.entries.keys().filter_map(|key| self.model.pair(*key)).collect());
        assert_eq!(session.keys().map(|key| **key).collect::<BTreeSet<_>>().len(), seen.len());
        assert_eq!(session.values().count(), seen.len());
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::OneShot(op) => self.perform(None, op),
            Step::InSession(number, op) => self.perform(self.session(*number), op),
            Step::Open => self.sessions.push((self.model.take_guard(), self.map.pin())),
            Step::Close(number) => {
                if let Some(session) = self.session(*number) {
                    let (opened, session) = self.sessions.swap_remove(session);
                    drop(session);
                    self.model.drop_guard(opened);
                }
            }
            Step::Refresh(number) => {
                if let Some(session) = self.session(*number) {
                    let (opened, session) = &mut self.sessions[session];
                    session.refresh();
                    self.model.drop_guard(*opened);
                    *opened = self.model.take_guard();
                }
            }
            Step::Hold { key, in_session, meanwhile } => self.hold(*key, *in_session, meanwhile),
            Step::HoldRemoved { key, meanwhile } => self.hold_removed(*key, meanwhile),
            Step::Iterate(ops) => self.iterate(ops),
            Step::Fill(first) => {
                for key in (0..40).map(|n| first.wrapping_add(n)) {
                    self.perform(None, &Op::Insert(key));
                }
            }
            Step::LookUp => (0..200).for_each(|key| self.perform(None, &Op::Get(key))),
            Step::RemoveOwned(key) => {
                let may_wait = self.model.guards.is_empty();
                let removed = self.map.remove_owned(key);
                if may_wait {
                    let removed = removed.unwrap();
                    self.by_value += u64::from(removed.is_some());
                    // It never was garbage that a guard sees.
                    let expected = self.model.entries.remove(key).map(|(id, value)| (*key, id, value));
                    assert_eq!(removed.as_ref().map(|(key, value)| pair((key, value))), expected);
                } else {
                    assert_eq!(removed.unwrap_err(), ReclaimError::GuardHeld);
                }
            }
            Step::TakeRemoved { key, meanwhile } => self.take_removed(*key, meanwhile),
            Step::Guards => {
                let guards = self.map.guards();
                assert_eq!(guards.len(), usize::from(!self.model.guards.is_empty()), "one thread");
                for thread in &guards {
                    assert_eq!(thread.guards, self.model.guards.len());
                    assert_eq!(thread.pending.entries as usize, self.model.pending.len(), "what waits for the oldest");
                }
            }
            Step::ReadsOfTheMap(key) => {
                let pair = self.model.pair(*key);
                let (id, value) = (pair.map(|pair| pair.1), pair.map(|pair| pair.2));
                assert_eq!(self.map.get(key).map(|found| found.key().id()), id, "the stored key stays");
                assert_eq!(self.map.read(key, |key, value| (key, value).number()), value);
                assert_eq!(self.map.get_cloned(key).map(|value| (&value).number()), value);
                assert_eq!(self.map.get(key).map(|found| format!("{found:?}")).is_some(), pair.is_some());
                self.check_contents();
            }
            Step::ReadsOfASession(number, key) => {
                if let Some(session) = self.session(*number) {
                    let (_, session) = &self.sessions[session];
                    assert_eq!(session.get_key_value(key).map(pair), self.model.pair(*key));
                    assert!(std::ptr::eq(session.map(), self.map));
                    assert_eq!(session.iter().count(), self.model.entries.len());
                    assert_eq!(session.into_iter().count(), self.model.entries.len());
                    assert_eq!(format!("{session:?}"), format!("{:?}", session.map()));
                    let removed = session.remove_entry(key).map(pair);
                    assert_eq!(removed, self.model.pair(*key));
                    self.model.remove(*key);
                }
            }
            Step::Reserve(additional) => {
                self.map.reserve((*additional).into());
                assert!(self.map.capacity() >= self.map.len() + usize::from(*additional));
            }
            Step::TryReserve(Some(additional)) => {
                assert!(self.map.try_reserve((*additional).into()).is_ok());
                assert!(self.map.capacity() >= self.map.len() + usize::from(*additional));
            }
            Step::TryReserve(None) => assert!(self.map.try_reserve(usize::MAX).is_err()),
            Step::ShrinkToFit => {
                self.map.shrink_to_fit();
                assert_eq!(self.map.stats().dirty_len, 0);
            }
            Step::Reclaim => {
                let may_wait = self.model.guards.is_empty();
                assert_eq!(self.map.reclaim(), if may_wait { Ok(()) } else { Err(ReclaimError::GuardHeld) });
                if may_wait {
                    assert_eq!(self.map.stats().pending.entries, 0, "after reclaim");
                }
            }
            Step::TryReclaim => {
                let pending = self.map.try_reclaim();
                assert_eq!(pending.entries as usize, self.model.pending.len(), "after try_reclaim");
            }
            Step::CloneCompareExtend(keys) => self.clone_compare_extend(keys),
        }
        self.check();
    }

    fn perform_all(&mut self, ops: &[Op]) {
        for (number, op) in ops.iter().enumerate() {
            // In turns in a session, if one is open, and on the map.
            let session = self.session(number).filter(|_| number % 2 == 1);
            self.perform(session, op);
        }
    }

    fn hold(&mut self, key: u8, in_session: bool, meanwhile: &[Op]) {
        let before = self.model.value(key);
        let map = self.map;
        if in_session {
            let guard = self.model.take_guard();
            let session = map.pin();
            let found = session.get(&key);
            assert_eq!(found.map(Numbered::number), before);
            self.perform_all(meanwhile);
            assert_eq!(found.map(Numbered::number), before, "a reference that was held");
            drop(session);
            self.model.drop_guard(guard);
        } else if let Some(found) = map.get(&key) {
            let guard = self.model.take_guard();
            self.perform_all(meanwhile);
            assert_eq!(Some(found.number()), before, "a Ref that was held");
            self.model.drop_guard(guard);
        } else {
            assert_eq!(before, None);
        }
    }

    fn hold_removed(&mut self, key: u8, meanwhile: &[Op]) {
        let map = self.map;
        // It keeps what it is a reference to.
        let guard = self.model.take_guard();
        let before = self.model.remove(key);
        let removed = map.remove(&key);
        assert_eq!(removed.is_some(), before.is_some());
        match removed {
            Some(removed) => {
                self.check();
                self.perform_all(meanwhile);
                assert_eq!(Some(removed.number()), before, "a Ref to what was removed");
                self.model.drop_guard(guard);
            }
            None => self.model.drop_guard(guard),
        }
    }

    fn take_removed(&mut self, key: u8, meanwhile: &[Op]) {
        let map = self.map;
        let expected = self.model.pair(key);
        let guard = self.model.take_guard();
        self.model.remove(key);
        let Some(removed) = map.remove_entry(&key) else {
            assert_eq!(expected, None);
            return self.model.drop_guard(guard);
        };
        self.perform_all(meanwhile);
        assert_eq!(Some(pair((removed.key(), removed.value()))), expected);
        let is_alone = self.model.guards.len() == 1;
        match removed.try_into_owned() {
            Ok((key, value)) => {
                assert!(is_alone, "another guard was live at the removal");
                self.by_value += 1;
                assert_eq!(Some(pair((&key, &value))), expected);
            }
            Err(removed) => {
                assert!(!is_alone, "nobody else looks");
                drop(removed);
            }
        }
        self.model.drop_guard(guard);
    }

    /// C2: whatever comes and goes meanwhile, each key that is there throughout is met once, and none twice.
    fn iterate(&mut self, ops: &[Op]) {
        let map = self.map;
        let guard = self.model.take_guard();
        let session = map.pin();
        let mut throughout: BTreeSet<u8> = self.model.entries.keys().copied().collect();
        let (mut met, mut ops) = (BTreeSet::new(), ops.iter());
        for (key, value) in &session {
            assert_eq!(Some((key, value).number()), self.model.value(**key), "what the iteration yields is there");
            assert!(met.insert(**key), "key {key:?} was met twice");
            if let Some(op) = ops.next() {
                self.perform(None, op);
                throughout.retain(|key| self.model.entries.contains_key(key));
            }
        }
        assert!(met.is_superset(&throughout), "met {met:?}, and {throughout:?} were there throughout");
        drop(session);
        self.model.drop_guard(guard);
    }

    fn clone_compare_extend(&mut self, keys: &[u8]) {
        self.clone_and_drop(keys);
        // Each pair and each value that it was given, if it has the hook.
        self.of_clones += (self.model.entries.len() + keys.len()) as u64;
    }

    fn clone_and_drop(&self, keys: &[u8]) {
        let map = self.map;
        let mut clone = map.clone();
        assert!(clone == *map, "a clone is equal");
        assert_eq!(clone.len(), self.model.entries.len());
        let expected: BTreeSet<u8> = self.model.entries.keys().chain(keys).copied().collect();
        clone.extend(keys.iter().map(|key| (self.world.key(*key), self.world.value(*key))));
        assert_eq!(clone.pin().keys().map(|key| **key).collect::<BTreeSet<_>>(), expected);
        // Every value is new, so one more pair is enough to make a difference.
        assert_eq!(clone == *map, keys.is_empty());
        let collected: Map<'_, P, GoodHash> =
            map.pin().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        assert!(collected == *map, "whatever the hashers are");
    }
}

fn run<P: Payload, S: BuildHasher + Clone + Default>(
    steps: &[Step],
    reclaim: Reclaim,
    max_pending: Option<usize>,
    hook: bool,
) {
    let (keys, values) = (Ledger::new(), Ledger::new());
    {
        let builder: Builder<Key<'_>, Value<'_, P>> = HashMap::builder();
        let mut builder = builder.hasher(S::default()).reclaim(reclaim);
        if let Some(entries) = max_pending {
            builder = builder.max_pending(entries);
        }
        let hooked = hook.then(Arc::<AtomicU64>::default);
        if let Some(hooked) = hooked.clone() {
            builder = builder.on_reclaim(move |_| _ = hooked.fetch_add(1, Ordering::Relaxed));
        }
        let map = builder.build();
        let batch = match reclaim {
            Reclaim::Batched(items) => items as u64,
            _ => 0,
        };
        let world = World { keys: &keys, values: &values, values_made: Cell::new(0) };
        let (model, sessions) = (Model::default(), Vec::new());
        let mut run = Run { world, map: &map, batch, hooked, of_clones: 0, by_value: 0, model, sessions };
        for step in steps {
            run.step(step);
        }
        run.check_contents();
        for number in 0..run.sessions.len() {
            run.step(&Step::Close(number));
        }
        run.check_contents();
        drop(run);
        map.try_reclaim();
        keys.assert_alive(map.pin().keys());
        values.assert_alive(map.pin().values());
    }
    assert_eq!((keys.live(), values.live()), (0, 0), "left after the map is gone");
}

/// A number of cases that keeps each test to some seconds without optimization.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn with_a_good_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, GoodHash>(&steps, Reclaim::Immediate, None, false);
    }

    #[test]
    fn with_a_constant_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, ConstantHash>(&steps, Reclaim::Immediate, Some(3), true);
    }

    #[test]
    fn with_a_low_bits_hash(steps in prop::collection::vec(step(), 1..120)) {
        run::<u64, LowBitsHash>(&steps, Reclaim::Immediate, None, true);
    }

    #[test]
    fn with_large_values(steps in prop::collection::vec(step(), 1..120)) {
        run::<[u64; 9], GoodHash>(&steps, Reclaim::Immediate, Some(1), false);
    }

    #[test]
    fn with_garbage_in_batches(steps in prop::collection::vec(step(), 1..120), items in 0..20usize) {
        run::<u64, LowBitsHash>(&steps, Reclaim::Batched(items), Some(10), true);
    }
}
