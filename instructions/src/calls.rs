//! One hot call, many times.

use std::error::Error;

use foldhash::fast::FixedState;

type Map = tidymap::HashMap<u64, u64, FixedState>;

/// Keys in the map of which the calls are counted.
const KEYS: u64 = 1_000;

/// What is counted: nothing outside of it is.
#[inline(never)]
fn counted(work: impl FnOnce()) {
    work();
}

/// A map with so many keys, none of them in a young table.
fn filled(keys: u64) -> Map {
    let map: Map = (0..keys).map(|key| (key, !key)).collect();
    map.shrink_to_fit();
    map
}

/// Makes this call so many times.
pub(crate) fn run(call: &str, times: u64) -> Result<(), Box<dyn Error>> {
    let map = filled(KEYS);
    let keys: Vec<u64> = (0..times).map(|n| n % KEYS).collect();
    match call {
        "get" => counted(|| hits(times, |key| map.get(&key).map(|value| *value))),
        "get, absent" => counted(|| {
            (0..times).for_each(|n| assert!(map.get(&(n + KEYS)).is_none()));
        }),
        "get in a session" => {
            let session = map.pin();
            counted(|| hits(times, |key| session.get(&key).copied()));
        }
        "get in an owned session" => {
            let session = map.pin_owned();
            counted(|| hits(times, |key| session.get(&key).copied()));
        }
        "get of a reader" => {
            let mut reader = map.reader();
            counted(|| hits(times, |key| reader.get(&key).copied()));
        }
        "overwrite" => counted(|| {
            (0..times).for_each(|n| assert!(map.insert(n % KEYS, n).is_some()));
        }),
        "remove and insert again" => counted(|| {
            for n in 0..times {
                assert!(map.remove(&(n % KEYS)).is_some());
                assert!(map.insert(n % KEYS, n).is_none());
            }
        }),
        "get_many, a key" => {
            let session = map.pin();
            counted(|| {
                let found = session.get_many(&keys).flatten().copied();
                let differences = found.zip(&keys).filter(|(value, key)| *value != !**key);
                assert_eq!(differences.count(), 0);
            });
        }
        "overwrite by insert_many, a key" => {
            counted(|| assert_eq!(map.insert_many(keys.iter().map(|key| (*key, !*key))), 0));
        }
        "insert_many, a key" => {
            let map = Map::default();
            counted(|| assert_eq!(map.insert_many((0..times).map(|n| (n, n))) as u64, times));
        }
        "remove_many, a key" => {
            let map = filled(times);
            counted(|| assert_eq!(map.remove_many(&(0..times).collect::<Vec<_>>()) as u64, times));
        }
        "remove" => {
            let map = filled(times);
            counted(|| (0..times).for_each(|n| assert!(map.remove(&n).is_some())));
        }
        "insert" => {
            let map = Map::default();
            counted(|| (0..times).for_each(|n| assert!(map.insert(n, n).is_none())));
        }
        other => return Err(format!("no such call: {other}").into()),
    }
    Ok(())
}

/// Reads keys that are there. Generic, so that the call is inlined as in a program.
fn hits(times: u64, mut read: impl FnMut(u64) -> Option<u64>) {
    (0..times).for_each(|n| assert_eq!(read(n % KEYS), Some(!(n % KEYS))));
}
