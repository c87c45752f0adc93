//! R3, R4, R9 and R10 together: every way to remove, to wait and to hand over, at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, Operation, Reclaim, Reclaimed};

use crate::support::{Counted, Counter, block_on, in_time, until};

/// A small generator of numbers that nobody can foretell by looking.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Every way to remove and to wait, on few keys, with readers that nest their sessions. Nobody waits for ever, and in the end
/// everything has been dropped or handed over once.
fn everything(reclaim: Reclaim, rounds: u64) {
    in_time(move || {
        let counter = Counter::default();
        let reclaimed = Arc::new(AtomicUsize::new(0));
        let hook = {
            let reclaimed = reclaimed.clone();
            move |garbage: Reclaimed<u64, Counted>| {
                reclaimed.fetch_add(1, Ordering::Relaxed);
                drop(garbage);
            }
        };
        let map: HashMap<u64, Counted> = HashMap::builder().max_pending(3).reclaim(reclaim).on_reclaim(hook).build();
        let handed_over = AtomicUsize::new(0);
        let (map, counter, handed_over) = (&map, &counter, &handed_over);
        thread::scope(|scope| {
            for seed in 1..=4 {
                scope.spawn(move || {
                    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed);
                    for _ in 0..rounds {
                        let number = next(&mut state);
                        let key = number >> 32 & 7;
                        let value = || counter.value(key);
                        match number % 12 {
                            0..=3 => drop(map.insert(key, value())),
                            4 => drop(map.remove(&key)),
                            5 => drop(map.update(&key, |old| counter.value(old.number))),
                            6 => drop(map.compute(key, |old| match old {
                                None => Operation::<_, ()>::Insert(value()),
                                Some(_) => Operation::Remove,
                            })),
                            7 => {
                                let removed = map.remove_owned(&key).expect("no guard is held");
                                handed_over.fetch_add(usize::from(removed.is_some()), Ordering::Relaxed);
                            }
                            8 => {
                                let removed = map.remove_entry(&key).map(|removed| removed.try_into_owned().is_ok());
                                handed_over.fetch_add(usize::from(removed == Some(true)), Ordering::Relaxed);
                            }
                            9 if number >> 40 & 15 == 0 => map.clear(),
                            10 if number >> 40 & 7 == 0 => assert_eq!(block_on(map.reclaim_async()), Ok(())),
                            11 if number >> 40 & 7 == 0 => assert_eq!(map.reclaim(), Ok(())),
                            _ => drop(map.get(&key)),
                        }
                    }
                });
            }
            for seed in 5..=6 {
                scope.spawn(move || {
                    let mut state = seed;
                    let mut sessions = std::collections::VecDeque::new();
                    for _ in 0..rounds / 4 {
                        let number = next(&mut state);
                        sessions.push_back(map.pin());
                        if number % 4 == 0 {
                            let index = number as usize >> 8 & 3;
                            drop(sessions.remove(index));
                        }
                        for (key, value) in sessions.back().into_iter().flatten() {
                            assert_eq!(value.number, *key);
                        }
                        if sessions.len() > 3 {
                            sessions.clear();
                        }
                    }
                });
            }
        });
        assert_eq!(map.reclaim(), Ok(()));
        let stats = map.stats();
        assert_eq!((stats.pending.entries, stats.live_guards), (0, 0));
        assert_eq!(counter.live(), map.len());
        let gone = reclaimed.load(Ordering::Relaxed) + handed_over.load(Ordering::Relaxed);
        assert_eq!((stats.retired, stats.freed), (gone as u64, gone as u64));
        // All room is there again: with a reader that holds everything back, so many more go through, and no more.
        (0..8).for_each(|key| drop(map.insert(key, counter.value(key))));
        map.try_reclaim();
        let (entered, leave) = (Barrier::new(2), Barrier::new(2));
        let removed = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _session = map.pin();
                entered.wait();
                leave.wait();
            });
            entered.wait();
            scope.spawn(|| {
                for key in 0..8 {
                    assert!(map.remove(&key).is_some());
                    removed.fetch_add(1, Ordering::SeqCst);
                }
            });
            until(|| removed.load(Ordering::SeqCst) >= 3);
            thread::sleep(Duration::from_millis(50));
            let before = removed.load(Ordering::SeqCst);
            leave.wait();
            assert_eq!(before, 3);
        });
    });
}

#[test]
fn everything_at_once() {
    everything(Reclaim::Immediate, 20_000);
}

#[test]
fn everything_at_once_with_a_batch() {
    everything(Reclaim::Batched(8), 20_000);
}
