//! What the models rely on: these fail with loom as it is published, which skips such interleavings.

use std::collections::BTreeSet;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom_tests::explore;

/// A thread's own load does not hide that of another one from what it stores next.
#[test]
fn two_loads_against_a_load_and_an_exchange() {
    let outcomes = explore(3, || {
        let number = Arc::new(AtomicUsize::new(0));
        let other = loom::thread::spawn({
            let number = number.clone();
            move || {
                let seen = number.load(Ordering::Relaxed);
                number.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed).unwrap();
            }
        });
        let seen = (number.load(Ordering::Relaxed), number.load(Ordering::Relaxed));
        other.join().unwrap();
        seen
    });
    assert_eq!(outcomes, BTreeSet::from([(0, 0), (0, 1), (1, 1)]));
}

/// Who tries to lock a mutex comes before, while, or after another has it.
#[test]
fn try_lock_against_lock() {
    let outcomes = explore(3, || {
        let mutex = Arc::new(Mutex::new(0));
        let other = loom::thread::spawn({
            let mutex = mutex.clone();
            move || *mutex.lock().unwrap() += 1
        });
        let seen = mutex.try_lock().ok().map(|number| *number);
        other.join().unwrap();
        seen
    });
    assert_eq!(outcomes, BTreeSet::from([None, Some(0), Some(1)]));
}
