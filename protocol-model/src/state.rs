//! What threads share, and what each has in its hands: the data of a state of the model.

use arrayvec::ArrayVec;

use crate::history::Call;

pub const KEYS: usize = 2;
pub const THREADS: usize = 2;
/// Calls of each thread.
pub const CALLS: usize = 2;
/// As in the map: the dirty table and those that were dirty before it.
pub const YOUNG: usize = 3;
/// Slots that a key can have in a table.
const SLOTS: usize = 4;

/// Names a thing of its kind; 0 is none.
pub type Id = u8;
pub type Epoch = u8;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Life {
    /// A value on its way into the map.
    New,
    #[default]
    InUse,
    Retired,
    Freed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Garbage {
    Entry(Id),
    Value(Id),
    Table(Id),
    State(Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Retired {
    /// 0: not stamped yet.
    pub stamp: Epoch,
    pub garbage: Garbage,
}

/// `entry` is 0 if it has never been used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slot {
    pub entry: Id,
    pub linked: bool,
}

/// For each key a chain of slots in probing order: all of its entries have the same hash, and other keys have other ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    pub slots: [[Slot; SLOTS]; KEYS],
    pub life: Life,
}

impl Table {
    pub fn linked(&self) -> impl Iterator<Item = (usize, Id)> + '_ {
        let slots = self.slots.iter().enumerate().flat_map(|(key, chain)| chain.iter().map(move |slot| (key, slot)));
        slots.filter(|(_, slot)| slot.linked).map(|(key, slot)| (key, slot.entry))
    }

    pub fn has(&self, entry: Id) -> bool {
        self.linked().any(|(_, linked)| linked == entry)
    }

    /// The first slot of the key that has never been used.
    pub fn unused(&self, key: usize) -> usize {
        let unused = self.slots[key].iter().position(|slot| slot.entry == 0 && !slot.linked);
        unused.expect("there are enough slots")
    }

    pub fn unlink(&mut self, entry: Id) -> bool {
        let mut slots = self.slots.iter_mut().flatten();
        let Some(slot) = slots.find(|slot| slot.linked && slot.entry == entry) else { return false };
        slot.linked = false;
        true
    }
}

/// `core::State`: the tables that readers see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tables {
    pub read: Id,
    pub young: [Id; YOUNG],
    pub life: Life,
}

impl Tables {
    /// In the order of a search, without those that there are not.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        let Tables { read, young, .. } = *self;
        std::iter::once(read).chain(young).filter(|id| *id != 0)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entry {
    pub key: u8,
    /// The word: the value that it names, and whether it is dead.
    pub value: Id,
    pub dead: bool,
    pub life: Life,
}

/// `core::next::Next`: the read table in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Next {
    pub table: Id,
    pub sources: [Id; YOUNG],
    /// How many sources have been copied.
    pub copied: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Collector {
    #[default]
    Idle,
    Busy,
    Again,
}

/// The next atomic step of a thread. Each is one access of the code to what others see without the mutex, together with what it does
/// before and after that by itself or under the mutex; see `steps` for the places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Step {
    /// Between calls.
    #[default]
    Idle,
    EnterStore,
    Searching,
    LoadState,
    LookAtTable,
    LoadSlot,
    LoadWord,
    Overwrite,
    Reload,
    Lock,
    RoomSeal,
    RoomOpen,
    LinkPointer,
    LinkTag,
    Show,
    CountLink,
    Kill,
    Bury,
    PushDead,
    TryAfterPush,
    MissTryLock,
    ClearLock,
    ForgetTables,
    KillAll,
    TakeDead,
    UnlinkDead,
    TendSeal,
    Promote,
    Unlock,
    LookForDead,
    TryAgain,
    Seal,
    Exit,
    ExitLook,
    Horizon,
    Push,
    HoldBack,
    Collect,
    PassBegin,
    PassTake,
    PassHorizon,
    PassEnd,
    /// All calls have returned.
    Done,
}

/// Of a call that is being made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hands {
    /// Of the guard.
    pub epoch: Epoch,
    /// The links that were counted when the search began.
    pub searched: u8,
    /// The state that was loaded.
    pub state: Id,
    /// How far the search, or the `clear`, is in that.
    pub place: u8,
    /// The slots whose tags were seen, a bit for each, without those that have been looked at.
    pub tags: u8,
    pub entry: Id,
    pub table: Id,
    /// The value that the entry's word named.
    pub value: Id,
    /// For how many calls the holder of the mutex tends to the tables.
    pub shares: u8,
    pub dying: ArrayVec<Id, 4>,
    /// Where it goes on after letting go of the mutex.
    pub then: Step,
    pub result: Id,
    pub has_result: bool,
    pub retired: ArrayVec<Retired, 20>,
    pub items: ArrayVec<Retired, 20>,
    pub awaited: bool,
    pub horizon: Epoch,
    /// The last stamp of what has been pushed.
    pub last: Epoch,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    pub program: [Call; CALLS],
    /// How many calls have begun, and of how many the result is known.
    pub begun: u8,
    pub returned: u8,
    /// The value that each call returned; 0 is none.
    pub results: [Id; CALLS],
    /// How many calls of each thread had returned when it began.
    pub after: [[u8; THREADS]; CALLS],
    pub step: Step,
    pub hands: Hands,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// `Core::state`.
    pub current: Id,
    pub states: ArrayVec<Tables, 12>,
    pub tables: ArrayVec<Table, 12>,
    pub entries: ArrayVec<Entry, 8>,
    pub values: [Life; CALLS * THREADS + KEYS],
    /// Who has it; `THREADS` is nobody.
    pub mutex: u8,
    pub links: u8,
    pub dirty_used: u8,
    /// Slots of a dirty table that are used before it is full.
    pub limit: u8,
    /// Reads that had to look into young tables have paid for a promotion.
    pub misses: bool,
    pub next: Option<Next>,
    pub dead: ArrayVec<Id, 4>,
    pub now: Epoch,
    pub awaited: Epoch,
    /// What the records announce.
    pub epochs: [Epoch; THREADS],
    pub inbox: ArrayVec<Retired, 20>,
    pub collector: Collector,
    /// Who may touch `waiting`; `THREADS` is nobody. Not in the code: to see Q2.
    pub collecting: u8,
    pub waiting: ArrayVec<Retired, 20>,
    pub threads: [Thread; THREADS],
    /// What the map held first, for C1.
    pub first: [Id; KEYS],
    /// A bit for each invariant that a step has broken.
    pub broken: u16,
}
