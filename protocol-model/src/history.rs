//! The calls of a program, and whether what they returned has an order (C1).

use crate::state::{CALLS, Id, KEYS, State, THREADS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    Get(u8),
    Insert(u8),
    Remove(u8),
    Clear,
    /// The thread has made all of its calls.
    Nothing,
}

impl Call {
    pub fn key(self) -> usize {
        match self {
            Call::Get(key) | Call::Insert(key) | Call::Remove(key) => key.into(),
            Call::Clear | Call::Nothing => 0,
        }
    }

    /// All that a thread can do.
    pub fn all() -> impl Iterator<Item = Call> {
        let keys = 0..KEYS as u8;
        keys.flat_map(|key| [Call::Get(key), Call::Insert(key), Call::Remove(key)]).chain([Call::Clear])
    }
}

/// The value that a call writes: each its own.
pub fn value(thread: usize, call: usize) -> Id {
    (1 + KEYS + thread * CALLS + call) as Id
}

/// Is there an order of all calls that respects which had returned before another began, in which a plain map returns the same, and
/// has the same in the end?
pub fn has_order(state: &State, last: [Id; KEYS]) -> bool {
    place(state, [0; THREADS], state.first, last)
}

/// The same when so many calls of each thread have been placed, and the map holds `held` then.
fn place(state: &State, placed: [usize; THREADS], held: [Id; KEYS], last: [Id; KEYS]) -> bool {
    let calls = |thread: usize| usize::from(state.threads[thread].begun);
    if (0..THREADS).all(|thread| placed[thread] == calls(thread)) {
        return held == last;
    }
    (0..THREADS).filter(|thread| placed[*thread] < calls(*thread)).any(|thread| {
        let call = placed[thread];
        let after = state.threads[thread].after[call];
        let may_be_next = (0..THREADS).all(|other| usize::from(after[other]) <= placed[other]);
        let (returned, held) = perform(state.threads[thread].program[call], value(thread, call), held);
        let mut placed = placed;
        placed[thread] += 1;
        may_be_next && state.threads[thread].results[call] == returned && place(state, placed, held, last)
    })
}

/// What a plain map returns, and holds then.
fn perform(call: Call, new: Id, mut held: [Id; KEYS]) -> (Id, [Id; KEYS]) {
    let old = held[call.key()];
    match call {
        Call::Get(_) => (old, held),
        Call::Insert(key) => {
            held[usize::from(key)] = new;
            (old, held)
        }
        Call::Remove(key) => {
            held[usize::from(key)] = 0;
            (old, held)
        }
        Call::Clear => (0, [0; KEYS]),
        Call::Nothing => (0, held),
    }
}
