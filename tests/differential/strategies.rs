//! How proptest chooses steps. The fuzz targets choose them by bytes.

use proptest::prelude::*;

use crate::common::fuse::Fuse;
use crate::steps::{Exclusive, Expected, Init, Next, Op, Step, Taking, Wait};

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

/// A few, among them some twice; or so many that they are done in more than one group.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => prop::collection::vec(key(), 0..12), 1 => prop::collection::vec(any::<u8>(), 60..150)]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => op().prop_map(Step::OneShot),
        16 => (any::<usize>(), op()).prop_map(|(session, op)| Step::InSession(session, op)),
        4 => Just(Step::Open),
        4 => any::<usize>().prop_map(Step::Close),
        2 => any::<usize>().prop_map(Step::Refresh),
        2 => (key(), ops()).prop_map(|(key, meanwhile)| Step::HoldInSession { key, meanwhile }),
        2 => key().prop_map(Step::Keep),
        4 => key().prop_map(Step::KeepRemoved),
        4 => any::<usize>().prop_map(Step::LetGo),
        3 => any::<usize>().prop_map(Step::Take),
        2 => ops().prop_map(Step::Iterate),
        1 => any::<u8>().prop_map(Step::Fill),
        1 => Just(Step::LookUp),
        3 => key().prop_map(Step::RemoveOwned),
        2 => Just(Step::Guards),
        1 => key().prop_map(Step::ReadsOfTheMap),
        1 => (any::<usize>(), key()).prop_map(|(session, key)| Step::ReadsOfASession(session, key)),
        1 => (0..500u16).prop_map(Step::Reserve),
        1 => prop::option::of(0..500u16).prop_map(Step::TryReserve),
        1 => Just(Step::ShrinkToFit),
        2 => prop_oneof![Just(Wait::Forever), Just(Wait::Timeout), Just(Wait::Task)].prop_map(Step::Reclaim),
        2 => Just(Step::TryReclaim),
        1 => prop::collection::vec(any::<u8>(), 0..10).prop_map(Step::CloneCompareExtend),
        3 => (prop::option::of(any::<usize>()), keys()).prop_map(|(session, keys)| Step::InsertMany(session, keys)),
        3 => (prop::option::of(any::<usize>()), keys()).prop_map(|(session, keys)| Step::RemoveMany(session, keys)),
        1 => keys().prop_map(Step::GetMany),
        3 => Just(Step::OpenOwned),
        2 => (key(), ops()).prop_map(|(key, meanwhile)| Step::HoldInOwned { key, meanwhile }),
        1 => ops().prop_map(Step::IterateOwned),
        // Not often: what is leaked hides from then on what goes in time.
        1 => any::<(usize, bool, bool)>().prop_map(|(session, a, b)| if a & b { Step::Leak(session) } else { Step::Close(session) }),
        6 => (key(), init()).prop_map(|(key, init)| Step::GetOrInit(key, init)),
        4 => exclusive().prop_map(Step::Exclusive),
    ]
}

fn init() -> impl Strategy<Value = Init> {
    prop::sample::select(vec![
        Init::Value,
        Init::Error,
        Init::Panic,
        Init::Overtaken,
        Init::Nested,
        Init::Task,
        Init::Cancelled,
    ])
}

fn exclusive() -> impl Strategy<Value = Exclusive> {
    let pairs = prop_oneof![3 => 0..8usize, 1 => Just(usize::MAX)];
    let taking = (pairs.clone(), any::<bool>()).prop_map(|(pairs, leak)| Taking { pairs, leak });
    prop_oneof![
        2 => key().prop_map(Exclusive::GetMut),
        1 => any::<u8>().prop_map(Exclusive::IterMut),
        2 => key().prop_map(Exclusive::RemoveMut),
        1 => taking.clone().prop_map(Exclusive::Drain),
        2 => (any::<u8>(), taking).prop_map(|(bits, taking)| Exclusive::ExtractIf(bits, taking)),
        1 => pairs.prop_map(Exclusive::IntoIter),
    ]
}

/// Fuses for the calls of a run: one panic in most, several in some.
pub(crate) fn fuses() -> impl Strategy<Value = Vec<Option<Fuse>>> {
    let fuse = (0..12u32, prop::option::of(0..3u32)).prop_map(|(first, again)| Fuse { first, again });
    prop::collection::vec(prop::option::of(fuse), 0..120)
}
