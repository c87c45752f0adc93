//! The calls that are recorded, and what they have to return: a map is a register for each key, which holds a value or nothing.

use std::fmt;

/// How many keys there are, at most.
pub(crate) const KEYS: usize = 4;

/// A value, written once in a history: so it is known which call a read value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Value {
    pub(crate) thread: u16,
    pub(crate) number: u16,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.thread, self.number)
    }
}

/// The values of all keys.
pub(crate) type State = [Option<Value>; KEYS];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Get,
    ContainsKey,
    Insert(Value),
    TryInsert(Value),
    GetOrInsert(Value),
    Update(Value),
    CompareExchange {
        expected: Value,
        new: Value,
    },
    /// Does what [`Next`] says of the value that is there.
    Compute(Value),
    Remove,
    /// Removes values with even numbers.
    RemoveIf,
    /// Of all keys, whichever is named.
    Clear,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// What the key has now.
    Found(Option<Value>),
    Present(bool),
    /// What the key had before the call overwrote or removed it.
    Old(Option<Value>),
    Inserted(Value),
    Updated {
        old: Value,
        new: Value,
    },
    /// The call has changed nothing, and this is what is there.
    Kept(Option<Value>),
    Cleared,
}

/// What the closure of a recorded `compute` wants.
pub(crate) enum Next {
    Insert,
    Remove,
    Abort,
}

impl Next {
    pub(crate) fn after(old: Option<Value>) -> Next {
        match old.map(|old| old.number % 3) {
            Some(0) => Next::Remove,
            Some(1) => Next::Abort,
            _ => Next::Insert,
        }
    }
}

/// Does `remove_if` remove it?
pub(crate) fn wanted(value: Value) -> bool {
    value.number % 2 == 0
}

impl Outcome {
    /// The value that the call came upon, or left.
    pub(crate) fn seen(self) -> Option<Value> {
        match self {
            Outcome::Found(value) | Outcome::Old(value) | Outcome::Kept(value) => value,
            Outcome::Updated { old, .. } => Some(old),
            Outcome::Inserted(new) => Some(new),
            Outcome::Present(_) | Outcome::Cleared => None,
        }
    }
}

impl Call {
    /// The value that the call may write.
    pub(crate) fn writes(self) -> Option<Value> {
        match self {
            Call::Insert(new) | Call::TryInsert(new) | Call::GetOrInsert(new) | Call::Update(new) => Some(new),
            Call::Compute(new) | Call::CompareExchange { new, .. } => Some(new),
            Call::Get | Call::ContainsKey | Call::Remove | Call::RemoveIf | Call::Clear => None,
        }
    }

    /// What a call must return if the key has `old`, and what the key has then.
    pub(crate) fn on(self, old: Option<Value>) -> (Outcome, Option<Value>) {
        match (self, old) {
            (Call::Get, _) => (Outcome::Found(old), old),
            (Call::ContainsKey, _) => (Outcome::Present(old.is_some()), old),
            (Call::Insert(new), _) => (Outcome::Old(old), Some(new)),
            (Call::TryInsert(new), None) => (Outcome::Inserted(new), Some(new)),
            (Call::GetOrInsert(new), None) => (Outcome::Found(Some(new)), Some(new)),
            (Call::GetOrInsert(_), Some(_)) => (Outcome::Found(old), old),
            (Call::Update(new), Some(old)) => (Outcome::Updated { old, new }, Some(new)),
            (Call::CompareExchange { expected, new }, Some(now)) if now == expected => (Outcome::Old(old), Some(new)),
            (Call::TryInsert(_) | Call::Update(_) | Call::CompareExchange { .. }, _) => (Outcome::Kept(old), old),
            (Call::Compute(new), _) => match (Next::after(old), old) {
                (Next::Abort, _) => (Outcome::Kept(old), old),
                (Next::Remove, _) => (Outcome::Old(old), None),
                (Next::Insert, None) => (Outcome::Inserted(new), Some(new)),
                (Next::Insert, Some(old)) => (Outcome::Updated { old, new }, Some(new)),
            },
            (Call::RemoveIf, Some(now)) if !wanted(now) => (Outcome::Kept(old), old),
            (Call::Remove | Call::RemoveIf, _) => (Outcome::Old(old), None),
            (Call::Clear, _) => (Outcome::Cleared, None),
        }
    }
}

/// A call that was made.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) thread: usize,
    /// When it began: a number of the history's clock.
    pub(crate) invoked: u64,
    pub(crate) returned: u64,
    pub(crate) key: usize,
    pub(crate) call: Call,
    pub(crate) outcome: Outcome,
}

impl Operation {
    /// What the map holds after this operation if it held `state` before; `None` if it would not have returned what it did.
    pub(crate) fn on(&self, state: State) -> Option<State> {
        let mut after = state;
        let (outcome, value) = self.call.on(state[self.key]);
        match self.call {
            Call::Clear => after = State::default(),
            _ => after[self.key] = value,
        }
        (outcome == self.outcome).then_some(after)
    }

    /// Does it say anything about this key?
    pub(crate) fn concerns(&self, key: usize) -> bool {
        self.key == key || self.call == Call::Clear
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6} to {:<6} thread {}  ", self.invoked, self.returned, self.thread)?;
        match self.call {
            Call::Clear => write!(f, "Clear"),
            call => write!(f, "key {}: {call:?} -> {:?}", self.key, self.outcome),
        }
    }
}
