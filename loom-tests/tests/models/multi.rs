//! Several values a key.

use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;

use loom::sync::Arc;
use loom_tests::{AsIs, Ledger, explore, play};
use tidymap::MultiMap;

/// A thread removes the last value of a key, and with it the key, while another inserts one: that is there afterwards, alone, and
/// what has been removed is dropped. Two slices share the value that stays, and are dropped by whom they are dropped: by a counter that orders that, as
/// whoever shares values among threads has.
#[test]
fn insert_against_the_removal_of_the_last_value() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = Arc::new(MultiMap::<u64, Arc<loom_tests::Value>, BuildHasherDefault<AsIs>>::default());
        map.insert(1, Arc::new(ledger.value(1)));
        map.as_map().shrink_to_fit();
        let remover = play("remover", {
            let map = map.clone();
            move || assert_eq!(map.retain_values(&1, |value| value.number() != 1), 1)
        });
        let inserted = map.insert(1, Arc::new(ledger.value(2)));
        remover.join().unwrap();
        let left: Vec<u64> = map.get(&1).unwrap().iter().map(|value| value.number()).collect();
        assert_eq!((left, ledger.live()), (vec![2], 1));
        inserted
    });
    assert_eq!(outcomes, BTreeSet::from([1, 2]), "after the removal, or before");
}
