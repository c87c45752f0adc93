//! With tables in every state that they can be in, the next read table in the making among them.

use super::super::{Core, Hash, Limits};

fn hash(key: u64) -> Hash {
    Hash::new(key.wrapping_mul(0xD6E8_FEB8_6659_FD93))
}

type Map = Core<u64, Box<u64>>;

/// Every fourth value is in a box.
fn filled(keys: u64) -> Map {
    let core = Map::new(Limits::NONE, None);
    for key in 0..keys {
        assert!(core.insert(&core.guard(), hash(key), key, Box::new(key)).is_none());
    }
    for key in (0..keys).step_by(4) {
        assert!(core.insert(&core.guard(), hash(key), key, Box::new(key)).is_some());
    }
    core
}

fn contents(core: &Map) -> Vec<u64> {
    let guard = core.guard();
    let mut keys: Vec<u64> = core.iter(&guard).map(|pair| *pair.key).collect();
    keys.sort_unstable();
    for key in &keys {
        assert_eq!(core.get(&guard, hash(*key), key).map(|pair| **pair.value), Some(*key));
    }
    keys
}

/// Fails unless what the mutex guards agrees with the tables, also when the next read table has been made.
fn assert_consistent(core: &Map) {
    let linked = |core: &Map| core.table_lens(&core.guard());
    let len = contents(core).len();
    assert_eq!((core.len(), linked(core).0 + linked(core).1), (len, len));
    core.shrink_to_fit(&core.guard()).expect("there is memory");
    assert_eq!((contents(core).len(), linked(core)), (len, (len, 0)));
}

/// Runs `work` on maps of many sizes, and sees to it that the next read table was in the making in some.
fn at_every_size(work: impl Fn(&mut Map, u64)) {
    let (mut in_the_making, mut times) = (0, 0);
    // 28 is the first at which it is.
    let sizes = if cfg!(miri) { vec![0, 3, 28] } else { (0..400).collect() };
    // Of one in sixteen it is. Tables choose their order by chance: sometimes these are too few, and all of it is done again.
    while in_the_making <= sizes.len() / 20 {
        times += 1;
        assert!(times <= 3, "{in_the_making}");
        for keys in &sizes {
            let mut core = filled(*keys);
            in_the_making += usize::from(core.lock().next.is_some());
            work(&mut core, *keys);
            assert_consistent(&core);
        }
    }
}

#[test]
fn what_is_removed_is_in_no_table() {
    at_every_size(|core, keys| {
        for key in (0..keys).step_by(3) {
            assert_eq!(core.remove_mut(hash(key), &key), Some((key, Box::new(key))));
            assert_eq!(core.remove_mut(hash(key), &key), None);
        }
        assert_eq!(contents(core), (0..keys).filter(|key| key % 3 != 0).collect::<Vec<_>>());
    });
}

#[test]
fn what_is_extracted_is_in_no_table() {
    at_every_size(|core, keys| {
        let mut extract = core.extract();
        let taken = std::iter::from_fn(|| extract.next_if(|key, _| key % 3 == 0)).count() as u64;
        drop(extract);
        assert_eq!(taken, keys.div_ceil(3));
        assert_eq!(contents(core), (0..keys).filter(|key| key % 3 != 0).collect::<Vec<_>>());
    });
}

#[test]
fn what_is_left_of_a_drain_is_where_it_was() {
    at_every_size(|core, keys| {
        let mut drain = core.drain_mut();
        let taken: Vec<u64> = drain.by_ref().take(keys as usize / 2).map(|(key, _)| key).collect();
        std::mem::forget(drain);
        let left = contents(core);
        assert_eq!((taken.len() + left.len()) as u64, keys);
        assert!(taken.iter().all(|key| !left.contains(key)));
        assert_consistent(core);
        let tables = (core.drain_mut().count(), core.tables(&core.guard()));
        assert_eq!((tables.0, core.len()), (left.len(), 0));
        let (read, young) = tables.1;
        assert!(young.into_iter().chain([read]).map(super::Table::bytes).sum::<usize>() <= 2048, "M2");
    });
}

#[test]
fn values_are_changed_where_they_are() {
    at_every_size(|core, keys| {
        let two_at_a_time: Vec<_> = core.iter_mut().collect();
        assert_eq!(two_at_a_time.len() as u64, keys);
        for (key, value) in two_at_a_time {
            assert_eq!(**value, *key);
            **value += 1;
        }
        for key in 0..keys {
            let (found, value) = core.get_mut(hash(key), &key).expect("it is there");
            assert_eq!((*found, **value), (key, key + 1));
            assert_eq!(*std::mem::replace(value, Box::new(key)), key + 1);
        }
        assert!(core.get_mut(hash(keys), &keys).is_none());
    });
}

#[test]
fn a_map_is_taken_apart() {
    for keys in [0, 1, if cfg!(miri) { 28 } else { 200 }] {
        let mut pairs = filled(keys).into_pairs();
        let half: u64 = pairs.by_ref().take(keys as usize / 2).map(|(_, value)| *value).sum();
        assert_eq!(pairs.size_hint().0 as u64, keys - keys / 2);
        let rest: u64 = pairs.map(|(key, _)| key).sum();
        assert_eq!(half + rest, (0..keys).sum());
        drop(filled(keys).into_pairs());
    }
}
