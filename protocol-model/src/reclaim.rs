//! The end of a guard, and of garbage: `reclaim/epochs.rs`, `domain.rs`, `pending.rs`.

use crate::bug::Bug;
use crate::holder::freed_table;
use crate::invariants::Broken;
use crate::state::*;
use crate::steps::Stepper;

impl Stepper<'_> {
    /// `Held::retire`
    pub(crate) fn retire(&mut self, garbage: Garbage) {
        if let Garbage::Entry(entry) = garbage {
            let state = &*self.state;
            let mut tables = state.current_tables().ids().chain(state.next.map(|next| next.table));
            let is_linked = tables.any(|id| state.tables[usize::from(id) - 1].has(entry));
            if is_linked || !state.entries[usize::from(entry) - 1].dead {
                self.state.breaks(Broken::W1);
            }
        }
        let life = self.life(garbage);
        let was = std::mem::replace(life, Life::Retired);
        if was != Life::InUse {
            *life = was;
            self.state.breaks(Broken::E5);
        }
        let early = self.bug == Bug::StampsBeforeUnlinking && matches!(garbage, Garbage::Entry(_));
        let stamp = if early { self.hands().last } else { 0 };
        self.hands().retired.push(Retired { stamp, garbage });
    }

    fn life(&mut self, garbage: Garbage) -> &mut Life {
        let index = |id: Id| usize::from(id) - 1;
        match garbage {
            Garbage::Entry(id) => &mut self.state.entries[index(id)].life,
            Garbage::Value(id) => &mut self.state.values[index(id)],
            Garbage::Table(id) => &mut self.state.tables[index(id)].life,
            Garbage::State(id) => &mut self.state.states[index(id)].life,
        }
    }

    pub(crate) fn has_unstamped(&mut self) -> bool {
        self.hands().retired.iter().any(|item| item.stamp == 0)
    }

    /// `Domain::seal`
    pub(crate) fn stamp(&mut self) {
        if self.has_unstamped() {
            let stamp = self.state.now;
            self.state.now += 1;
            self.hands().retired.iter_mut().filter(|item| item.stamp == 0).for_each(|item| item.stamp = stamp);
        }
    }

    pub(crate) fn seal(&mut self) -> Step {
        self.stamp();
        Step::Exit
    }

    pub(crate) fn exit(&mut self) -> Step {
        self.read_value();
        self.state.epochs[self.thread] = 0;
        Step::ExitLook
    }

    /// `Epochs::exit`, and the beginning of `Domain::settle`.
    pub(crate) fn exit_look(&mut self) -> Step {
        let awaited = self.state.awaited;
        let looks = self.bug != Bug::LeavesWithoutLooking;
        let hands = self.hands();
        hands.awaited = looks && awaited >= hands.epoch;
        (hands.epoch, hands.searched) = (0, 0);
        hands.items = std::mem::take(&mut hands.retired);
        match (hands.items.is_empty(), hands.awaited) {
            (false, _) => Step::Horizon,
            (true, true) => Step::Collect,
            (true, false) => self.end_call(),
        }
    }

    /// With two threads it is one load: the calling thread's own record is clear.
    fn seen_horizon(&self) -> Epoch {
        if self.bug == Bug::HorizonIgnoresGuards { Epoch::MAX } else { self.state.horizon() }
    }

    pub(crate) fn horizon(&mut self) -> Step {
        let horizon = self.seen_horizon();
        let hands = self.hands();
        hands.horizon = horizon;
        match (hands.items.iter().any(|item| item.stamp >= horizon), hands.awaited) {
            (true, _) => Step::Push,
            (false, true) => Step::Collect,
            (false, false) => self.free(),
        }
    }

    pub(crate) fn push(&mut self) -> Step {
        let hands = self.hands();
        let horizon = hands.horizon;
        let rest: Vec<Retired> = hands.items.iter().copied().filter(|item| item.stamp >= horizon).collect();
        hands.items.retain(|item| item.stamp < horizon);
        hands.last = rest.iter().map(|item| item.stamp).max().unwrap_or(0);
        self.state.inbox.extend(rest);
        self.state.inbox.sort();
        Step::HoldBack
    }

    pub(crate) fn hold_back(&mut self) -> Step {
        self.state.awaited = self.state.awaited.max(self.hands().last);
        if self.bug == Bug::WaitsWithoutSecondLook { self.free() } else { Step::Collect }
    }

    pub(crate) fn collect(&mut self) -> Step {
        let was = self.state.collector;
        if self.bug != Bug::LeavesNoWord || was == Collector::Idle {
            self.state.collector = Collector::Again;
        }
        let begins = was == Collector::Idle || self.bug == Bug::CollectsBesideOthers;
        if begins { Step::PassBegin } else { self.free() }
    }

    pub(crate) fn pass_begin(&mut self) -> Step {
        self.state.collector = Collector::Busy;
        if !matches!(usize::from(self.state.collecting), THREADS) && usize::from(self.state.collecting) != self.thread {
            self.state.breaks(Broken::Q2);
        }
        self.state.collecting = self.thread as u8;
        Step::PassTake
    }

    pub(crate) fn pass_take(&mut self) -> Step {
        let inbox = std::mem::take(&mut self.state.inbox);
        self.state.waiting.extend(inbox);
        self.state.waiting.sort();
        if self.state.waiting.is_empty() { Step::PassEnd } else { Step::PassHorizon }
    }

    pub(crate) fn pass_horizon(&mut self) -> Step {
        let horizon = self.seen_horizon();
        let passed: Vec<Retired> = self.state.waiting.iter().copied().filter(|item| item.stamp < horizon).collect();
        self.state.waiting.retain(|item| item.stamp >= horizon);
        self.hands().items.extend(passed);
        Step::PassEnd
    }

    pub(crate) fn pass_end(&mut self) -> Step {
        if self.state.collector != Collector::Busy {
            return Step::PassBegin;
        }
        self.state.collector = Collector::Idle;
        self.state.collecting = THREADS as u8;
        self.free()
    }

    /// `Domain::free`. An entry takes its last value with it.
    fn free(&mut self) -> Step {
        for item in std::mem::take(&mut self.hands().items) {
            self.free_one(item.garbage, Life::Retired);
            if let Garbage::Entry(entry) = item.garbage {
                let value = self.state.entries[usize::from(entry) - 1].value;
                self.free_one(Garbage::Value(value), Life::InUse);
            }
        }
        self.end_call()
    }

    fn free_one(&mut self, garbage: Garbage, expected: Life) {
        let life = self.life(garbage);
        let was = std::mem::replace(life, Life::Freed);
        if was != expected {
            self.state.breaks(Broken::E5);
        }
        // What was in it makes no difference any more.
        match garbage {
            Garbage::Table(table) => self.state.tables[usize::from(table) - 1] = freed_table(),
            Garbage::State(id) if was == Life::Retired => {
                let freed = self.state.threads.iter().all(|thread| thread.hands.state != id);
                if freed {
                    self.state.states[usize::from(id) - 1] = Tables { life: Life::Freed, ..Tables::default() };
                }
            }
            _ => (),
        }
    }
}
