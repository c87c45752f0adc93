//! Serializing and deserializing, with a format for people and one that puts the length first.

#[path = "common/mod.rs"]
mod common;

use std::collections::HashMap as Std;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidymap::{HashMap, HashSet};

use common::{ConstantHash, RaiseOnDrop, Random, in_parallel};

fn pairs<K: Clone + Ord, V: Clone + Ord, S>(map: &HashMap<K, V, S>) -> Vec<(K, V)> {
    let mut pairs: Vec<_> = map.pin().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    pairs.sort();
    pairs
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Inventory {
    name: String,
    prices: HashMap<String, Option<u32>>,
    ids: HashMap<u64, Vec<u8>, ConstantHash>,
}

fn inventory(entries: u64) -> Inventory {
    let ids: HashMap<_, _, ConstantHash> = (0..entries).map(|id| (id, vec![id as u8; id as usize % 5])).collect();
    let prices = (0..entries).map(|id| (format!("item {id}"), (id % 3 > 0).then_some(id as u32))).collect();
    Inventory { name: String::from("cellar"), prices, ids }
}

#[test]
fn what_was_written_is_read() {
    for entries in [0, 1, 2, 100, 1000] {
        let before = inventory(entries);
        let text = serde_json::to_string_pretty(&before).unwrap();
        assert_eq!(serde_json::from_str::<Inventory>(&text).unwrap(), before);
        let bytes = postcard::to_stdvec(&before).unwrap();
        assert_eq!(postcard::from_bytes::<Inventory>(&bytes).unwrap(), before);
    }
}

/// In each direction, also borrowing from what is read.
#[test]
fn std_s_maps_are_written_and_read_alike() {
    let theirs: Std<&str, i32> = Std::from([("a", 1), ("b", -2), ("c", 3)]);
    let bytes = postcard::to_stdvec(&theirs).unwrap();
    let ours: HashMap<&str, i32> = HashMap::from([("a", 1), ("b", -2), ("c", 3)]);
    let text = serde_json::to_string(&ours).unwrap();
    assert_eq!(serde_json::from_str::<Std<&str, i32>>(&text).unwrap(), theirs);
    assert_eq!(postcard::from_bytes::<HashMap<&str, i32>>(&bytes).unwrap(), ours);
    assert_eq!(serde_json::to_string(&HashMap::<u8, u8>::new()).unwrap(), "{}");
    assert_eq!(serde_json::to_string(&HashMap::from([(7, "seven")]).pin()).unwrap(), r#"{"7":"seven"}"#);
    assert_eq!(serde_json::to_string(&HashMap::from([(7, "seven")]).pin_owned()).unwrap(), r#"{"7":"seven"}"#);
}

#[test]
fn of_a_key_that_comes_twice_the_last_value_counts() {
    // With more than a group of keys between them, and without.
    for between in [0, 1, 100] {
        let mut text = String::from(r#"{"a":1"#);
        (0..between).for_each(|n| text += &format!(r#","{n}":0"#));
        text += r#","a":2,"b":3,"b":4}"#;
        let map: HashMap<String, i32> = serde_json::from_str(&text).unwrap();
        assert_eq!((map.len(), map.get_cloned("a"), map.get_cloned("b")), (between + 2, Some(2), Some(4)));
        assert_eq!(map.stats().pending.entries, 0);
    }
}

/// While others write, the length is that of what follows: a reader finds the end where it is, with nothing left over, and in
/// between all that was there throughout, once.
#[test]
fn what_is_written_while_others_write_is_whole() {
    const KEPT: u64 = 300;
    let rounds = if cfg!(debug_assertions) { 300 } else { 3000 };
    let map: HashMap<u64, u64> = (0..KEPT).map(|key| (key, 0)).collect();
    let (done, lengths) = (AtomicBool::new(false), AtomicUsize::new(0));
    in_parallel(3, |thread| {
        if thread > 0 {
            let mut random = Random::new(thread as u64);
            while !done.load(Ordering::Relaxed) {
                let key = random.below(3 * KEPT);
                match random.below(3) {
                    0 if key >= KEPT => drop(map.remove(&key)),
                    _ => drop(map.insert(key, random.below(1000))),
                }
            }
            return;
        }
        let _done = RaiseOnDrop(&done);
        let mut last = 0;
        for round in 0..rounds {
            let bytes =
                if round % 2 == 0 { postcard::to_stdvec(&map) } else { postcard::to_stdvec(&map.pin()) }.unwrap();
            // As a sequence, so that a key that came twice would be seen.
            let (read, rest): (Vec<(u64, u64)>, _) = postcard::take_from_bytes(&bytes).unwrap();
            assert_eq!(rest, [0u8; 0], "the length was that of another map");
            lengths.fetch_add(usize::from(read.len() != last), Ordering::Relaxed);
            last = read.len();
            let by_key: Std<u64, u64> = read.iter().copied().collect();
            assert_eq!(by_key.len(), read.len(), "a key came twice");
            assert!((0..KEPT).all(|key| by_key.contains_key(&key)));
            assert!(by_key.values().all(|value| *value < 1000));
            let text = serde_json::to_string(&map).unwrap();
            assert!(serde_json::from_str::<HashMap<u64, u64>>(&text).unwrap().len() as u64 >= KEPT);
        }
    });
    assert!(lengths.into_inner() > rounds / 10, "nobody has written meanwhile");
}

/// A session writes what it has seen, also if it is removed while it is being written.
#[test]
fn what_is_removed_meanwhile_is_written_as_it_was() {
    static MAP: OnceLock<HashMap<u64, Removes>> = OnceLock::new();
    struct Removes;
    impl Serialize for Removes {
        fn serialize<S: Serializer>(&self, format: S) -> Result<S::Ok, S::Error> {
            MAP.get().expect("it is there").clear();
            format.serialize_u8(1)
        }
    }
    let map = MAP.get_or_init(|| (0..50).map(|key| (key, Removes)).collect());
    let bytes = postcard::to_stdvec(map).unwrap();
    assert_eq!(postcard::from_bytes::<HashMap<u64, u8>>(&bytes).unwrap().len(), 50);
    assert_eq!((map.len(), map.stats().pending.entries), (0, 0));
}

/// An input that promises more than it has costs no memory to speak of.
#[test]
fn an_input_that_lies_about_its_length() {
    for length in [2u64, 1 << 20, 1 << 40, u64::MAX] {
        let mut bytes = postcard::to_stdvec(&length).unwrap();
        bytes.extend([1, 1]);
        assert!(postcard::from_bytes::<HashMap<u8, u8>>(&bytes).is_err());
    }
    #[derive(Debug)]
    struct Promises;
    impl<'de> serde::de::MapAccess<'de> for Promises {
        type Error = serde::de::value::Error;

        fn next_key_seed<T: serde::de::DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, Self::Error> {
            Ok(None)
        }

        fn next_value_seed<T: serde::de::DeserializeSeed<'de>>(&mut self, _: T) -> Result<T::Value, Self::Error> {
            Err(Self::Error::custom("there is none"))
        }

        fn size_hint(&self) -> Option<usize> {
            Some(usize::MAX)
        }
    }
    let promised = serde::de::value::MapAccessDeserializer::new(Promises);
    let map = HashMap::<u64, [u64; 32]>::deserialize(promised).unwrap();
    assert!(map.is_empty() && map.stats().heap.total() < 2 << 20, "{:?}", map.stats().heap);
}

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Counted; cannot be read from 13, and panics at 14.
struct Picky(u64);

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Picky, D::Error> {
        match u64::deserialize(from)? {
            13 => Err(D::Error::custom("no luck")),
            14 => panic!("it panics"),
            number => {
                LIVE.fetch_add(1, Ordering::Relaxed);
                Ok(Picky(number))
            }
        }
    }
}

impl Drop for Picky {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn what_was_read_before_an_error_is_dropped() {
    let text = |last: u64| {
        let pairs: Vec<String> = (100..300).chain([last]).map(|n| format!(r#""{n}":{n}"#)).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let read = |text: &str| serde_json::from_str::<HashMap<String, Picky>>(text);
    let error = read(&text(13)).map(drop).unwrap_err();
    assert!(error.to_string().starts_with("no luck"), "{error}");
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
    std::panic::set_hook(Box::new(|_| {}));
    let panicked = std::panic::catch_unwind(|| read(&text(14)).map(drop));
    drop(std::panic::take_hook());
    assert!(panicked.is_err());
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
    assert!(read(&text(15)[..1000]).is_err() && read("[1]").is_err());
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
    let map = read(&text(15)).unwrap();
    assert_eq!((map.len(), LIVE.load(Ordering::Relaxed), map.get("200").unwrap().0), (201, 201, 200));
    assert_eq!(
        read("[1]").map(drop).unwrap_err().to_string(),
        "invalid type: sequence, expected a map at line 1 column 0"
    );
    assert_eq!(pairs(&serde_json::from_str::<HashMap<u8, u8>>(r#"{"1":2}"#).unwrap()), [(1, 2)]);
}

/// A set is a sequence, in both directions, as std's is.
#[test]
fn sets_are_written_and_read_as_std_s() {
    for elements in [0, 1, 100, 1000] {
        let ours: HashSet<u32> = (0..elements).collect();
        let (text, bytes) = (serde_json::to_string(&ours).unwrap(), postcard::to_stdvec(&ours.pin()).unwrap());
        let theirs: std::collections::HashSet<u32> = serde_json::from_str(&text).unwrap();
        assert_eq!(theirs, (0..elements).collect());
        assert_eq!(postcard::from_bytes::<HashSet<u32>>(&bytes).unwrap(), ours);
        let bytes = postcard::to_stdvec(&theirs).unwrap();
        assert_eq!(postcard::from_bytes::<HashSet<u32>>(&bytes).unwrap(), ours);
    }
    assert_eq!(serde_json::from_str::<HashSet<u8>>("[1, 2, 1]").unwrap(), HashSet::from([1, 2]));
    assert!(serde_json::from_str::<HashSet<u8>>("[1, -2]").is_err());
}

/// The length that is written is that of what follows, whoever comes and goes meanwhile.
#[test]
fn c2_sets_are_written_beside_writers() {
    let set: HashSet<u64> = (0..200).collect();
    let done = AtomicBool::new(false);
    in_parallel(2, |thread| {
        if thread == 0 {
            for _ in 0..300 {
                let bytes = postcard::to_stdvec(&set).unwrap();
                let (read, rest) = postcard::take_from_bytes::<Vec<u64>>(&bytes).unwrap();
                assert!(rest.is_empty(), "more than was said");
                let read: std::collections::HashSet<u64> = read.into_iter().collect();
                assert!((0..200).step_by(2).all(|stays| read.contains(&stays)));
            }
            done.store(true, Ordering::Relaxed);
            return;
        }
        while !done.load(Ordering::Relaxed) {
            (1..200).step_by(2).for_each(|goes| assert!(set.remove(&goes)));
            set.insert_many((1..200).step_by(2));
        }
    });
}
