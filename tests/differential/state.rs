//! What is known of a map beside the map itself, and stays while runs on it end and begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::answers::Answer;
use crate::common::fuse::Fuse;
use crate::model::Model;
use crate::steps::{Expected, Next, Op};
use crate::world::World;

pub(crate) struct State<'l> {
    pub(crate) world: World<'l>,
    /// Garbage that may be saved up.
    pub(crate) batch: u64,
    /// Garbage that stops one-shot writers.
    pub(crate) cap: Option<u64>,
    /// What the hook has been given, and of that what came from clones, and from maps that are gone.
    pub(crate) hooked: Option<Arc<AtomicU64>>,
    pub(crate) of_others: u64,
    /// Pairs that have been handed over.
    pub(crate) by_value: u64,
    /// For the calls to come, the next one last.
    pub(crate) fuses: Vec<Option<Fuse>>,
    pub(crate) model: Model,
}

impl<'l> State<'l> {
    /// The fuse of the next call.
    pub(crate) fn fuse(&mut self) -> Option<Fuse> {
        self.fuses.pop().flatten()
    }

    /// What the map itself has given to the hook, if it has one.
    pub(crate) fn given(&self) -> Option<u64> {
        self.hooked.as_ref().map(|hooked| hooked.load(Ordering::Relaxed) - self.of_others)
    }

    /// The model's answer to an operation, which it does. `id` and `value` are those of the next key and value.
    pub(crate) fn answer(&mut self, op: &Op) -> Answer {
        let (model, world) = (&mut self.model, &self.world);
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
}
