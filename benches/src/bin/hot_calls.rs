//! One hot call, many times: what `cargo xtask instructions` counts. Arguments: the call, and how often.

use std::process::ExitCode;

use tidymap_benches::instructions::{self, KEYS};
use tidymap_benches::keys::shuffled;
use tidymap_benches::maps::{FixedState, Peer, Tidy};

type Map = tidymap::HashMap<u64, u64, FixedState>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(call), Some(Ok(times))) = (arguments.next(), arguments.next().map(|times| times.parse::<u64>())) else {
        eprintln!("usage: hot_calls CALL TIMES");
        return ExitCode::FAILURE;
    };
    let map: Map = Tidy::filled(shuffled(KEYS, 1).map(|key| (key, !key)));
    let keys: Vec<u64> = (0..times).map(|n| n % KEYS).collect();
    match call.as_str() {
        "get" => instructions::counted(|| hits(times, |key| map.get(&key).map(|value| *value))),
        "get, absent" => instructions::counted(|| {
            (0..times).for_each(|n| assert!(map.get(&(n + KEYS)).is_none()));
        }),
        "get in a session" => {
            let session = map.pin();
            instructions::counted(|| hits(times, |key| session.get(&key).copied()));
        }
        "get in an owned session" => {
            let session = map.pin_owned();
            instructions::counted(|| hits(times, |key| session.get(&key).copied()));
        }
        "get of a reader" => {
            let mut reader = map.reader();
            instructions::counted(|| hits(times, |key| reader.get(&key).copied()));
        }
        "overwrite" => instructions::counted(|| {
            (0..times).for_each(|n| assert!(map.insert(n % KEYS, n).is_some()));
        }),
        "remove and insert again" => instructions::counted(|| {
            for n in 0..times {
                assert!(map.remove(&(n % KEYS)).is_some());
                assert!(map.insert(n % KEYS, n).is_none());
            }
        }),
        "get_many, a key" => {
            let session = map.pin();
            instructions::counted(|| {
                let found = session.get_many(&keys).flatten().copied();
                let differences = found.zip(&keys).filter(|(value, key)| *value != !**key);
                assert_eq!(differences.count(), 0);
            });
        }
        "overwrite by insert_many, a key" => {
            instructions::counted(|| assert_eq!(map.insert_many(keys.iter().map(|key| (*key, !*key))), 0));
        }
        "insert_many, a key" => {
            let map = Map::default();
            instructions::counted(|| assert_eq!(map.insert_many((0..times).map(|n| (n, n))) as u64, times));
        }
        "remove_many, a key" => {
            let map: Map = Tidy::filled(shuffled(times, 1).map(|key| (key, !key)));
            instructions::counted(|| assert_eq!(map.remove_many(&(0..times).collect::<Vec<_>>()) as u64, times));
        }
        "remove" => {
            let map: Map = Tidy::filled(shuffled(times, 1).map(|key| (key, !key)));
            instructions::counted(|| (0..times).for_each(|n| assert!(map.remove(&n).is_some())));
        }
        "insert" => {
            let map = Map::default();
            instructions::counted(|| (0..times).for_each(|n| assert!(map.insert(n, n).is_none())));
        }
        other => {
            eprintln!("no such call: {other}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Reads keys that are there. Generic, so that the call is inlined as in a program.
fn hits(times: u64, mut read: impl FnMut(u64) -> Option<u64>) {
    (0..times).for_each(|n| assert_eq!(read(n % KEYS), Some(!(n % KEYS))));
}
