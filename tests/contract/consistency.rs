//! C2 and C3, and iteration among writers. (C1 is shown by the models in `loom-tests` and by the ported tests.)

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tidymap::HashMap;

use crate::rounds::rounds;

#[test]
fn c2_a_key_that_is_removed_and_inserted_again_under_an_iteration_is_not_yielded_twice() {
    for promoted in [0, 50, 100] {
        let map = HashMap::new();
        for key in 0..100 {
            map.insert(key, 0);
            if key + 1 == promoted {
                map.shrink_to_fit();
            }
        }
        let session = map.pin();
        let mut seen = HashSet::new();
        for (key, _) in &session {
            assert!(seen.insert(*key), "{key} was yielded before");
            map.remove(key);
            map.insert(*key, 1);
            // Others, as well: some that were yielded, and some that were not.
            let other = (key + 37) % 100;
            map.remove(&other);
            map.insert(other, 1);
        }
        assert!(seen.len() <= 100);
    }
}

#[test]
fn c2_what_is_there_throughout_is_yielded_once_whatever_others_do() {
    const STAY: u64 = 500;
    let map = HashMap::new();
    for key in 0..STAY {
        map.insert(key, 0);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in 0..2 {
            let (map, done) = (&map, &done);
            scope.spawn(move || {
                let mut round: u64 = 0;
                while !done.load(Ordering::Relaxed) {
                    // Keys that come and go, overwrites of those that stay, growth, shrinking, promotions.
                    let key = STAY + (round * 7 + writer) % 2000;
                    map.insert(key, round);
                    map.insert(round % STAY, round);
                    if round % 3 == 0 {
                        map.remove(&(STAY + round % 2000));
                    }
                    if round % 1000 == 0 {
                        map.shrink_to_fit();
                        map.retain(|key, _| *key < STAY);
                    }
                    round += 1;
                }
            });
        }
        for _ in 0..rounds(300) {
            let mut seen = HashSet::new();
            for (key, _) in &map.pin() {
                assert!(seen.insert(*key), "{key} was yielded twice");
            }
            assert_eq!((0..STAY).filter(|key| !seen.contains(key)).count(), 0);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn c3_len_is_exact_when_no_writer_runs() {
    let map = HashMap::new();
    thread::scope(|scope| {
        for thread in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for round in 0..5000 {
                    map.insert((round * 13 + thread) % 997, round);
                    map.remove(&((round * 31 + thread) % 997));
                }
            });
        }
    });
    assert_eq!(map.len(), map.pin().iter().count());
    assert_eq!(map.len(), (0..997).filter(|key| map.contains_key(key)).count());
}
