//! Which types may go to other threads, be shared between them, and be used after a panic. What must not be is as much of
//! the contract as what may.

use std::cell::Cell;
use std::hash::RandomState;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;

use tidymap::{
    Builder, CompareExchangeError, Guards, HashMap, Iter, Keys, OccupiedError, Pinned, ReclaimError, Ref, Stats,
    TryReserveError, Values,
};

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

type Session<'m> = Pinned<'m, u64, String, RandomState>;

threads! {
    // A map is what its keys and values are, but sharing it lets others drop them.
    HashMap<u64, String>: true, true;
    HashMap<u64, Rc<String>>: false, false;
    HashMap<Rc<String>, u64>: false, false;
    HashMap<u64, Cell<u64>>: true, false;
    HashMap<u64, MutexGuard<'static, u64>>: false, false;
    HashMap<u64, &'static Cell<u64>>: false, false;
    // Guards belong to their thread.
    Session<'static>: false, false;
    Ref<'static, u64, String>: false, false;
    Iter<'static, u64, String>: false, false;
    Keys<'static, u64, String>: false, false;
    Values<'static, u64, String>: false, false;
    OccupiedError<Ref<'static, u64, String>, u64, String>: false, false;
    CompareExchangeError<Ref<'static, u64, String>, String>: false, false;
    // The rest is plain data.
    Builder<Rc<u64>, Rc<String>>: true, true;
    Guards: true, true;
    Stats: true, true;
    ReclaimError: true, true;
    TryReserveError: true, true;
}

#[test]
fn a_map_may_be_used_after_a_panic() {
    const { assert!(implements!(HashMap<u64, String>: UnwindSafe)) };
    const { assert!(implements!(HashMap<u64, String>: RefUnwindSafe)) };
    const { assert!(!implements!(HashMap<u64, Cell<u64>>: RefUnwindSafe)) };
}
