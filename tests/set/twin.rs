//! What a set of the standard library does in the place of ours, and with what.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use crate::common::Counted;

pub(crate) type Element<'l> = Counted<'l, u8>;

/// Stands for an element: equal to others of its value, and told from them by its number in the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    pub(crate) value: u8,
    pub(crate) id: u64,
}

impl Twin {
    pub(crate) fn of(element: &Element<'_>) -> Twin {
        Twin { value: **element, id: element.id() }
    }
}

impl PartialEq for Twin {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Twin {}

impl Hash for Twin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl Borrow<u8> for Twin {
    fn borrow(&self) -> &u8 {
        &self.value
    }
}

/// In an order, and with what tells equal ones apart.
pub(crate) fn sorted(twins: impl IntoIterator<Item = Twin>) -> Vec<(u8, u64)> {
    let mut twins: Vec<_> = twins.into_iter().map(|twin| (twin.value, twin.id)).collect();
    twins.sort_unstable();
    twins
}

/// An operation of both sets and sessions.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Contains(u8),
    Get(u8),
    Insert(u8),
    GetOrInsert(u8),
    Remove(u8),
    Take(u8),
    InsertMany(Vec<u8>),
    RemoveMany(Vec<u8>),
    /// Keeps the elements that have a bit in common with this.
    Retain(u8),
    Clear,
    Len,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    Yes(bool),
    Count(usize),
    /// By its number.
    Element(Option<u64>),
}

/// What the standard library's set answers, and does. `made` is the number of the next element.
pub(crate) fn answer(set: &mut HashSet<Twin>, made: u64, op: &Op) -> Answer {
    let twin = |value: u8, number: u64| Twin { value, id: made + number };
    match op {
        Op::Contains(value) => Answer::Yes(set.contains(value)),
        Op::Get(value) => Answer::Element(set.get(value).map(|twin| twin.id)),
        Op::Insert(value) => Answer::Yes(set.insert(twin(*value, 0))),
        Op::GetOrInsert(value) => {
            set.insert(twin(*value, 0));
            Answer::Element(set.get(value).map(|twin| twin.id))
        }
        Op::Remove(value) => Answer::Yes(set.remove(value)),
        Op::Take(value) => Answer::Element(set.take(value).map(|twin| twin.id)),
        Op::InsertMany(values) => {
            Answer::Count((0..).zip(values).filter(|(number, value)| set.insert(twin(**value, *number))).count())
        }
        Op::RemoveMany(values) => Answer::Count(values.iter().filter(|value| set.remove(*value)).count()),
        Op::Retain(bits) => {
            set.retain(|twin| twin.value & bits != 0);
            Answer::Nothing
        }
        Op::Clear => {
            set.clear();
            Answer::Nothing
        }
        Op::Len => Answer::Count(set.len()),
    }
}

/// Does an operation on a set or a session, which have the same names for them.
macro_rules! perform {
    ($ledger:expr, $target:expr, $op:expr) => {{
        let (ledger, target) = ($ledger, $target);
        match $op {
            Op::Contains(value) => Answer::Yes(target.contains(value)),
            Op::Get(value) => Answer::Element(target.get(value).map(|element| element.id())),
            Op::Insert(value) => Answer::Yes(target.insert(ledger.make(*value))),
            Op::GetOrInsert(value) => Answer::Element(Some(target.get_or_insert(ledger.make(*value)).id())),
            Op::Remove(value) => Answer::Yes(target.remove(value)),
            Op::Take(value) => Answer::Element(target.take(value).map(|element| element.id())),
            Op::InsertMany(values) => Answer::Count(target.insert_many(values.iter().map(|value| {
                burn();
                ledger.make(*value)
            }))),
            Op::RemoveMany(values) => Answer::Count(target.remove_many(values.iter().inspect(|_| burn()))),
            Op::Retain(bits) => {
                target.retain(|element| {
                    burn();
                    **element & bits != 0
                });
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
pub(crate) use perform;
