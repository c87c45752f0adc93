//! A model of tidymap's protocol, for `stateright`: who sees which tables and entries, who unlinks and retires them, and when they are freed.
//! All orders of the steps of all programs of two threads that make two calls each, on two keys. Memory is sequentially consistent here; the
//! map's own code under weak orderings is what `loom-tests` is for.
//!
//! - [`state`]: what threads share, and what each has in its hands;
//! - [`steps`]: what the steps are in the code, and those of a call; `clear`: those of `clear`; `holder`: those under the mutex; `reclaim`: those of ending guards;
//! - [`history`]: the calls, and C1; [`invariants`]: what must never be seen;
//! - [`bug`]: what is broken on purpose, to see the invariants fail.

pub mod bug;
mod clear;
pub mod history;
mod holder;
pub mod invariants;
mod reclaim;
pub mod state;
pub mod steps;

use arrayvec::ArrayVec;
use stateright::{Model, Property};

use bug::Bug;
pub use history::Call;
use invariants::{INVARIANTS, REACHED};
use state::*;

/// What is explored.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub bug: Bug,
    /// What each thread does.
    pub programs: Vec<Program>,
}

/// What the threads do.
pub type Program = [[Call; CALLS]; THREADS];

impl Protocol {
    /// All programs of two calls for each thread. Who is called the first thread makes no difference, so one of two that are the same but for
    /// that.
    pub fn two_and_two() -> Vec<Program> {
        let each = || Call::all().flat_map(|first| Call::all().map(move |second| [first, second]));
        let pairs = each().flat_map(|one| each().map(move |other| [one, other]));
        pairs.filter(|[one, other]| one <= other).collect()
    }

    /// All programs of two calls for one thread and one for the other.
    pub fn two_and_one() -> Vec<Program> {
        let each = || Call::all().flat_map(|first| Call::all().map(move |second| [first, second]));
        each().flat_map(|one| Call::all().map(move |other| [one, [other, Call::Nothing]])).collect()
    }
}

/// An empty map, or one with a key in the read table and one in the dirty table.
fn first_state(program: Program, filled: bool, limit: u8) -> State {
    let thread = |program| Thread {
        program,
        begun: 0,
        returned: 0,
        results: [0; CALLS],
        after: [[0; THREADS]; CALLS],
        step: Step::Idle,
        hands: Hands::default(),
    };
    let mut state = State {
        current: 0,
        states: ArrayVec::new(),
        tables: ArrayVec::new(),
        entries: ArrayVec::new(),
        values: [Life::New; CALLS * THREADS + KEYS],
        mutex: THREADS as u8,
        links: 0,
        dirty_used: 0,
        limit,
        misses: false,
        next: None,
        dead: ArrayVec::new(),
        now: 1,
        awaited: 0,
        epochs: [0; THREADS],
        inbox: ArrayVec::new(),
        collector: Collector::Idle,
        collecting: THREADS as u8,
        waiting: ArrayVec::new(),
        threads: program.map(thread),
        first: [0; KEYS],
        broken: 0,
    };
    if filled {
        for key in 0..KEYS {
            let id = key as Id + 1;
            state.entries.push(Entry { key: key as u8, value: id, dead: false, life: Life::InUse });
            let mut table = Table::default();
            table.slots[key][0] = Slot { entry: id, linked: true };
            state.tables.push(table);
            state.values[key] = Life::InUse;
            state.first[key] = id;
        }
        state.states.push(Tables { read: 1, young: [2, 0, 0], life: Life::InUse });
        (state.current, state.links, state.dirty_used) = (1, KEYS as u8, 1);
    }
    state
}

impl Model for Protocol {
    type State = State;
    /// Which thread goes on.
    type Action = usize;

    fn init_states(&self) -> Vec<State> {
        let each = |program: &Program| {
            [(true, 1), (true, 2), (false, 1)].map(|(filled, limit)| first_state(*program, filled, limit))
        };
        self.programs.iter().flat_map(each).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<usize>) {
        actions.extend((0..THREADS).filter(|thread| state.may_step(*thread)));
    }

    fn next_state(&self, last: &State, thread: usize) -> Option<State> {
        // What comes after a broken invariant shows nothing.
        if last.broken != 0 {
            return None;
        }
        let mut state = last.clone();
        steps::Stepper { state: &mut state, thread, bug: self.bug }.step();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // A condition is a plain function, which carries nothing with it: each names its invariant by number.
        let mut properties: Vec<Property<Self>> = Vec::new();
        macro_rules! each {
            ($kind:ident $list:ident $($number:literal)*) => {
                $(properties.push(Property::<Self>::$kind($list[$number].0, |_, state| $list[$number].1(state)));)*
                assert_eq!(properties.iter().filter(|it| $list.iter().any(|(name, _)| *name == it.name)).count(), $list.len());
            };
        }
        each!(always INVARIANTS 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
        if self.bug == Bug::None {
            each!(sometimes REACHED 0 1 2 3 4 5 6 7 8 9 10);
        }
        properties
    }
}
