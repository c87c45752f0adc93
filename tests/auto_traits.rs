//! Which types may go to other threads, be shared between them, and be used after a panic. What must not be is as much of
//! the contract as what may.

use std::cell::Cell;
use std::future::Future;
use std::hash::RandomState;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};

#[cfg(feature = "metrics")]
use tidymap::Metrics;
#[cfg(feature = "rayon")]
use tidymap::ParIter;
use tidymap::{
    Builder, CompareExchangeError, Compute, Drain, ExtractIf, GetMany, GuardInfo, Guards, HashMap, Heap, InnerMap,
    Inners, IntoIter, IntoKeys, IntoValues, Iter, IterMut, Keys, LocalGuard, NestedIter, NestedMap, NestedRef,
    NestedStats, OccupiedError, Operation, OuterKeys, OwnedGuard, OwnedPinned, Pending, Pinned, PinnedNested, Reader,
    Reclaim, ReclaimError, Reclaimed, Reclaiming, Ref, Removed, Stats, TryReserveError, Values, ValuesMut,
};
use tidymap::{
    ContainsMany, Difference, ElementRef, HashSet, Intersection, PinnedSet, SetIter, SetReader, SymmetricDifference,
    Taken, Union,
};
#[cfg(feature = "arc-swap")]
use tidymap::{Frozen, View};
use tidymap::{MultiIter, MultiMap, PinnedMulti, ValuesRef};

/// Does the type implement the trait? A constant, known when this is compiled.
macro_rules! implements {
    ($type:ty: $trait:path) => {{
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "where the answer is yes")]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "where the answer is no")]
        impl<T: $trait> Probe<T> {
            // Comes before the trait's, for types for which it exists.
            const ANSWER: bool = true;
        }
        Probe::<$type>::ANSWER
    }};
}

/// Fails to compile unless the type is, in this order, `Send` and `Sync` as told.
macro_rules! threads {
    ($($type:ty: $send:literal, $sync:literal;)*) => {
        $(
            const _: () = assert!(implements!($type: Send) == $send, concat!(stringify!($type), ": Send"));
            const _: () = assert!(implements!($type: Sync) == $sync, concat!(stringify!($type), ": Sync"));
        )*
    };
}

