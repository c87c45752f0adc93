//! `clear`: `core/bulk.rs`, and `forget_tables` in `core/rebuild.rs`.

use crate::bug::Bug;
use crate::history::Call;
use crate::state::*;
use crate::steps::Stepper;

impl Stepper<'_> {
    pub(crate) fn clear_lock(&mut self) -> Step {
        if self.bug != Bug::ClearsWithoutMutex {
            self.state.mutex = self.thread as u8;
        }
        let current = self.state.current;
        let hands = self.hands();
        (hands.state, hands.place) = (current, 0);
        if current == 0 { self.with_mutex(1, Step::Exit) } else { Step::ForgetTables }
    }

    /// The next slot of the old tables, the youngest table first, each from its end.
    pub(crate) fn kill_all(&mut self) -> Step {
        let mut tables: Vec<Id> = self.loaded().ids().collect();
        tables[1..].reverse();
        tables.reverse();
        let slots = tables.into_iter().flat_map(|table| (0..KEYS).map(move |key| (table, key)));
        let Some((table, key)) = slots.clone().nth(self.hands().place.into()) else { return Step::Seal };
        self.hands().place += 1;
        for slot in self.look_at(table).slots[key].into_iter().rev().filter(|slot| slot.linked) {
            if !self.entry(slot.entry).dead && self.bug != Bug::ClearLeavesEntries {
                self.state.entries[usize::from(slot.entry) - 1].dead = true;
                self.retire(Garbage::Entry(slot.entry));
            }
        }
        if usize::from(self.hands().place) == slots.count() { Step::Seal } else { Step::KillAll }
    }

    pub(crate) fn forget_tables(&mut self) -> Step {
        if let Some(next) = self.state.next.take() {
            self.retire(Garbage::Table(next.table));
        }
        self.publish(0, [0; YOUNG]);
        (self.state.dirty_used, self.state.misses) = (0, false);
        match self.call() {
            Call::Clear if self.bug == Bug::ClearsWithoutMutex => Step::KillAll,
            Call::Clear => self.with_mutex(1, Step::KillAll),
            // In `tend`.
            _ => Step::Unlock,
        }
    }
}
