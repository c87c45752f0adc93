//! What must never be seen: the invariants of DESIGN.md by their numbers, and C1, R1 and R2 of the contract, as far as this model shows
//! them. Some are looked for in each state; others are broken by a step, which notes that in `State::broken`.

use crate::history::has_order;
use crate::state::*;

/// Notes of steps. The number is a bit of [`State::broken`].
#[derive(Clone, Copy, Debug)]
pub enum Broken {
    /// A slot was seen linked that holds no entry.
    E1,
    /// An entry was looked at that had been freed.
    E2,
    /// A value was looked at that had been freed.
    E3,
    /// Something was retired twice, or freed twice, or freed without that.
    E5,
    /// Two threads were at `waiting`.
    Q2,
    /// A state was looked at that had been freed, or replaced by a thread that had not got the mutex.
    S1,
    /// A table was looked at that had been freed.
    T1,
    /// An entry was killed twice, or retired while it was linked where new readers look.
    W1,
}

/// What is asked of a state, and its name.
type Named = (&'static str, fn(&State) -> bool);

pub const INVARIANTS: [Named; 14] = [
    ("C1", c1),
    ("E1", |state| !state.has_broken(Broken::E1)),
    ("E2", |state| !state.has_broken(Broken::E2)),
    ("E3", |state| !state.has_broken(Broken::E3)),
    ("E5", |state| !state.has_broken(Broken::E5)),
    ("P1, P2", somebody_can_go_on),
    ("Q2", |state| !state.has_broken(Broken::Q2)),
    ("R1, R2", nothing_waits_for_nobody),
    ("S1", |state| !state.has_broken(Broken::S1)),
    ("T1", |state| !state.has_broken(Broken::T1)),
    ("T2", t2),
    ("W1", |state| !state.has_broken(Broken::W1)),
    ("W2", w2),
    ("one live entry", one_live_entry),
];

/// States that the model must reach, or it shows nothing of what it is about.
pub const REACHED: [Named; 11] = [
    ("an entry on the dead list", |state| !state.dead.is_empty()),
    ("garbage that waits for a guard", |state| state.waiting.iter().any(|item| item.stamp >= state.horizon())),
    ("a collector that is asked for one more pass", |state| {
        state.collector == Collector::Again && state.threads.iter().any(|thread| thread.step == Step::PassEnd)
    }),
    ("a reader on a state that has been replaced", |state| {
        state.threads.iter().any(|thread| thread.step == Step::LoadWord && thread.hands.state != state.current)
    }),
    ("a reader at an entry that has died", |state| {
        let dead = |thread: &Thread| state.entries[usize::from(thread.hands.entry) - 1].dead;
        state.threads.iter().any(|thread| thread.step == Step::LoadWord && dead(thread))
    }),
    ("a search that has to be done again", |state| {
        state.threads.iter().any(|thread| thread.step == Step::TakeDead && thread.hands.then == Step::Searching)
    }),
    ("an overwrite that comes too late", |state| state.threads.iter().any(|thread| thread.step == Step::Reload)),
    ("a slot used again", |state| state.threads.iter().any(|thread| thread.step == Step::LinkPointer)),
    ("a next table half done", |state| state.next.is_some_and(|next| next.copied > 0)),
    ("a reader that promotes", |state| {
        let promotes = |thread: &Thread| matches!(thread.program[usize::from(thread.begun) - 1], crate::Call::Get(_));
        state.threads.iter().any(|thread| thread.step == Step::Promote && promotes(thread))
    }),
    ("all calls have returned", |state| state.is_at(Step::Done)),
];

impl State {
    pub fn has_broken(&self, what: Broken) -> bool {
        self.broken & (1 << what as u16) != 0
    }

    pub fn breaks(&mut self, what: Broken) {
        self.broken |= 1 << what as u16;
    }

    /// The tables that a reader sees which begins now.
    pub fn current_tables(&self) -> Tables {
        match self.current {
            0 => Tables::default(),
            id => self.states[usize::from(id) - 1],
        }
    }

    fn linked_now(&self) -> impl Iterator<Item = (usize, Id)> + '_ {
        self.current_tables().ids().flat_map(|id| self.tables[usize::from(id) - 1].linked())
    }

    pub fn horizon(&self) -> Epoch {
        self.epochs.iter().copied().filter(|epoch| *epoch != 0).min().unwrap_or(Epoch::MAX)
    }

    /// Is every thread at this step?
    pub fn is_at(&self, step: Step) -> bool {
        self.threads.iter().all(|thread| thread.step == step)
    }

    /// No call is running.
    fn is_quiet(&self) -> bool {
        self.threads.iter().all(|thread| matches!(thread.step, Step::Idle | Step::Done))
    }
}

fn c1(state: &State) -> bool {
    if !state.is_at(Step::Done) {
        return true;
    }
    let mut last = [0; KEYS];
    for (key, id) in state.linked_now() {
        let entry = state.entries[usize::from(id) - 1];
        if !entry.dead {
            last[key] = entry.value;
        }
    }
    has_order(state, last)
}

fn somebody_can_go_on(state: &State) -> bool {
    state.is_at(Step::Done) || (0..THREADS).any(|thread| state.may_step(thread))
}

/// When no call is running, what is not in the map has been freed, and what is has not.
fn nothing_waits_for_nobody(state: &State) -> bool {
    if !state.is_quiet() {
        return true;
    }
    let tables = state.current_tables();
    let next = state.next.map_or(0, |next| next.table);
    let is_live = |life: Life, live: bool| life == if live { Life::InUse } else { Life::Freed };
    let mut named = [false; CALLS * THREADS + KEYS + 1];
    for (_, entry) in state.linked_now() {
        named[usize::from(state.entries[usize::from(entry) - 1].value)] = true;
    }
    let id = |index: usize| index as Id + 1;
    state.inbox.is_empty()
        && state.waiting.is_empty()
        && state.states.iter().enumerate().all(|(index, it)| is_live(it.life, id(index) == state.current))
        && state
            .tables
            .iter()
            .enumerate()
            .all(|(index, it)| is_live(it.life, tables.ids().any(|table| table == id(index)) || id(index) == next))
        && state
            .entries
            .iter()
            .enumerate()
            .all(|(index, it)| is_live(it.life, state.linked_now().any(|(_, entry)| entry == id(index))))
        && state.values.iter().enumerate().all(|(value, life)| *life == Life::New || is_live(*life, named[value + 1]))
}

fn t2(state: &State) -> bool {
    let Some(next) = state.next else { return true };
    let tables = state.current_tables();
    let table = |id: Id| &state.tables[usize::from(id) - 1];
    let sources = || next.sources.into_iter().filter(|source| *source != 0);
    let copied = || next.sources.into_iter().take(next.copied.into()).filter(|source| *source != 0);
    sources().all(|source| tables.ids().any(|id| id == source))
        && table(next.table).linked().all(|(_, entry)| copied().any(|source| table(source).has(entry)))
        && copied().all(|source| table(source).linked().all(|(_, entry)| table(next.table).has(entry)))
}

fn w2(state: &State) -> bool {
    let live = |(_, entry): (usize, Id)| !state.entries[usize::from(entry) - 1].dead;
    !state.is_quiet() || (state.dead.is_empty() && state.linked_now().all(live))
}

fn one_live_entry(state: &State) -> bool {
    let mut live = [0; KEYS];
    for (key, entry) in state.linked_now() {
        live[key] += u8::from(entry != 0 && !state.entries[usize::from(entry) - 1].dead);
    }
    live.iter().all(|live| *live <= 1)
}
