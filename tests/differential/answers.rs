//! What operations return, on maps and on sessions, with numbers in place of values.

use tidymap::Ref;

use crate::world::{Key, Payload, Value};

/// What an operation returned, with numbers in place of values.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
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
pub(crate) trait Numbered {
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

pub(crate) fn pair<P: Payload>((key, value): (&Key<'_>, &Value<'_, P>)) -> (u8, u64, u64) {
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
            Op::RemoveIf(key, wanted) => match target.remove_if(&key, |_, _| {
                burn();
                wanted
            }) {
                Ok(removed) => Answer::Value(removed.map(Numbered::number)),
                Err(kept) => Answer::NotWanted(kept.number()),
            },
            Op::Retain(bits) => {
                target.retain(|key, _| {
                    burn();
                    **key & bits != 0
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
