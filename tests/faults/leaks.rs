//! Guards that nobody ends: `mem::forget` is safe, so memory has to stay safe, too. What they see stays, the map says so, and
//! the map's end is the end of it.

use std::future::Future;
use std::mem::{ManuallyDrop, forget};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, Operation, ReclaimError};

use crate::common::{Counted, Ledger};
use crate::threads::Watchdog;

type Map<'l> = HashMap<u64, Counted<'l, u64>>;

fn filled(ledger: &Ledger, keys: u64) -> Map<'_> {
    (0..keys).map(|key| (key, ledger.make(key))).collect()
}

/// Forgets what holds so many guards, on a thread that ends: it is told, and whatever goes from then on waits, until
/// the map goes.
fn leaks<'l>(ledger: &'l Ledger, guards: usize, leak: impl for<'m> Fn(&'m Map<'l>) + Sync) {
    let _watchdog = Watchdog::new();
    let map = filled(ledger, 10);
    let named = |leak: &(dyn Fn(&Map<'l>) + Sync)| {
        thread::scope(|scope| {
            let builder = thread::Builder::new().name(String::from("leaky"));
            builder.spawn_scoped(scope, || leak(&map)).expect("there are threads").join().expect("it does not panic");
        });
    };
    named(&leak);
    // What `leak` has unlinked waits for it already.
    let (waiting, alive) = (map.stats().pending.entries, ledger.live());
    (5..8).for_each(|key| drop(map.remove(&key)));
    let told = map.guards();
    let stats = map.stats();
    if guards == 0 {
        assert!(told.is_empty(), "{told}");
        assert_eq!((stats.live_guards, stats.pending.entries, ledger.live()), (0, 0, map.len()));
        assert_eq!(map.reclaim(), Ok(()));
    } else {
        let guard = told.iter().next().expect("it is told");
        assert_eq!((guard.thread.as_deref(), guard.guards, told.len()), (Some("leaky"), guards, 1));
        assert_eq!(
            (stats.live_guards, stats.pending.entries, guard.pending.entries),
            (guards, waiting + 3, waiting + 3)
        );
        assert_eq!(stats.oldest_guard.map(|guard| (guard.thread, guard.guards)), Some((Some("leaky".into()), guards)));
        assert_eq!(ledger.live(), alive, "it may still be looking");
        assert_eq!(map.try_reclaim().entries, waiting + 3);
        assert_eq!(map.reclaim_timeout(Duration::from_millis(1)), Err(ReclaimError::TimedOut));
    }
    // Later threads have records of their own.
    for round in 0..20 {
        thread::scope(|scope| {
            scope.spawn(|| {
                let live = ledger.live();
                let session = map.pin();
                map.insert(100, ledger.make(round));
                drop(session);
                map.insert(100, ledger.make(round));
                map.remove(&100);
                let kept = if guards == 0 { 0 } else { 2 };
                assert_eq!(ledger.live() - live, kept, "it holds back whatever goes while it is live");
            });
        });
    }
    drop(map);
    assert_eq!(ledger.live(), 0, "with the map all goes");
}

#[test]
fn leaked_sessions_keep_what_they_see_and_are_told() {
    leaks(&Ledger::new(), 1, |map| forget(map.pin()));
    leaks(&Ledger::new(), 3, |map| (0..3).for_each(|_| forget(map.pin())));
    let ledger = Ledger::new();
    leaks(&ledger, 1, |map| {
        let session = ManuallyDrop::new(map.pin());
        session.remove(&1);
        session.insert(2, ledger.make(2));
        map.insert(2, ledger.make(2));
        map.remove(&2);
    });
}

#[test]
fn leaked_refs_keep_what_they_see_and_are_told() {
    let ledger = Ledger::new();
    leaks(&ledger, 1, |map| forget(map.get(&5)));
    leaks(&ledger, 1, |map| forget(map.remove(&1)));
    leaks(&ledger, 1, |map| forget(map.remove_entry(&1)));
    leaks(&ledger, 1, |map| forget(map.try_insert(1, ledger.make(9)).map_err(|occupied| occupied.entry)));
    leaks(&ledger, 2, |map| {
        // Of the removed pair both are kept, the old value and the new one.
        forget(map.compute(1, |_| Operation::<_, ()>::Insert(ledger.make(9))));
        map.remove(&1);
    });
}

#[test]
fn leaked_iterators_and_futures_hold_nothing_back() {
    let ledger = Ledger::new();
    leaks(&ledger, 0, |map| {
        let session = map.pin();
        let mut pairs = session.iter();
        assert!(pairs.next().is_some());
        #[expect(clippy::forget_non_drop, reason = "they have no destructor, and might have one some day")]
        forget((pairs, session.keys(), session.values()));
    });
    leaks(&ledger, 0, |map| forget(map.reclaim_async()));
    leaks(&ledger, 0, |map| {
        // Begun, and waiting for a session: the waker that it has left is woken, and gone.
        let session = map.pin();
        thread::scope(|scope| {
            scope.spawn(|| {
                map.remove(&1);
                let mut future = Box::pin(map.reclaim_async());
                let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert_eq!(polled, Poll::Pending);
                forget(future);
            });
        });
        drop(session);
        let mut future = map.reclaim_async();
        assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())));
    });
}

/// What a leaked `Ref` shows can be read for as long as the map is there, whoever removes it.
#[test]
fn what_a_leaked_ref_shows_stays() {
    let ledger = Ledger::new();
    let map = filled(&ledger, 10);
    thread::scope(|scope| {
        let shown = ManuallyDrop::new(map.get(&5).expect("it is there"));
        let value: &Counted<'_, u64> = &shown;
        scope.spawn(|| {
            map.insert(5, ledger.make(55));
            map.clear();
            map.try_reclaim();
            map.shrink_to_fit();
        });
        while !map.is_empty() || map.stats().retired < 11 {
            assert_eq!(**value, 5);
        }
        assert_eq!(**value, 5);
    });
    assert_eq!(ledger.live(), 11);
    // The map moves; the guard does not know, and is not asked.
    let moved = Box::new(map);
    moved.insert(1, ledger.make(1));
    assert_eq!((moved.len(), moved.stats().live_guards), (1, 1));
    assert_eq!(moved.reclaim(), Err(ReclaimError::GuardHeld), "this thread would wait for itself");
    drop(moved);
    assert_eq!(ledger.live(), 0);
}

/// Leaks beside guards that end: those still do what they promise.
#[test]
fn a_hundred_thousand_leaked_guards_are_counted_and_disturb_no_other() {
    const LEAKS: usize = if cfg!(miri) { 100 } else { 100_000 };
    let ledger = Ledger::new();
    let map = filled(&ledger, 10);
    let other = filled(&ledger, 10);
    for leak in 0..LEAKS {
        forget(map.get(&(leak as u64 % 10)));
        // Of ever new epochs, now and then.
        if leak % 1000 == 0 {
            map.insert(1, ledger.make(1));
        }
    }
    assert_eq!(map.stats().live_guards, LEAKS);
    let session = map.pin();
    assert_eq!(map.guards().iter().next().map(|guard| guard.guards), Some(LEAKS + 1));
    drop(session);
    assert_eq!(map.stats().live_guards, LEAKS);
    // Another map of the same thread knows nothing of it.
    let live = ledger.live();
    other.remove(&1);
    assert_eq!((ledger.live(), other.reclaim(), other.guards().len()), (live - 1, Ok(()), 0));
    drop((map, other));
    assert_eq!(ledger.live(), 0);
}
