//! What happens under the mutex: `core/writer.rs`, `core/rebuild.rs`, `core/tend.rs`, `core/next.rs`. What only the holder sees is done in one step with what
//! others see next: taking the mutex can as well have come later, and letting go of it earlier, for all that they can tell (Lipton 1975).

use crate::bug::Bug;
use crate::invariants::Broken;
use crate::state::*;
use crate::steps::Stepper;

impl Stepper<'_> {
    /// Goes on with `unlock`, or `let_go`, and then with `then`.
    pub(crate) fn with_mutex(&mut self, shares: u8, then: Step) -> Step {
        let hands = self.hands();
        (hands.shares, hands.then) = (shares, then);
        Step::TakeDead
    }

    /// `Core::publish`. Takes the place of the current state, and retires that and the tables that it alone names.
    pub(crate) fn publish(&mut self, read: Id, young: [Id; YOUNG]) {
        if usize::from(self.state.mutex) != self.thread {
            self.state.breaks(Broken::S1);
        }
        let (old, before) = (self.state.current, self.state.current_tables());
        let tables = Tables { read, young, life: Life::InUse };
        self.state.current = 0;
        if tables.ids().next().is_some() {
            self.state.current = self.new_state(tables);
        }
        if old == 0 {
            return;
        }
        for table in before.ids().filter(|table| tables.ids().all(|id| id != *table)) {
            match self.bug {
                Bug::KeepsOldTables => (),
                Bug::FreesTablesAtOnce => self.state.tables[usize::from(table) - 1] = freed_table(),
                _ => self.retire(Garbage::Table(table)),
            }
        }
        match self.bug {
            Bug::FreesStateAtOnce => self.state.states[usize::from(old) - 1].life = Life::Freed,
            _ => self.retire(Garbage::State(old)),
        }
    }

    /// Memory that has been freed is used again, if no thread remembers it: so that those who do are caught.
    fn new_state(&mut self, tables: Tables) -> Id {
        let unknown = |id: Id| self.state.threads.iter().all(|thread| thread.hands.state != id);
        let freed = (1..).zip(&self.state.states).find(|(id, it)| it.life == Life::Freed && unknown(*id));
        match freed.map(|(id, _)| id) {
            Some(id) => {
                self.state.states[usize::from(id) - 1] = tables;
                id
            }
            None => {
                self.state.states.push(tables);
                self.state.states.len() as Id
            }
        }
    }

    fn new_table(&mut self) -> Id {
        let named = |state: Id| if state == 0 { Tables::default() } else { self.state.states[usize::from(state) - 1] };
        let unknown = |id: Id| {
            let hands = self.state.threads.iter().map(|thread| &thread.hands);
            hands.into_iter().all(|hands| hands.table != id && named(hands.state).ids().all(|table| table != id))
        };
        let freed = (1..).zip(&self.state.tables).find(|(id, it)| it.life == Life::Freed && unknown(*id));
        match freed.map(|(id, _)| id) {
            Some(id) => {
                *self.table(id) = Table::default();
                id
            }
            None => {
                self.state.tables.push(Table::default());
                self.state.tables.len() as Id
            }
        }
    }

    fn table(&mut self, id: Id) -> &mut Table {
        &mut self.state.tables[usize::from(id) - 1]
    }

    /// How many entries are linked in it, live or dead.
    fn linked(&self, id: Id) -> usize {
        if id == 0 { 0 } else { self.state.tables[usize::from(id) - 1].linked().count() }
    }

    pub(crate) fn lock_to_link(&mut self) -> Step {
        self.state.mutex = self.thread as u8;
        let (searched, key) = (self.hands().searched, self.key());
        let tables = self.state.current_tables();
        let state = &*self.state;
        let is_live = |entry: Id| !state.entries[usize::from(entry) - 1].dead;
        let may_be_linked = {
            let mut linked = tables.ids().flat_map(|id| state.tables[usize::from(id) - 1].linked());
            linked.any(|(other, entry)| other == key && is_live(entry))
        };
        if self.bug != Bug::LinksUnchecked && self.state.links != searched && may_be_linked {
            return self.with_mutex(1, Step::Searching);
        }
        // `Core::room`
        let dirty = tables.young[0];
        if dirty != 0 && self.state.dirty_used < self.state.limit {
            return self.begin_link();
        }
        if dirty == 0 { Step::RoomOpen } else { Step::RoomSeal }
    }

    pub(crate) fn room_seal(&mut self) -> Step {
        self.publish_sealed();
        Step::RoomOpen
    }

    /// The rest of `Core::seal`.
    fn publish_sealed(&mut self) {
        let Tables { read, mut young, .. } = self.state.current_tables();
        if self.linked(young[0]) > 0 && self.bug != Bug::SealForgetsTable {
            assert_eq!(young[YOUNG - 1], 0, "the model has no `finish` for want of a place");
            young.rotate_right(1);
        }
        young[0] = 0;
        self.state.dirty_used = 0;
        self.publish(read, young);
    }

    /// `Core::open`
    pub(crate) fn room_open(&mut self) -> Step {
        let Tables { read, mut young, .. } = self.state.current_tables();
        young[0] = self.new_table();
        self.publish(read, young);
        if young[1..].iter().any(|table| self.linked(*table) > 0) {
            self.begin_next();
        }
        self.begin_link()
    }

    /// To the first store of `Table::link` that others can see, of the slot that `Table::vacated` or `link_first` says.
    fn begin_link(&mut self) -> Step {
        let (dirty, key) = (self.state.current_tables().young[0], self.key());
        let slots = self.table(dirty).slots[key];
        let again = slots.iter().rev().find(|slot| slot.entry != 0).is_some_and(|last| !last.linked);
        match self.bug {
            Bug::CountsLinkBefore => self.state.links += 1,
            Bug::TagBeforePointer if !again => {
                let slot = self.table(dirty).unused(key);
                self.table(dirty).slots[key][slot].linked = true;
                return Step::LinkPointer;
            }
            _ => (),
        }
        if again { Step::LinkPointer } else { Step::LinkTag }
    }

    fn new_entry(&mut self) -> Id {
        let (key, value) = (self.key() as u8, self.value());
        self.state.values[usize::from(value) - 1] = Life::InUse;
        // Hidden until it is linked.
        let dead = self.bug != Bug::ShowsBeforeLinking;
        self.state.entries.push(Entry { key, value, dead, life: Life::InUse });
        self.state.entries.len() as Id
    }

    pub(crate) fn link_pointer(&mut self) -> Step {
        let (dirty, key, entry) = (self.state.current_tables().young[0], self.key(), self.new_entry());
        let slots = &mut self.table(dirty).slots[key];
        if let Some(slot) = slots.iter_mut().find(|slot| slot.linked && slot.entry == 0) {
            // The bug `TagBeforePointer`.
            slot.entry = entry;
            self.state.dirty_used += 1;
            return Step::Show;
        }
        let last = slots.iter_mut().rev().find(|slot| slot.entry != 0).expect("there is one to be used again");
        last.entry = entry;
        Step::LinkTag
    }

    pub(crate) fn link_tag(&mut self) -> Step {
        let (dirty, key) = (self.state.current_tables().young[0], self.key());
        let slots = self.table(dirty).slots[key];
        let again = slots.iter().rposition(|slot| slot.entry != 0).filter(|last| !slots[*last].linked);
        match again {
            Some(slot) => self.table(dirty).slots[key][slot].linked = true,
            None => {
                let (slot, entry) = (self.table(dirty).unused(key), self.new_entry());
                self.table(dirty).slots[key][slot] = Slot { entry, linked: true };
                self.state.dirty_used += 1;
            }
        }
        Step::Show
    }

    pub(crate) fn show(&mut self) -> Step {
        if self.bug != Bug::ShowsBeforeLinking {
            let entry = self.state.entries.iter().rposition(|entry| entry.value == self.value());
            self.state.entries[entry.expect("this call has made it")].dead = false;
        }
        Step::CountLink
    }

    pub(crate) fn count_link(&mut self) -> Step {
        if self.bug != Bug::CountsLinkBefore {
            self.state.links += 1;
        }
        self.with_mutex(1, Step::Exit)
    }

    pub(crate) fn take_dead(&mut self) -> Step {
        let dead = std::mem::take(&mut self.state.dead);
        let hands = self.hands();
        hands.shares += dead.len() as u8;
        hands.dying = dead;
        if hands.dying.is_empty() { self.tend_if_due() } else { Step::UnlinkDead }
    }

    pub(crate) fn unlink_dead(&mut self) -> Step {
        let Some(entry) = self.hands().dying.pop() else { return self.tend_if_due() };
        self.unlink(entry);
        self.retire(Garbage::Entry(entry));
        if self.hands().dying.is_empty() { self.tend_if_due() } else { Step::UnlinkDead }
    }

    /// `Core::unlink`: from the current tables, and the next one.
    pub(crate) fn unlink(&mut self, entry: Id) {
        let tables = self.state.current_tables();
        tables.ids().any(|id| self.table(id).unlink(entry));
        if let Some(next) = self.state.next.filter(|_| self.bug != Bug::ForgetsNextTable) {
            self.table(next.table).unlink(entry);
        }
    }

    /// Skips what would do nothing.
    fn tend_if_due(&mut self) -> Step {
        if self.hands().shares == 0 { Step::Unlock } else { self.tend() }
    }

    /// What is due: small tables that have run empty go here, which in the map they do when they are large.
    fn tend(&mut self) -> Step {
        self.hands().shares = 0;
        let tables = self.state.current_tables();
        let young: usize = tables.young.iter().map(|id| self.linked(*id)).sum();
        if self.state.current != 0 && self.linked(tables.read) + young == 0 {
            return Step::ForgetTables;
        }
        if self.state.next.is_some() {
            return self.advance();
        }
        if young == 0 || !self.state.misses {
            return Step::Unlock;
        }
        if tables.young[0] != 0 {
            return Step::TendSeal;
        }
        self.begin_next();
        self.advance()
    }

    pub(crate) fn tend_seal(&mut self) -> Step {
        self.publish_sealed();
        self.begin_next();
        self.advance()
    }

    fn begin_next(&mut self) {
        if self.state.next.is_none() {
            let Tables { read, young, .. } = self.state.current_tables();
            let mut sources = young;
            sources[0] = read;
            let table = self.new_table();
            self.state.next = Some(Next { table, sources, copied: 0 });
        }
    }

    fn advance(&mut self) -> Step {
        if self.copy_source() { Step::Promote } else { Step::Unlock }
    }

    pub(crate) fn publish_next(&mut self) -> Step {
        self.promote();
        Step::Unlock
    }

    /// Copies the next source that there is; true if it was the last one. In the map it is so many slots at a time.
    fn copy_source(&mut self) -> bool {
        let Some(mut next) = self.state.next else { return true };
        let mut is_first = true;
        while let Some(source) = next.sources.get(usize::from(next.copied)).copied() {
            if source != 0 && !is_first {
                break;
            }
            next.copied += 1;
            if source != 0 {
                is_first = false;
                for key in 0..KEYS {
                    for slot in self.look_at(source).slots[key].into_iter().rev().filter(|slot| slot.linked) {
                        let unused = self.table(next.table).unused(key);
                        self.table(next.table).slots[key][unused] = slot;
                    }
                }
            }
        }
        self.state.next = Some(next);
        let is_done = next.sources[usize::from(next.copied).min(YOUNG)..].iter().all(|source| *source == 0);
        is_done || self.bug == Bug::PromotesTooSoon
    }

    fn promote(&mut self) {
        let Some(next) = self.state.next.take() else { return };
        let Tables { young, .. } = self.state.current_tables();
        let mut kept = [young[0], 0, 0];
        let others = young[1..].iter().filter(|table| **table != 0 && !next.sources.contains(table));
        others.zip(&mut kept[1..]).for_each(|(table, place)| *place = *table);
        self.state.misses = false;
        let is_empty = self.linked(next.table) == 0;
        self.publish(if is_empty { 0 } else { next.table }, kept);
        if is_empty {
            self.retire(Garbage::Table(next.table));
        }
    }

    /// Stamps, and lets go of the mutex.
    pub(crate) fn unlock(&mut self) -> Step {
        self.stamp();
        self.state.mutex = THREADS as u8;
        if self.bug == Bug::DeadListNotLookedAt { self.then() } else { Step::LookForDead }
    }

    pub(crate) fn look_for_dead(&mut self) -> Step {
        if self.state.dead.is_empty() { self.then() } else { Step::TryAgain }
    }

    pub(crate) fn try_again(&mut self) -> Step {
        if !self.state.is_free() {
            return self.then();
        }
        self.state.mutex = self.thread as u8;
        self.take_dead()
    }

    fn then(&mut self) -> Step {
        std::mem::take(&mut self.hands().then)
    }
}

pub(crate) fn freed_table() -> Table {
    Table { life: Life::Freed, ..Table::default() }
}
