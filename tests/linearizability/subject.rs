//! What is tested: maps, and the ways to make calls on them.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidymap::{Builder, HashMap, Pinned, ReadFence, Reader, Reclaim, SessionGuard};

use crate::calls::{Calls, Key, Map, Pair, Sweep};
use crate::history::Script;
use crate::model::{Call, Outcome, Value};

/// A map, and a way to make calls on it.
pub(crate) trait Subject: Calls + Default + Sync + Sized {
    type Hasher: BuildHasher + Sync;

    fn map(&self) -> &Map<Self::Hasher>;

    /// Makes the next calls of a thread.
    fn follow(&self, script: &mut Script<'_>, calls: usize) {
        (0..calls).for_each(|_| script.record(self));
    }
}

/// For a map: every other one has its reads execute a fence, whether others come and go or not.
fn builder<S: BuildHasher + Default>() -> Builder<Key, Value, S> {
    static MAPS: AtomicUsize = AtomicUsize::new(0);
    let is_fenced = MAPS.fetch_add(1, Ordering::Relaxed) % 2 == 1;
    let read_fence = if is_fenced { ReadFence::Always } else { ReadFence::default() };
    HashMap::builder().hasher(S::default()).read_fence(read_fence)
}

/// Each call under a guard of its own.
pub(crate) struct OneShot<S>(Map<S>);

impl<S: BuildHasher + Default> Default for OneShot<S> {
    fn default() -> Self {
        OneShot(builder().build())
    }
}

impl<S: BuildHasher> Calls for OneShot<S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        self.0.perform(key, call)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.0.sweep(keys, call)
    }
}

impl<S: BuildHasher + Default + Sync> Subject for OneShot<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        &self.0
    }
}

/// The same on a map with a cap on garbage: calls wait for room, and go another way when there is none.
pub(crate) struct Capped<S>(OneShot<S>);

impl<S: BuildHasher + Default> Default for Capped<S> {
    fn default() -> Self {
        Capped(OneShot(builder().max_pending(1).build()))
    }
}

impl<S: BuildHasher> Calls for Capped<S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        self.0.perform(key, call)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.0.sweep(keys, call)
    }
}

impl<S: BuildHasher + Default + Sync> Subject for Capped<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        self.0.map()
    }
}

/// Several calls to a session, which is now and then refreshed; on a map that saves garbage up.
pub(crate) struct InSessions<S>(Map<S>);

impl<S: BuildHasher + Default> Default for InSessions<S> {
    fn default() -> Self {
        InSessions(builder().reclaim(Reclaim::Batched(8)).build())
    }
}

impl<S: BuildHasher> Calls for InSessions<S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        self.0.pin().perform(key, call)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.0.pin().sweep(keys, call)
    }
}

impl<S: BuildHasher + Default + Sync> Subject for InSessions<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        &self.0
    }

    fn follow(&self, script: &mut Script<'_>, calls: usize) {
        follow_in_sessions(script, calls, || self.0.pin());
    }
}

/// The same in sessions that belong to no thread.
pub(crate) struct InOwnedSessions<S>(Map<S>);

impl<S: BuildHasher + Default> Default for InOwnedSessions<S> {
    fn default() -> Self {
        InOwnedSessions(builder().build())
    }
}

impl<S: BuildHasher> Calls for InOwnedSessions<S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        self.0.pin_owned().perform(key, call)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.0.pin_owned().sweep(keys, call)
    }
}

impl<S: BuildHasher + Default + Sync> Subject for InOwnedSessions<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        &self.0
    }

    fn follow(&self, script: &mut Script<'_>, calls: usize) {
        follow_in_sessions(script, calls, || self.0.pin_owned());
    }
}

/// Makes the next calls of a thread, some in each session that `open` opens.
fn follow_in_sessions<'m, S, G>(script: &mut Script<'_>, calls: usize, open: impl Fn() -> Pinned<'m, Key, Value, S, G>)
where
    S: BuildHasher + 'm,
    G: SessionGuard<Key, Value>,
{
    let mut left = calls;
    while left > 0 {
        let mut session = open();
        let some = left.min(1 + script.below(8));
        for _ in 0..some {
            script.record(&session);
            if script.below(8) == 0 {
                session.refresh();
            }
        }
        left -= some;
    }
}

/// Each thread has a `Reader`, and looks by it; all else it calls on the map, with the reader's guard live beside.
pub(crate) struct ByReaders<S>(Map<S>);

impl<S: BuildHasher + Default> Default for ByReaders<S> {
    fn default() -> Self {
        ByReaders(builder().build())
    }
}

impl<S: BuildHasher> Calls for ByReaders<S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        Reading::new(&self.0).perform(key, call)
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.0.sweep(keys, call)
    }
}

impl<S: BuildHasher + Default + Sync> Subject for ByReaders<S> {
    type Hasher = S;

    fn map(&self) -> &Map<S> {
        &self.0
    }

    fn follow(&self, script: &mut Script<'_>, calls: usize) {
        let reading = Reading::new(&self.0);
        for _ in 0..calls {
            script.record(&reading);
            if script.below(8) == 0 {
                reading.reader.borrow_mut().park();
            }
        }
    }
}

/// A thread's reader.
struct Reading<'m, S> {
    map: &'m Map<S>,
    reader: RefCell<Reader<'m, Key, Value, S>>,
}

impl<'m, S: BuildHasher> Reading<'m, S> {
    fn new(map: &'m Map<S>) -> Reading<'m, S> {
        Reading { map, reader: RefCell::new(map.reader()) }
    }
}

impl<S: BuildHasher> Calls for Reading<'_, S> {
    fn perform(&self, key: usize, call: Call) -> Outcome {
        let mut reader = self.reader.borrow_mut();
        match call {
            Call::Get => Outcome::Found(reader.get(&Key(key)).copied()),
            Call::Read => Outcome::Found(reader.get_key_value(&Key(key)).map(|pair| pair.read())),
            Call::ContainsKey => Outcome::Present(reader.contains_key(&Key(key))),
            call => {
                // It is refused to a thread that has a guard.
                if call == Call::RemoveOwned {
                    reader.park();
                }
                self.map.perform(key, call)
            }
        }
    }

    fn sweep(&self, keys: usize, call: Call) -> Sweep {
        self.map.sweep(keys, call)
    }
}
