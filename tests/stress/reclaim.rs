//! `reclaim` among threads that come and go.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use tidymap::{HashMap, Reclaim};

use crate::THREADS;
use crate::common::{GoodHash, RaiseOnDrop, in_parallel};
use crate::world::{Ledgers, Map};

/// A batch that is never full: only `reclaim` drops it.
#[test]
fn reclaim_drops_what_all_threads_saved_up() {
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> =
        HashMap::builder().hasher(GoodHash::default()).reclaim(Reclaim::Batched(10_000)).build();
    (0..100).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    map.shrink_to_fit();
    in_parallel(THREADS, |thread| {
        for number in 1..=100 {
            let key = number - 1;
            drop(map.insert(ledgers.key(key), ledgers.value(key, number * 10 + thread as u64)));
        }
    });
    let pending = map.stats().pending.entries;
    assert_eq!(pending, 100 * THREADS as u64, "each overwrite is saved up");
    assert_eq!(ledgers.values.live(), 100 + 100 * THREADS);
    assert_eq!(map.reclaim(), Ok(()));
    ledgers.assert_settled(&map);
}

/// R3: what a thread has removed is gone when its `reclaim` returns, however many others come and go.
#[test]
fn reclaim_waits_for_the_guards_of_others() {
    let flags: Vec<AtomicBool> = (0..2 * 500).map(|_| AtomicBool::new(false)).collect();
    let map = HashMap::<usize, RaiseOnDrop<'_>>::new();
    let working = AtomicUsize::new(2);
    in_parallel(5, |thread| {
        if thread < 2 {
            let _last = Countdown(&working);
            for (number, flag) in flags.iter().enumerate().filter(|(number, _)| number % 2 == thread) {
                map.insert(number, RaiseOnDrop(flag));
                assert!(!flag.load(Relaxed));
                map.remove(&number);
                assert_eq!(map.reclaim(), Ok(()));
                assert!(flag.load(Relaxed), "reclaim has returned, and {number} is still there");
            }
        } else {
            while working.load(Relaxed) > 0 {
                let mut outer = map.pin();
                drop((map.pin(), outer.iter().count()));
                outer.refresh();
                std::thread::yield_now();
            }
        }
    });
    assert_eq!(map.stats().pending.entries, 0);
}

/// R3: and for their destructors.
#[test]
fn reclaim_waits_for_the_destructors_of_others() {
    /// Takes its time to be dropped, and tells when it begins and when it is done.
    struct Slow<'f>(&'f AtomicBool, &'f AtomicBool);

    impl Drop for Slow<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
            (0..500).for_each(|_| std::thread::yield_now());
            self.1.store(true, Relaxed);
        }
    }

    for _ in 0..40 {
        let (begun, done) = (AtomicBool::new(false), AtomicBool::new(false));
        let map = HashMap::<u64, Slow<'_>>::new();
        map.insert(1, Slow(&begun, &done));
        in_parallel(2, |thread| {
            if thread == 0 {
                map.remove(&1);
            } else {
                while !begun.load(Relaxed) {
                    std::thread::yield_now();
                }
                assert_eq!(map.reclaim(), Ok(()));
                assert!(done.load(Relaxed), "reclaim has returned, and the destructor has not");
            }
        });
    }
}

/// Counts one less when it goes, even if that is because of a panic.
struct Countdown<'c>(&'c AtomicUsize);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