threads! {
    // A map is what its keys and values are, but sharing it lets others drop them.
    HashMap<u64, String>: true, true;
    HashMap<u64, Rc<String>>: false, false;
    HashMap<Rc<String>, u64>: false, false;
    HashMap<u64, Cell<u64>>: true, false;
    HashMap<u64, MutexGuard<'static, u64>>: false, false;
    HashMap<u64, &'static Cell<u64>>: false, false;
    HashMap<Cell<u64>, u64>: true, false;
    HashMap<u64, u64, Rc<RandomState>>: false, false;
    HashMap<u64, u64, Cell<RandomState>>: true, false;
    // Guards belong to their thread.
    Pinned<'static, u64, String, RandomState>: false, false;
    // But for those that belong to their owner, and share the map.
    OwnedPinned<'static, u64, String, RandomState>: true, true;
    OwnedPinned<'static, u64, Cell<u64>, RandomState>: false, false;
    OwnedPinned<'static, Rc<String>, u64, RandomState>: false, false;
    OwnedPinned<'static, u64, u64, Cell<RandomState>>: false, false;
    // What makes the difference, a `SessionGuard` of either kind.
    LocalGuard<'static, u64, String>: false, false;
    OwnedGuard<'static, u64, String>: true, true;
    OwnedGuard<'static, u64, Cell<u64>>: false, false;
    Reader<'static, u64, String, RandomState>: false, false;
    Ref<'static, u64, String>: false, false;
    Iter<'static, u64, String>: false, false;
    GetMany<'static, 'static, u64, u64, String, RandomState, std::slice::Iter<'static, u64>>: false, false;
    Keys<'static, u64, String>: false, false;
    Values<'static, u64, String>: false, false;
    OccupiedError<Ref<'static, u64, String>, u64, String>: false, false;
    CompareExchangeError<Ref<'static, u64, String>, String>: false, false;
    Removed<'static, u64, String>: false, false;
    Compute<Ref<'static, u64, String>, ()>: false, false;
    // A set is as its map.
    HashSet<String>: true, true;
    HashSet<Rc<String>>: false, false;
    HashSet<Cell<u64>>: true, false;
    HashSet<MutexGuard<'static, u64>>: false, false;
    HashSet<u64, Rc<RandomState>>: false, false;
    HashSet<u64, Cell<RandomState>>: true, false;
    PinnedSet<'static, u64, RandomState>: false, false;
    SetReader<'static, u64, RandomState>: false, false;
    ElementRef<'static, u64>: false, false;
    Taken<'static, u64>: false, false;
    SetIter<'static, u64>: false, false;
    ContainsMany<'static, 'static, u64, u64, RandomState, std::slice::Iter<'static, u64>>: false, false;
    Union<'static, u64, RandomState>: false, false;
    Intersection<'static, u64, RandomState>: false, false;
    Difference<'static, u64, RandomState>: false, false;
    SymmetricDifference<'static, u64, RandomState>: false, false;
    // Who has a map to himself may take it anywhere, as he may its keys and values.
    IterMut<'static, u64, Cell<u64>>: true, false;
    IterMut<'static, Rc<u64>, u64>: false, false;
    IterMut<'static, u64, Rc<u64>>: false, false;
    IterMut<'static, u64, String>: true, true;
    ValuesMut<'static, u64, Cell<u64>>: true, false;
    ValuesMut<'static, Rc<u64>, u64>: false, false;
    IntoIter<u64, Cell<u64>>: true, false;
    IntoIter<Rc<u64>, u64>: false, false;
    IntoIter<u64, MutexGuard<'static, u64>>: false, true;
    IntoKeys<u64, Cell<u64>>: true, false;
    IntoKeys<u64, Rc<u64>>: false, false;
    IntoValues<u64, Cell<u64>>: true, false;
    IntoValues<Rc<u64>, u64>: false, false;
    Drain<'static, u64, Cell<u64>>: true, false;
    Drain<'static, Rc<u64>, u64>: false, false;
    Drain<'static, u64, Rc<u64>>: false, false;
    ExtractIf<'static, u64, Cell<u64>, fn(&u64, &mut Cell<u64>) -> bool>: true, false;
    ExtractIf<'static, u64, Rc<u64>, fn(&u64, &mut Rc<u64>) -> bool>: false, false;
    // A task drops what waits, and looks at nothing: it may go where that may go.
    Reclaiming<'static, u64, String>: true, true;
    Reclaiming<'static, u64, Cell<u64>>: true, true;
    Reclaiming<'static, u64, Rc<String>>: false, false;
    Reclaiming<'static, Rc<String>, u64>: false, false;
    Reclaiming<'static, u64, MutexGuard<'static, u64>>: false, false;
    // What these hold is theirs.
    Reclaimed<u64, String>: true, true;
    Reclaimed<u64, Rc<String>>: false, false;
    Reclaimed<Cell<u64>, u64>: true, false;
    Operation<String, u64>: true, true;
    Operation<Rc<String>, u64>: false, false;
    Compute<(&'static u64, &'static Cell<u64>), ()>: false, false;
    OccupiedError<(&'static u64, &'static u64), u64, Rc<u64>>: false, false;
    OccupiedError<(&'static u64, &'static u64), u64, u64>: true, true;
    CompareExchangeError<(&'static u64, &'static u64), u64>: true, true;
    // The same for several values a key.
    MultiMap<u64, Rc<String>>: false, false;
    MultiMap<u64, Cell<u64>>: true, false;
    MultiMap<u64, String>: true, true;
    PinnedMulti<'static, u64, String, RandomState>: false, false;
    ValuesRef<'static, u64, String>: false, false;
    MultiIter<'static, u64, String>: false, false;
    // The rest is plain data.
    Builder<Rc<u64>, Rc<String>>: true, true;
    Builder<u64, u64, Rc<RandomState>>: false, false;
    NestedMap<u64, u64, String>: true, true;
    NestedMap<u64, u64, Cell<u64>>: true, false;
    NestedMap<u64, Rc<u64>, u64>: false, false;
    NestedMap<Rc<u64>, u64, u64>: false, false;
    NestedMap<u64, u64, MutexGuard<'static, u64>>: false, false;
    NestedRef<'static, u64, u64, String>: false, false;
    PinnedNested<'static, u64, u64, String>: false, false;
    InnerMap<'static, u64, u64, String>: false, false;
    Inners<'static, u64, u64, String, RandomState>: false, false;
    NestedIter<'static, u64, u64, String>: false, false;
    OuterKeys<'static, u64, u64, String, RandomState>: false, false;
    NestedStats: true, true;
    GuardInfo: true, true;
    Guards: true, true;
    Stats: true, true;
    Heap: true, true;
    Pending: true, true;
    Reclaim: true, true;
    ReclaimError: true, true;
    TryReserveError: true, true;
}

