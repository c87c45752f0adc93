//! Steps in which a value is computed.

use std::future::{Future, pending};
use std::hash::BuildHasher;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::answers::Numbered;
use crate::common::fuse::{Fuse, burn, go_off, lit};
use crate::run::Run;
use crate::steps::Init;
use crate::world::Payload;

/// So that the panic of a computation is seen that is to panic.
const NEVER: Fuse = Fuse { first: u32::MAX, again: None };

/// None if it waits.
fn poll<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

impl<P, S> Run<'_, '_, P, S>
where
    P: Payload,
    S: BuildHasher + Clone,
{
    pub(crate) fn get_or_init(&mut self, key: u8, init: Init) {
        let fuse = self.state.fuse();
        let before = self.state.model.clone();
        let other = key ^ 1;
        let expected = self.computed(key, other, init);
        let (map, world, guards) = (self.map, &self.state.world, before.guards.len());
        // What a computation sees: no guard of its own call.
        let look = |flights: usize| assert_eq!((map.in_flight(), map.stats().live_guards), (flights, guards));
        let compute = |key: u8| {
            look(1);
            world.value(key)
        };
        let answer = lit(fuse.or(Some(NEVER)), || match init {
            Init::Value => Some(map.get_or_init(world.key(key), || compute(key)).number()),
            Init::Overtaken => {
                let overtaken = map.get_or_init(world.key(key), || {
                    assert!(map.insert(world.key(key), world.value(key)).is_none());
                    compute(key)
                });
                Some(overtaken.number())
            }
            Init::Nested => {
                let outer = map.get_or_init(world.key(key), || {
                    map.get_or_init(world.key(other), || {
                        look(2);
                        world.value(other)
                    });
                    compute(key)
                });
                Some(outer.number())
            }
            Init::Error | Init::Panic => {
                let failed = map.try_get_or_init(world.key(key), || {
                    look(1);
                    burn();
                    if matches!(init, Init::Panic) { go_off() } else { Err(key) }
                });
                failed.map(Numbered::number).map_err(|error| assert_eq!(error, key)).ok()
            }
            Init::Task => poll(map.get_or_init_async(world.key(key), async { compute(key) })).map(Numbered::number),
            Init::Cancelled => poll(map.get_or_init_async(world.key(key), pending())).map(Numbered::number),
        });
        match answer {
            Some(answer) => {
                assert_eq!(answer, expected, "the answer to {init:?}");
                assert!(answer.is_some() || !matches!(init, Init::Panic), "it was to panic");
            }
            None => {
                assert!(fuse.is_some() || matches!(init, Init::Panic), "there was no fuse");
                self.half_done(before);
            }
        }
        assert_eq!(self.map.in_flight(), 0);
    }

    /// The model's answer, after which it is as the map will be.
    fn computed(&mut self, key: u8, other: u8, init: Init) -> Option<u64> {
        let (world, model) = (&self.state.world, &mut self.state.model);
        if model.value(key).is_none() {
            let (id, next) = (world.keys.made(), |key| world.next_value(key));
            match init {
                Init::Value | Init::Task => drop(model.insert(key, id, next(key))),
                // The other's key and value, which are made while it computes.
                Init::Overtaken => drop(model.insert(key, id + 1, next(key))),
                Init::Nested => {
                    let is_new = model.value(other).is_none();
                    if is_new {
                        model.insert(other, id + 1, next(other));
                    }
                    model.insert(key, id, next(key) + 256 * u64::from(is_new));
                }
                Init::Error | Init::Panic | Init::Cancelled => {}
            }
        }
        model.value(key)
    }
}
