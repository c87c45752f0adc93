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

impl Value {
    /// What a call inserts that would have overwritten with another value.
    pub(crate) fn first(self) -> Value {
        Value { number: self.number | FIRST, ..self }
    }

    pub(crate) fn is_first(self) -> bool {
        self.number & FIRST != 0
    }
}

/// Above all numbers of calls, and even.
const FIRST: u16 = 1 << 15;

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
    /// By other calls than `get`.
    Read,
    ContainsKey,
    Insert(Value),
    TryInsert(Value),
    GetOrInsert(Value),
    GetOrInsertWith(Value),
    Update(Value),
    UpdateOrInsert(Value),
    UpdateOrInsertWith(Value),
    CompareExchange {
        expected: Value,
        new: Value,
    },
    /// Does what [`Next`] says of the value that is there.
    Compute(Value),
    Remove,
    /// Removes values with even numbers.
    RemoveIf,
    RemoveEntry,
    RemoveOwned,
    /// Of this key among others that are new, which `insert_many` counts.
    InsertMany(Value),
    /// Of this key among others that are absent.
    RemoveMany,
    /// What an iteration says of the key.
    Iterate,
    /// What a `get_many` of all keys says of this one.
    GetMany,
    /// What an `insert_many` of all keys does to this one.
    InsertAll(Value),
    RemoveAll,
    /// What a `retain` does to the key, which removes values with even numbers.
    Retain,
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
    /// The call says nothing of the key.
    Done,
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
            Outcome::Present(_) | Outcome::Done => None,
        }
    }
}

impl Call {
    /// How many there are, `Clear` among them.
    pub(crate) const KINDS: usize = 24;

    /// The value that the call may write.
    pub(crate) fn writes(self) -> Option<Value> {
        match self {
            Call::Insert(new) | Call::TryInsert(new) | Call::GetOrInsert(new) | Call::GetOrInsertWith(new) => Some(new),
            Call::Update(new) | Call::UpdateOrInsert(new) | Call::UpdateOrInsertWith(new) => Some(new),
            Call::Compute(new) | Call::CompareExchange { new, .. } => Some(new),
            Call::InsertMany(new) | Call::InsertAll(new) => Some(new),
            Call::Get | Call::Read | Call::ContainsKey | Call::Iterate | Call::GetMany => None,
            Call::Remove | Call::RemoveIf | Call::RemoveEntry | Call::RemoveOwned => None,
            Call::RemoveMany | Call::RemoveAll | Call::Retain | Call::Clear => None,
        }
    }

    /// Does it visit all keys, each at a moment of its own?
    pub(crate) fn sweeps(self) -> bool {
        matches!(self, Call::Iterate | Call::GetMany | Call::InsertAll(_) | Call::RemoveAll | Call::Retain)
    }

    /// What a call must return if the key has `old`, and what the key has then.
    pub(crate) fn on(self, old: Option<Value>) -> (Outcome, Option<Value>) {
        match (self, old) {
            (Call::Get | Call::Read | Call::Iterate | Call::GetMany, _) => (Outcome::Found(old), old),
            (Call::ContainsKey, _) => (Outcome::Present(old.is_some()), old),
            (Call::Insert(new), _) => (Outcome::Old(old), Some(new)),
            (Call::TryInsert(new), None) => (Outcome::Inserted(new), Some(new)),
            (Call::GetOrInsert(new) | Call::GetOrInsertWith(new), None) => (Outcome::Found(Some(new)), Some(new)),
            (Call::GetOrInsert(_) | Call::GetOrInsertWith(_), Some(_)) => (Outcome::Found(old), old),
            (Call::Update(new) | Call::UpdateOrInsert(new) | Call::UpdateOrInsertWith(new), Some(old)) => {
                (Outcome::Updated { old, new }, Some(new))
            }
            (Call::UpdateOrInsert(new) | Call::UpdateOrInsertWith(new), None) => {
                (Outcome::Inserted(new.first()), Some(new.first()))
            }
            (Call::CompareExchange { expected, new }, Some(now)) if now == expected => (Outcome::Old(old), Some(new)),
            (Call::TryInsert(_) | Call::Update(_) | Call::CompareExchange { .. }, _) => (Outcome::Kept(old), old),
            (Call::Compute(new), _) => match (Next::after(old), old) {
                (Next::Abort, _) => (Outcome::Kept(old), old),
                (Next::Remove, _) => (Outcome::Old(old), None),
                (Next::Insert, None) => (Outcome::Inserted(new), Some(new)),
                (Next::Insert, Some(old)) => (Outcome::Updated { old, new }, Some(new)),
            },
            (Call::RemoveIf | Call::Retain, Some(now)) if !wanted(now) => (Outcome::Kept(old), old),
            (Call::Retain, None) => (Outcome::Found(None), None),
            (Call::Remove | Call::RemoveIf | Call::RemoveEntry | Call::RemoveOwned | Call::Retain, _) => {
                (Outcome::Old(old), None)
            }
            (Call::InsertMany(new), _) => (Outcome::Present(old.is_some()), Some(new)),
            (Call::RemoveMany, _) => (Outcome::Present(old.is_some()), None),
            (Call::InsertAll(new), _) => (Outcome::Done, Some(new)),
            (Call::RemoveAll | Call::Clear, _) => (Outcome::Done, None),
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
        if let (Call::Retain, Outcome::Old(found)) = (self.call, self.outcome) {
            // It wanted to remove what it had found, or another was faster.
            if found.is_some() && state[self.key].is_none() {
                return Some(state);
            }
        }
        let mut after = state;
        let (outcome, value) = self.call.on(state[self.key]);
        match self.call {
            Call::Clear => after = State::default(),
            _ => after[self.key] = value,
        }
        (outcome == self.outcome).then_some(after)
    }

    /// True if wherever it fits and changes nothing it may be placed at once; later it could only fit less well. Not so what fits
    /// anywhere, and might change something later.
    pub(crate) fn is_settled_by_fitting(&self) -> bool {
        !matches!((self.call, self.outcome), (Call::Clear | Call::RemoveAll, _) | (Call::Retain, Outcome::Old(_)))
    }

    /// Has it written this value?
    pub(crate) fn wrote(&self, value: Value) -> bool {
        self.call.writes() == Some(value) || self.outcome == Outcome::Inserted(value)
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
