//! What each step of a call does: the read path (`core/mod.rs`), the operations (`core/ops.rs`, `core/bulk.rs`), and which step comes
//! next. [`crate::holder`] has what happens under the mutex, [`crate::reclaim`] the end of a guard.
//!
//! | step | in the code |
//! |---|---|
//! | `Idle` | the call begins: if `Core::is_vacant` it is over; else `Epochs::enter`: the load of `now` |
//! | `EnterStore` | `Epochs::enter`: the store of the epoch, and the fence, its own or the remover's |
//! | `Searching` | `Core::searching` |
//! | `LoadState` | `Core::state` |
//! | `LookAtTable` | `Table::find`: `Bucket::meta` |
//! | `LoadSlot` | `Table::find`: `Bucket::entry`; `Core::find_in` looks at the key |
//! | `LoadWord` | `Core::find_in`: `Entry::load` |
//! | `Overwrite`, `Reload` | `Core::insert`: `Entry::overwrite` (`exchange`); `Entry::load` |
//! | `Kill` | `Core::kill`: `Entry::kill` (`exchange`) |
//! | `Bury`, `PushDead`, `TryAfterPush` | `Core::bury`: `try_lock` and `unlink_found`; `Stack::push`; `try_lock` |
//! | `MissTryLock` | `Core::tell_misses`: `try_lock` |
//! | `Lock` | `Core::link`: `lock`, and what `link_locked` and `room` look at |
//! | `RoomSeal`, `RoomOpen` | `Core::seal`: `publish`; `Core::open`: `publish` |
//! | `LinkPointer`, `LinkTag` | `Bucket::link_again`: the two stores; `Bucket::link` is the second alone |
//! | `Show` | `Entry::show` |
//! | `CountLink` | `Core::link_locked`: the store of `links` |
//! | `ClearLock`, `ForgetTables`, `KillAll` | `Core::clear`: `lock`; `publish` in `forget_tables`; `kill_all`, entry by entry |
//! | `TakeDead`, `UnlinkDead` | `Core::unlink_dead`: `Stack::take`; `Core::unlink` |
//! | `TendSeal`, `Promote` | `Core::tend`: `publish` in `seal`, and in `promote`; what it copies nobody else sees |
//! | `Unlock` | `Core::let_go`: `seal`, and the mutex is free |
//! | `LookForDead`, `TryAgain` | `Core::let_go`: `Stack::is_empty`; `try_lock` |
//! | `Seal` | `Domain::seal`: `Epochs::stamp` |
//! | `Exit`, `ExitLook` | the caller looks at what the call has returned, and `Epochs::exit`: the store of the epoch; the load of `awaited` |
//! | `Horizon`, `Push`, `HoldBack` | `Domain::hand_over_unpassed`: `Epochs::horizon`; `Pending::push`; `Epochs::hold_back` |
//! | `Collect`, `PassBegin`, `PassTake`, `PassHorizon`, `PassEnd` | `Pending::collect`: each exchange of `collector`, `Stack::take`, `horizon` |
//!
//! `Domain::free` is done with the step before it, which is the worst for whoever might still look.
//!
//! What is left out: sizes and hashes (a key has slots of its own), a third sealed table (small programs never need one), inline values
//! (E4), the spare table, steps of clearing and giving back memory, caps and batches, several guards of one thread, and weak orderings: those are
//! for loom. What the map does now and then, when it pays, is done here whenever it can be: a dirty table is full with one or two entries,
//! one miss pays for a promotion, and the reader does its share.

use crate::bug::Bug;
use crate::history::{Call, value};
use crate::invariants::Broken;
use crate::state::*;

/// A thread takes its next step.
pub(crate) struct Stepper<'s> {
    pub(crate) state: &'s mut State,
    pub(crate) thread: usize,
    pub(crate) bug: Bug,
}

