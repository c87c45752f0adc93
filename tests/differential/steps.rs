//! The steps that a run is made of.

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// The value that the key has, if it has one.
    Current,
    /// One that no key has.
    Wrong,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    Insert,
    Remove,
    Abort,
}

/// How it is waited for what was unlinked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    Forever,
    Timeout,
    Task,
}

/// An operation of both the map and its sessions.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Get(u8),
    ContainsKey(u8),
    Insert(u8),
    TryInsert(u8),
    GetOrInsert(u8),
    GetOrInsertWith(u8),
    Update(u8),
    UpdateOrInsert(u8),
    UpdateOrInsertWith(u8),
    Compute(u8, Next),
    CompareExchange(u8, Expected),
    Remove(u8),
    RemoveIf(u8, bool),
    /// Keeps the keys that have a bit in common with this.
    Retain(u8),
    Clear,
    Len,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// On the map itself.
    OneShot(Op),
    /// In one of the sessions that are open, or on the map if none is.
    InSession(usize, Op),
    Open,
    Close(usize),
    Refresh(usize),
    /// Takes a reference in a session of its own, works, and looks at it once more.
    HoldInSession {
        key: u8,
        meanwhile: Vec<Op>,
    },
    /// Takes a `Ref` to a key, and keeps it.
    Keep(u8),
    /// Removes a key, and keeps what was removed.
    KeepRemoved(u8),
    /// Drops one of those that are kept.
    LetGo(usize),
    /// Takes one that was removed by value, if nobody else can see it.
    Take(usize),
    /// Iterates, and does one of these at each entry, as far as they go.
    Iterate(Vec<Op>),
    /// Many new keys at once, so that tables grow and are promoted.
    Fill(u8),
    /// Many lookups at once, so that misses are told and tables promoted.
    LookUp,
    RemoveOwned(u8),
    Guards,
    ReadsOfTheMap(u8),
    ReadsOfASession(usize, u8),
    Reserve(u16),
    TryReserve(Option<u16>),
    ShrinkToFit,
    Reclaim(Wait),
    TryReclaim,
    CloneCompareExtend(Vec<u8>),
    /// On the map, or in one of the sessions that are open.
    InsertMany(Option<usize>, Vec<u8>),
    RemoveMany(Option<usize>, Vec<u8>),
    GetMany(Vec<u8>),
    /// A session that belongs to its owner, among the others.
    OpenOwned,
    /// [`HoldInSession`](Self::HoldInSession) and [`Iterate`](Self::Iterate) in such a session.
    HoldInOwned {
        key: u8,
        meanwhile: Vec<Op>,
    },
    IterateOwned(Vec<Op>),
    /// Forgets one of the sessions: its guard stays.
    Leak(usize),
    GetOrInit(u8, Init),
    /// With the map alone: all sessions end before it, and all that is kept goes.
    Exclusive(Exclusive),
}

/// How a value is computed that may be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Init {
    Value,
    Error,
    Panic,
    /// Inserts the key by another call.
    Overtaken,
    /// Computes the value of another key.
    Nested,
    /// By a task.
    Task,
    /// By a task that is given up.
    Cancelled,
}

/// What takes `&mut`, or the map itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exclusive {
    GetMut(u8),
    /// Changes the values of keys that have a bit in common with this.
    IterMut(u8),
    RemoveMut(u8),
    Drain(Taking),
    /// Takes the keys that have a bit in common with this, and changes the others' values.
    ExtractIf(u8, Taking),
    /// Makes another map of so many pairs.
    IntoIter(usize),
}

/// How many are taken out of an iterator, and is it leaked then?
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taking {
    pub(crate) pairs: usize,
    pub(crate) leak: bool,
}