#[cfg(feature = "metrics")]
threads! {
    Metrics: true, true;
}

#[cfg(feature = "arc-swap")]
threads! {
    // Shared, as in an `Arc`.
    Frozen<u64, String, RandomState>: true, true;
    Frozen<u64, Cell<u64>, RandomState>: true, false;
    View<u64, String, RandomState>: true, true;
    View<u64, Cell<u64>, RandomState>: false, false;
    View<Rc<str>, u64, RandomState>: false, false;
    View<u64, MutexGuard<'static, u64>, RandomState>: false, false;
    View<u64, u64, Cell<RandomState>>: false, false;
}

// References, under a guard that stays where it is.
#[cfg(feature = "rayon")]
threads! {
    ParIter<'static, u64, String>: true, true;
    ParIter<'static, u64, MutexGuard<'static, u64>>: true, true;
    ParIter<'static, u64, Cell<u64>>: false, false;
    ParIter<'static, Rc<u64>, u64>: false, false;
}

/// Nothing public is missing above.
#[test]
fn every_public_type_is_told() {
    let names = |text: &'static str| text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let exported = include_str!("../src/lib.rs");
    let exported = ["pub use map::", "pub use multi::", "pub use nested::", "pub use set::"]
        .into_iter()
        .flat_map(|list| exported.split(list).skip(1));
    let exported: Vec<_> = exported.flat_map(|list| names(&list[..list.find(';').expect("it ends")])).collect();
    let tables = include_str!("auto_traits.rs").split("\nthreads! {").skip(1);
    let told: Vec<_> = tables.flat_map(|table| names(&table[..table.find("\n}").expect("it ends")])).collect();
    assert!(["HashMap", "Metrics", "MultiMap", "NestedMap", "HashSet"].iter().all(|name| exported.contains(name)));
    for name in exported.into_iter().filter(|name| !name.is_empty()) {
        assert!(told.contains(&name), "{name} may be sent and shared, or not");
    }
}

/// A future is polled by another thread than the map's, whose values may be dropped there, but not looked at.
#[test]
fn a_task_on_another_thread_may_drop_what_cannot_be_shared() {
    let map = HashMap::from([(1, Cell::new(1)), (2, Cell::new(2))]);
    let session = map.pin();
    session.remove(&1);
    let mut future = Box::pin(map.reclaim_async());
    let mut poll = || {
        let poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        std::thread::scope(|scope| scope.spawn(poll).join().unwrap())
    };
    assert_eq!(poll(), Poll::Pending);
    session.get(&2).unwrap().set(3);
    drop(session);
    assert_eq!(poll(), Poll::Ready(Ok(())));
    assert_eq!((map.len(), map.get(&2).unwrap().get()), (1, 3));
}

#[test]
fn a_map_may_be_used_after_a_panic() {
    const { assert!(implements!(HashMap<u64, String>: UnwindSafe)) };
    const { assert!(implements!(HashMap<u64, String>: RefUnwindSafe)) };
    const { assert!(!implements!(HashMap<u64, Cell<u64>>: RefUnwindSafe)) };
    const { assert!(implements!(HashSet<String>: UnwindSafe)) };
    const { assert!(implements!(HashSet<String>: RefUnwindSafe)) };
    const { assert!(!implements!(HashSet<Cell<u64>>: RefUnwindSafe)) };
    const { assert!(implements!(NestedMap<u64, u64, String>: UnwindSafe)) };
    const { assert!(implements!(NestedMap<u64, u64, String>: RefUnwindSafe)) };
    const { assert!(!implements!(NestedMap<u64, u64, Cell<u64>>: RefUnwindSafe)) };
}