impl State {
    /// Calls wait for the mutex, and for nothing else.
    pub fn may_step(&self, thread: usize) -> bool {
        match self.threads[thread].step {
            Step::Done => false,
            Step::Lock | Step::ClearLock => self.is_free(),
            _ => true,
        }
    }

    pub(crate) fn is_free(&self) -> bool {
        usize::from(self.mutex) == THREADS
    }
}

impl Stepper<'_> {
    pub(crate) fn step(&mut self) {
        let next = match self.state.threads[self.thread].step {
            Step::Done => Step::Done,
            Step::Idle => self.begin(),
            Step::EnterStore => self.enter_store(),
            Step::Searching => self.searching(),
            Step::LoadState => self.load_state(),
            Step::LookAtTable => self.look_at_table(),
            Step::LoadSlot => self.load_slot(),
            Step::LoadWord => self.load_word(),
            Step::Overwrite => self.overwrite(),
            Step::Reload => self.reload(),
            Step::Kill => self.kill(),
            Step::Bury => self.bury(),
            Step::PushDead => self.push_dead(),
            Step::TryAfterPush | Step::MissTryLock => self.try_lock_for_a_share(),
            Step::Lock => self.lock_to_link(),
            Step::RoomSeal => self.room_seal(),
            Step::RoomOpen => self.room_open(),
            Step::LinkPointer => self.link_pointer(),
            Step::LinkTag => self.link_tag(),
            Step::Show => self.show(),
            Step::CountLink => self.count_link(),
            Step::ClearLock => self.clear_lock(),
            Step::ForgetTables => self.forget_tables(),
            Step::KillAll => self.kill_all(),
            Step::TakeDead => self.take_dead(),
            Step::UnlinkDead => self.unlink_dead(),
            Step::TendSeal => self.tend_seal(),
            Step::Promote => self.publish_next(),
            Step::Unlock => self.unlock(),
            Step::LookForDead => self.look_for_dead(),
            Step::TryAgain => self.try_again(),
            Step::Seal => self.seal(),
            Step::Exit => self.exit(),
            Step::ExitLook => self.exit_look(),
            Step::Horizon => self.horizon(),
            Step::Push => self.push(),
            Step::HoldBack => self.hold_back(),
            Step::Collect => self.collect(),
            Step::PassBegin => self.pass_begin(),
            Step::PassTake => self.pass_take(),
            Step::PassHorizon => self.pass_horizon(),
            Step::PassEnd => self.pass_end(),
        };
        self.state.threads[self.thread].step = next;
    }

    pub(crate) fn hands(&mut self) -> &mut Hands {
        &mut self.state.threads[self.thread].hands
    }

    pub(crate) fn call(&self) -> Call {
        let thread = &self.state.threads[self.thread];
        thread.program[usize::from(thread.begun) - 1]
    }

    pub(crate) fn key(&self) -> usize {
        self.call().key()
    }

    /// The value that the call writes.
    pub(crate) fn value(&self) -> Id {
        value(self.thread, usize::from(self.state.threads[self.thread].begun) - 1)
    }

    fn begin(&mut self) -> Step {
        let returned = std::array::from_fn(|thread| self.state.threads[thread].returned);
        let thread = &mut self.state.threads[self.thread];
        thread.after[usize::from(thread.begun)] = returned;
        thread.begun += 1;
        let asks = !matches!(self.call(), Call::Insert(_));
        if asks && self.state.current == 0 {
            return self.end_call();
        }
        self.hands().epoch = self.state.now;
        if self.bug == Bug::EntersLate { Step::LoadState } else { Step::EnterStore }
    }

    fn enter_store(&mut self) -> Step {
        self.state.epochs[self.thread] = self.hands().epoch;
        match self.call() {
            _ if self.bug == Bug::EntersLate => self.after_load(),
            Call::Insert(_) => Step::Searching,
            Call::Clear => Step::ClearLock,
            Call::Get(_) | Call::Remove(_) | Call::Nothing => Step::LoadState,
        }
    }

    fn searching(&mut self) -> Step {
        self.hands().searched = self.state.links;
        Step::LoadState
    }

    fn load_state(&mut self) -> Step {
        let current = self.state.current;
        let hands = self.hands();
        (hands.state, hands.place) = (current, 0);
        if self.bug == Bug::EntersLate && self.state.epochs[self.thread] == 0 {
            Step::EnterStore
        } else {
            self.after_load()
        }
    }

    fn after_load(&mut self) -> Step {
        if self.call() == Call::Clear {
            return Step::ClearLock;
        }
        if self.hands().state == 0 { self.not_found() } else { Step::LookAtTable }
    }

    /// The tables that the call has loaded.
    pub(crate) fn loaded(&mut self) -> Tables {
        let id = self.hands().state;
        let tables = self.state.states[usize::from(id) - 1];
        if tables.life == Life::Freed {
            self.state.breaks(Broken::S1);
        }
        tables
    }

    pub(crate) fn look_at(&mut self, table: Id) -> Table {
        let found = self.state.tables[usize::from(table) - 1];
        if found.life == Life::Freed {
            self.state.breaks(Broken::T1);
        }
        found
    }

    pub(crate) fn entry(&mut self, id: Id) -> Entry {
        if id == 0 {
            self.state.breaks(Broken::E1);
            return Entry::default();
        }
        let entry = self.state.entries[usize::from(id) - 1];
        if entry.life == Life::Freed {
            self.state.breaks(Broken::E2);
        }
        entry
    }

    fn look_at_table(&mut self) -> Step {
        let (place, key) = (self.hands().place, self.key());
        let tables = self.loaded();
        let Some(table) = tables.ids().nth(place.into()) else { return self.not_found() };
        let slots = self.look_at(table).slots[key];
        let tags = slots.iter().enumerate().map(|(slot, it)| u8::from(it.linked) << slot).sum();
        let hands = self.hands();
        (hands.table, hands.tags) = (table, tags);
        self.next_slot()
    }

    /// To the next slot whose tag was seen, or to the next table.
    fn next_slot(&mut self) -> Step {
        let hands = self.hands();
        if hands.tags != 0 {
            return Step::LoadSlot;
        }
        hands.place += 1;
        let place = hands.place;
        if self.loaded().ids().count() == usize::from(place) { self.not_found() } else { Step::LookAtTable }
    }

    fn load_slot(&mut self) -> Step {
        let (hands, key) = (self.hands().clone(), self.key());
        let entry = self.look_at(hands.table).slots[key][hands.tags.trailing_zeros() as usize].entry;
        self.entry(entry);
        let hands = self.hands();
        hands.tags &= hands.tags - 1;
        hands.entry = entry;
        if entry == 0 { self.next_slot() } else { Step::LoadWord }
    }

    fn load_word(&mut self) -> Step {
        let id = self.hands().entry;
        let entry = self.entry(id);
        self.hands().value = entry.value;
        match self.call() {
            _ if entry.dead && self.bug == Bug::StopsAtDeadEntry => self.not_found(),
            _ if entry.dead => self.next_slot(),
            Call::Insert(_) => Step::Overwrite,
            Call::Remove(_) => Step::Kill,
            Call::Get(_) | Call::Clear | Call::Nothing => {
                self.returns(entry.value);
                let missed = self.hands().place > 0;
                self.forget_search();
                if missed { Step::MissTryLock } else { Step::Exit }
            }
        }
    }

    fn not_found(&mut self) -> Step {
        let has_young = self.hands().state != 0 && self.loaded().young.iter().any(|table| *table != 0);
        self.forget_search();
        match self.call() {
            Call::Insert(_) => Step::Lock,
            Call::Get(_) if has_young => Step::MissTryLock,
            Call::Get(_) | Call::Remove(_) | Call::Clear | Call::Nothing => Step::Exit,
        }
    }

    /// What is not used any more makes no two states of one.
    pub(crate) fn forget_search(&mut self) {
        let hands = self.hands();
        (hands.state, hands.place, hands.tags, hands.entry, hands.table, hands.value) = (0, 0, 0, 0, 0, 0);
    }

    /// The call will return this value, under the guard.
    fn returns(&mut self, value: Id) {
        let hands = self.hands();
        (hands.result, hands.has_result) = (value, true);
    }

    fn overwrite(&mut self) -> Step {
        let (id, new) = (self.hands().entry, self.value());
        let entry = self.entry(id);
        if self.bug != Bug::OverwritesWithoutComparing && (entry.dead || entry.value != self.hands().value) {
            return Step::Reload;
        }
        let old = self.hands().value;
        self.state.entries[usize::from(id) - 1].value = new;
        self.state.values[usize::from(new) - 1] = Life::InUse;
        self.retire(Garbage::Value(old));
        self.returns(old);
        self.forget_search();
        Step::Seal
    }

    fn reload(&mut self) -> Step {
        let id = self.hands().entry;
        let entry = self.entry(id);
        self.hands().value = entry.value;
        if entry.dead { Step::Searching } else { Step::Overwrite }
    }

    fn kill(&mut self) -> Step {
        let id = self.hands().entry;
        let entry = self.entry(id);
        if self.bug == Bug::KillsWithoutComparing {
            if entry.dead {
                self.state.breaks(Broken::W1);
            }
        } else if entry.dead || entry.value != self.hands().value {
            return Step::LoadState;
        }
        self.state.entries[usize::from(id) - 1].dead = true;
        self.returns(entry.value);
        if self.bug == Bug::StampsBeforeUnlinking {
            self.hands().last = self.state.now;
            self.state.now += 1;
        }
        Step::Bury
    }

    fn bury(&mut self) -> Step {
        if !self.state.is_free() {
            return Step::PushDead;
        }
        self.state.mutex = self.thread as u8;
        let (entry, table) = (self.hands().entry, self.hands().table);
        if self.state.next.is_some() || self.state.current_tables().ids().all(|current| current != table) {
            self.unlink(entry);
        } else {
            self.look_at(table);
            self.state.tables[usize::from(table) - 1].unlink(entry);
        }
        self.retire(Garbage::Entry(entry));
        self.forget_search();
        self.with_mutex(1, Step::Exit)
    }

    fn push_dead(&mut self) -> Step {
        let entry = self.hands().entry;
        self.state.dead.push(entry);
        if self.bug == Bug::RetiresWhatItPushed {
            self.retire(Garbage::Entry(entry));
        }
        self.forget_search();
        if self.bug == Bug::PushesAndLeaves { Step::Seal } else { Step::TryAfterPush }
    }

    fn try_lock_for_a_share(&mut self) -> Step {
        if let Call::Get(_) = self.call() {
            self.state.misses = true;
        }
        if !self.state.is_free() {
            return if self.has_unstamped() { Step::Seal } else { Step::Exit };
        }
        self.state.mutex = self.thread as u8;
        self.with_mutex(1, Step::Exit)
    }

    /// The caller looks at the value that the call has returned, at the last moment.
    pub(crate) fn read_value(&mut self) {
        let value = self.hands().result;
        if self.hands().has_result {
            if self.state.values[usize::from(value) - 1] == Life::Freed {
                self.state.breaks(Broken::E3);
            }
            self.note_result();
        }
    }

    fn note_result(&mut self) {
        let thread = &mut self.state.threads[self.thread];
        thread.results[usize::from(thread.returned)] = thread.hands.result;
        thread.returned += 1;
    }

    /// The guard has ended, or there was none.
    pub(crate) fn end_call(&mut self) -> Step {
        if self.state.threads[self.thread].returned < self.state.threads[self.thread].begun {
            self.note_result();
        }
        *self.hands() = Hands::default();
        let thread = &self.state.threads[self.thread];
        let next = thread.program.get(usize::from(thread.begun));
        if next.is_none_or(|next| *next == Call::Nothing) { Step::Done } else { Step::Idle }
    }
}
