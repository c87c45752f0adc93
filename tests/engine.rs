//! Why the grace periods are not crossbeam-epoch's: the same steps on it and on this map.
//!
//! A reader is live while something is removed; a second reader comes after the removal, and stays; the first one leaves. R2
//! says that the removed value is dropped then: the second reader could never see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidymap::HashMap;

struct Tells(Arc<AtomicBool>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn crossbeam_epoch_lets_a_later_reader_hold_a_removed_value_back() {
    let dropped = Arc::new(AtomicBool::new(false));
    let collector = crossbeam_epoch::Collector::new();
    let [first, second, remover] = [0; 3].map(|_| collector.register());
    let flush = || (0..10).for_each(|_| remover.pin().flush());

    let early = first.pin();
    // As far as the epoch goes with the early reader in it; what is removed now is stamped one later than that reader.
    flush();
    let value = Tells(dropped.clone());
    remover.pin().defer(move || drop(value));
    let late = second.pin();
    drop(early);
    flush();
    assert!(!dropped.load(Ordering::SeqCst), "held by a reader that never could see it");
    drop(late);
    flush();
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn this_map_does_not() {
    let dropped = Arc::new(AtomicBool::new(false));
    let map = HashMap::new();
    map.insert(1, Tells(dropped.clone()));

    let early = map.pin();
    map.remove(&1);
    let late = map.pin();
    assert!(!dropped.load(Ordering::SeqCst));
    drop(early);
    assert!(dropped.load(Ordering::SeqCst), "at the leaving of the last reader that could see it");
    drop(late);
}
