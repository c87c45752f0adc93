//! `Builder::on_reclaim`: R1, R2, R5, R7 with a function in place of the drops.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;

use tidymap::{HashMap, Reclaimed};

use crate::support::{Counted, Counter, key};

type Bin<K, V> = Arc<Mutex<Vec<Reclaimed<K, V>>>>;

fn with_bin<K, V>() -> (HashMap<K, V>, Bin<K, V>)
where
    K: Eq + std::hash::Hash + Send + 'static,
    V: Send + 'static,
{
    let bin = Bin::default();
    let into = bin.clone();
    (HashMap::builder().on_reclaim(move |reclaimed| into.lock().unwrap().push(reclaimed)).build(), bin)
}

fn empty<K, V>(bin: &Bin<K, V>) -> Vec<Reclaimed<K, V>> {
    std::mem::take(&mut bin.lock().unwrap())
}

/// Small values live in their entry at first, large ones never do.
fn each_thing_that_goes_is_given_once<V>(value: impl Fn(u32) -> V)
where
    V: Clone + PartialEq + std::fmt::Debug + Send + 'static,
{
    use Reclaimed::{Overwritten, Removed};
    let (map, bin) = with_bin();
    let v = value;
    map.insert(1, v(1));
    map.insert(1, v(2));
    assert_eq!(empty(&bin), [Overwritten(v(1))]);
    map.update(&1, |_| v(3));
    map.compare_exchange(&1, &v(3), v(4)).unwrap();
    assert_eq!(empty(&bin), [Overwritten(v(2)), Overwritten(v(3))]);
    map.remove(&1);
    assert_eq!(empty(&bin), [Removed(1, v(4))]);

    (0..3).for_each(|number| drop(map.insert(number, v(number))));
    map.retain(|number, _| *number != 1);
    assert_eq!(empty(&bin), [Removed(1, v(1))]);
    map.clear();
    let mut cleared = empty(&bin);
    cleared.sort_by_key(|reclaimed| matches!(reclaimed, Removed(2, _)));
    assert_eq!(cleared, [Removed(0, v(0)), Removed(2, v(2))]);

    // A guard that sees them keeps both from being given, in whichever order they went.
    map.insert(5, v(5));
    let session = map.pin();
    map.insert(5, v(6));
    map.remove(&5);
    assert_eq!(empty(&bin), []);
    drop(session);
    assert_eq!(empty(&bin), [Overwritten(v(5)), Removed(5, v(6))]);

    // By value: not given.
    map.insert(7, v(7));
    assert_eq!(map.remove_owned(&7), Ok(Some((7, v(7)))));
    map.insert(7, v(7));
    assert_eq!(map.remove_entry(&7).unwrap().try_into_owned().unwrap(), (7, v(7)));
    assert_eq!(empty(&bin), []);

    // With the map, whatever is in it, and what a leaked guard holds back.
    map.insert(8, v(8));
    map.insert(9, v(9));
    std::mem::forget(map.pin());
    map.insert(9, v(10));
    drop(map);
    let mut last = empty(&bin);
    last.sort_by_key(|reclaimed| match reclaimed {
        Removed(number, _) => *number,
        Overwritten(_) => 0,
    });
    assert_eq!(last, [Overwritten(v(9)), Removed(8, v(8)), Removed(9, v(10))]);
}

#[test]
fn r1_the_hook_is_given_each_pair_and_value_once() {
    each_thing_that_goes_is_given_once(|number| number);
    each_thing_that_goes_is_given_once(|number| [number; 100]);
    each_thing_that_goes_is_given_once(|number| vec![number]);
}

#[test]
fn r1_what_the_hook_keeps_is_not_dropped() {
    let counter = Counter::default();
    let (map, bin) = with_bin::<Counted, Counted>();
    for number in 0..100 {
        map.insert(counter.value(number), counter.value(number));
        map.remove(&key(number));
    }
    assert_eq!(counter.live(), 200);
    drop(map);
    drop(empty(&bin));
    assert_eq!(counter.live(), 0);
}

#[test]
fn r2_the_last_reader_gives_it_to_the_hook() {
    let (map, bin) = with_bin();
    map.insert(1, String::from("one"));
    thread::scope(|scope| {
        let session = map.pin();
        let removed = map.pin();
        scope.spawn(|| drop(map.remove(&1))).join().unwrap();
        drop(removed);
        assert_eq!(empty(&bin), []);
        drop(session);
        assert_eq!(empty(&bin), [Reclaimed::Removed(1, String::from("one"))]);
    });
}

#[test]
fn r5_a_panic_in_the_hook_loses_nothing() {
    let counter = Counter::default();
    let given = Arc::new(Mutex::new(0));
    let count = given.clone();
    let map = HashMap::builder()
        .on_reclaim(move |reclaimed: Reclaimed<Counted, Counted>| {
            *count.lock().unwrap() += 1;
            if let Reclaimed::Removed(key, _) = &reclaimed {
                assert_ne!(key.number % 3, 0, "a third of them panic");
            }
        })
        .build();
    for number in 0..30 {
        map.insert(counter.value(number), counter.value(number));
    }
    let panic = catch_unwind(AssertUnwindSafe(|| map.clear())).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("a third of them panic"));
    assert_eq!((*given.lock().unwrap(), counter.live()), (30, 0));
    assert_eq!((map.len(), map.stats().pending.entries, map.stats().heap.entries), (0, 0, 0));
    map.insert(counter.value(1), counter.value(1));
    map.insert(counter.value(3), counter.value(3));
    catch_unwind(AssertUnwindSafe(|| drop(map))).unwrap_err();
    assert_eq!((*given.lock().unwrap(), counter.live()), (32, 0));
}

#[test]
fn r5_the_hook_may_use_the_map() {
    // Puts back what is removed, three times.
    static MAP: std::sync::OnceLock<HashMap<u32, u32>> = std::sync::OnceLock::new();
    let map = MAP.get_or_init(|| {
        let put_back = |reclaimed| match reclaimed {
            Reclaimed::Removed(key, value) if value < 3 => drop(MAP.get().unwrap().insert(key, value + 1)),
            _ => {}
        };
        HashMap::builder().on_reclaim(put_back).build()
    });
    map.insert(1, 0);
    for expected in 1..=3 {
        map.remove(&1);
        assert_eq!(map.get(&1).as_deref(), Some(&expected));
    }
    map.remove(&1);
    assert!(map.is_empty());
}

#[test]
fn clones_share_the_hook() {
    let (map, bin) = with_bin();
    map.insert(1, 1);
    let clone = map.clone();
    clone.remove(&1);
    assert_eq!(empty(&bin), [Reclaimed::Removed(1, 1)]);
    assert_eq!(map.len(), 1);
    assert_eq!(format!("{:?}", HashMap::<u8, u8>::builder().on_reclaim(drop)).matches("on_reclaim: true").count(), 1);
}
