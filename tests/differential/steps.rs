//! The steps that a run is made of, and how they are chosen.

use proptest::prelude::*;

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
    /// Takes a `Ref` to a key (or a reference in a session of its own), works, and looks at it once more.
    Hold {
        key: u8,
        in_session: bool,
        meanwhile: Vec<Op>,
    },
    /// Removes a key, works, and looks at the pair that was removed.
    HoldRemoved {
        key: u8,
        meanwhile: Vec<Op>,
    },
    /// Iterates, and does one of these at each entry, as far as they go.
    Iterate(Vec<Op>),
    /// Many new keys at once, so that tables grow and are promoted.
    Fill(u8),
    /// Many lookups at once, so that misses are told and tables promoted.
    LookUp,
    RemoveOwned(u8),
    /// Removes a key, works, and takes the pair if nobody else can see it.
    TakeRemoved {
        key: u8,
        meanwhile: Vec<Op>,
    },
    Guards,
    ReadsOfTheMap(u8),
    ReadsOfASession(usize, u8),
    Reserve(u16),
    TryReserve(Option<u16>),
    ShrinkToFit,
    Reclaim,
    TryReclaim,
    CloneCompareExtend(Vec<u8>),
}

pub(crate) fn key() -> impl Strategy<Value = u8> {
    prop_oneof![9 => 0..12u8, 1 => any::<u8>()]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let next = prop_oneof![3 => Just(Next::Insert), 2 => Just(Next::Remove), 1 => Just(Next::Abort)];
    let expected = prop_oneof![3 => Just(Expected::Current), 1 => Just(Expected::Wrong)];
    prop_oneof![
        4 => key().prop_map(Op::Get),
        1 => key().prop_map(Op::ContainsKey),
        8 => key().prop_map(Op::Insert),
        2 => key().prop_map(Op::TryInsert),
        2 => key().prop_map(Op::GetOrInsert),
        2 => key().prop_map(Op::GetOrInsertWith),
        2 => key().prop_map(Op::Update),
        2 => key().prop_map(Op::UpdateOrInsert),
        2 => key().prop_map(Op::UpdateOrInsertWith),
        4 => (key(), next).prop_map(|(key, next)| Op::Compute(key, next)),
        4 => (key(), expected).prop_map(|(key, expected)| Op::CompareExchange(key, expected)),
        5 => key().prop_map(Op::Remove),
        2 => (key(), any::<bool>()).prop_map(|(key, wanted)| Op::RemoveIf(key, wanted)),
        1 => any::<u8>().prop_map(Op::Retain),
        1 => Just(Op::Clear),
        1 => Just(Op::Len),
    ]
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 0..6)
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => op().prop_map(Step::OneShot),
        16 => (any::<usize>(), op()).prop_map(|(session, op)| Step::InSession(session, op)),
        4 => Just(Step::Open),
        4 => any::<usize>().prop_map(Step::Close),
        2 => any::<usize>().prop_map(Step::Refresh),
        2 => (key(), any::<bool>(), ops())
            .prop_map(|(key, in_session, meanwhile)| Step::Hold { key, in_session, meanwhile }),
        2 => (key(), ops()).prop_map(|(key, meanwhile)| Step::HoldRemoved { key, meanwhile }),
        2 => ops().prop_map(Step::Iterate),
        1 => any::<u8>().prop_map(Step::Fill),
        1 => Just(Step::LookUp),
        3 => key().prop_map(Step::RemoveOwned),
        3 => (key(), ops()).prop_map(|(key, meanwhile)| Step::TakeRemoved { key, meanwhile }),
        2 => Just(Step::Guards),
        1 => key().prop_map(Step::ReadsOfTheMap),
        1 => (any::<usize>(), key()).prop_map(|(session, key)| Step::ReadsOfASession(session, key)),
        1 => (0..500u16).prop_map(Step::Reserve),
        1 => prop::option::of(0..500u16).prop_map(Step::TryReserve),
        1 => Just(Step::ShrinkToFit),
        2 => Just(Step::Reclaim),
        2 => Just(Step::TryReclaim),
        1 => prop::collection::vec(any::<u8>(), 0..10).prop_map(Step::CloneCompareExtend),
    ]
}
