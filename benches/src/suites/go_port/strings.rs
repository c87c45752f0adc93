//! The hash trie's own benchmarks: strings, which are shared as Go's are, and values that are not boxed.

use std::sync::OnceLock;

use foldhash::fast::FixedState;

use super::Ported;
use super::sharing::{Turns, count, result};
use crate::maps::Protection;

type Map = tidymap::HashMap<&'static str, u64, FixedState>;

const SMALL: usize = 8;
const MIDDLE: usize = 128;
const LARGE: usize = 128 << 10;

/// Numbers, written in binary.
fn names() -> &'static [&'static str] {
    static NAMES: OnceLock<Vec<&str>> = OnceLock::new();
    NAMES.get_or_init(|| (0..LARGE).map(|i| &*format!("{i:b}").leak()).collect())
}

pub(super) fn all() -> Vec<Ported<Map>> {
    let load = Ported {
        name: "HashTrieMapLoad",
        call: "read",
        protection: Protection::OneShot,
        operations: 2_000_000,
        setup: filled::<MIDDLE>,
        work: load::<MIDDLE>,
        check: |_, shares| assert_eq!(result(shares), count(shares)),
        grows: false,
    };
    let load_or_store = Ported {
        name: "HashTrieMapLoadOrStore",
        call: "get_or_insert",
        setup: || filled::<0>(),
        work: load_or_store::<MIDDLE>,
        check: |map, shares| {
            assert_eq!(result(shares), count(shares));
            assert!(map.len() <= LARGE);
        },
        ..load
    };
    vec![
        Ported { name: "HashTrieMapLoadSmall", setup: filled::<SMALL>, work: self::load::<SMALL>, ..load },
        Ported { ..load },
        Ported { name: "HashTrieMapLoadLarge", setup: filled::<LARGE>, work: self::load::<LARGE>, ..load },
        Ported { ..load_or_store },
        Ported {
            name: "HashTrieMapLoadOrStoreLarge",
            work: self::load_or_store::<LARGE>,
            operations: 500_000,
            grows: true,
            ..load_or_store
        },
    ]
}

fn filled<const KEYS: usize>() -> Map {
    let map = Map::default();
    for (i, name) in names()[..KEYS].iter().enumerate() {
        map.get_or_insert(name, i as u64);
    }
    map
}

/// All threads begin with the first.
fn around<const KEYS: usize>(turns: &mut Turns<'_>) -> impl Iterator<Item = (u64, &'static str)> {
    let mut pairs = names()[..KEYS].iter().enumerate();
    turns.map(move |_| {
        let (i, name) = pairs.next().unwrap_or_else(|| {
            pairs = names()[..KEYS].iter().enumerate();
            pairs.next().expect("there are keys")
        });
        (i as u64, *name)
    })
}

fn load<const KEYS: usize>(map: &Map, turns: &mut Turns<'_>) -> i64 {
    around::<KEYS>(turns).filter(|(i, name)| map.read(name, |_, value| *value) == Some(*i)).count() as i64
}

fn load_or_store<const KEYS: usize>(map: &Map, turns: &mut Turns<'_>) -> i64 {
    around::<KEYS>(turns).filter(|(i, name)| *map.get_or_insert(name, *i) == *i).count() as i64
}
