//! Reads of present keys on one thread, and removals, beside the peers: `cargo bench --bench read`, or
//! `cargo bench --bench read -- 1000000` for so many keys.
//!
//! u64 keys and values, uniformly random hits, one hasher (foldhash) for all, the system's allocator.

#[path = "common/paired.rs"]
mod paired;
#[path = "common/random.rs"]
mod random;

use std::collections::HashMap as StdMap;
use std::hint::black_box;
use std::sync::RwLock;

use foldhash::fast::FixedState;
use paired::{Candidate, compare};
use random::Random;

type Tidy = tidymap::HashMap<u64, u64, FixedState>;
type Papaya = papaya::HashMap<u64, u64, FixedState>;
type Index = scc::HashIndex<u64, u64, FixedState>;
type Dash = dashmap::DashMap<u64, u64, FixedState>;
type Locked = RwLock<StdMap<u64, u64, FixedState>>;

const READS: u64 = 400_000;
const ROUNDS: usize = 31;

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for keys in if asked.is_empty() { vec![1_000, 100_000, 1_000_000] } else { asked } {
        pairs_of_rivals(keys);
        field(keys);
        removals(keys);
    }
}

/// Reads random keys, adds up what it reads, and asserts the sum.
fn sum_of(keys: u64, mut read: impl FnMut(u64) -> u64) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut sum, mut expected) = (0_u64, 0_u64);
    for _ in 0..READS {
        let key = random.below(keys);
        sum = sum.wrapping_add(read(key));
        expected = expected.wrapping_add(!key);
    }
    assert_eq!(black_box(sum), expected);
}

/// Reads random keys, stores each value to memory before it goes on, and asserts it.
///
/// A fence has to wait for the store, and so for the cache misses of the read before: the next read cannot begin.
fn stored(keys: u64, mut read: impl FnMut(u64) -> u64) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..READS {
        let key = random.below(keys);
        assert_eq!(black_box(read(key)), !key);
    }
}

/// The two nearest rivals by themselves, so that no third map takes part in their caches: as the inserts of a program
/// leave them, after some reading; then made to measure.
fn pairs_of_rivals(keys: u64) {
    let (tidy, papaya) = (Tidy::default(), Papaya::default());
    (0..keys).for_each(|key| assert!(tidy.insert(key, !key).is_none()));
    (0..keys).for_each(|key| assert!(papaya.pin().insert(key, !key).is_none()));
    for key in (0..keys).cycle().take(3 * keys as usize + 1000) {
        assert!(tidy.contains_key(&key) && papaya.pin().contains_key(&key));
    }
    rivals("as inserted", keys, &tidy, &papaya);
    drop((tidy, papaya));

    let tidy: Tidy = (0..keys).map(|key| (key, !key)).collect();
    let papaya: Papaya = (0..keys).map(|key| (key, !key)).collect();
    tidy.shrink_to_fit();
    rivals("collected (and fitted)", keys, &tidy, &papaya);
}

fn rivals(state: &str, keys: u64, tidy: &Tidy, papaya: &Papaya) {
    let (tidy_session, papaya_session) = (tidy.pin(), papaya.pin());
    compare(
        &format!("get in a session, {keys} keys, {state}"),
        READS,
        ROUNDS,
        vec![
            Candidate::new("tidymap, pin()", || sum_of(keys, |key| *tidy_session.get(&key).unwrap())),
            Candidate::new("papaya, pin()", || sum_of(keys, |key| *papaya_session.get(&key).unwrap())),
        ],
    );
    drop((tidy_session, papaya_session));
    compare(
        &format!("one-shot get, {keys} keys, {state}"),
        READS,
        ROUNDS,
        vec![
            Candidate::new("tidymap, get()", || sum_of(keys, |key| *tidy.get(&key).unwrap())),
            Candidate::new("papaya, pin().get()", || sum_of(keys, |key| *papaya.pin().get(&key).unwrap())),
            Candidate::new("tidymap, read()", || sum_of(keys, |key| tidy.read(&key, |_, value| *value).unwrap())),
        ],
    );
    compare(
        &format!("one-shot get, each value stored, {keys} keys, {state}"),
        READS,
        ROUNDS,
        vec![
            Candidate::new("tidymap, get()", || stored(keys, |key| *tidy.get(&key).unwrap())),
            Candidate::new("papaya, pin().get()", || stored(keys, |key| *papaya.pin().get(&key).unwrap())),
        ],
    );
}

/// The whole field, each in its usual way of reading one key.
fn field(keys: u64) {
    // Each filled by itself: the allocator lays the entries of one map side by side, as in a program that has one map.
    let pairs = || (0..keys).map(|key| (key, !key));
    let tidy: Tidy = pairs().collect();
    tidy.shrink_to_fit();
    let papaya: Papaya = pairs().collect();
    let index = Index::default();
    pairs().for_each(|(key, value)| index.insert_sync(key, value).expect("a new key"));
    let dash: Dash = pairs().collect();
    let plain: StdMap<_, _, _> = pairs().collect();
    let locked: Locked = RwLock::new(plain.clone());
    // Of another map: one-shot calls beside a session of the same thread are nested, and take longer.
    let other = tidy.clone();
    other.shrink_to_fit();
    let session = other.pin();
    compare(
        &format!("one get each, the whole field, {keys} keys"),
        READS,
        ROUNDS,
        vec![
            Candidate::new("tidymap, get()", || sum_of(keys, |key| *tidy.get(&key).unwrap())),
            Candidate::new("tidymap, in a session", || sum_of(keys, |key| *session.get(&key).unwrap())),
            Candidate::new("papaya, pin().get()", || sum_of(keys, |key| *papaya.pin().get(&key).unwrap())),
            Candidate::new("scc::HashIndex, peek_with()", || {
                sum_of(keys, |key| index.peek_with(&key, |_, value| *value).unwrap())
            }),
            Candidate::new("dashmap, get()", || sum_of(keys, |key| *dash.get(&key).unwrap())),
            Candidate::new("RwLock<std HashMap>", || sum_of(keys, |key| locked.read().unwrap()[&key])),
            Candidate::new("std HashMap, no sharing at all", || sum_of(keys, |key| plain[&key])),
        ],
    );
}

/// Removes present keys and inserts them again, on maps that keep their size.
fn removals(keys: u64) {
    let tidy: Tidy = (0..keys).map(|key| (key, !key)).collect();
    let papaya: Papaya = (0..keys).map(|key| (key, !key)).collect();
    let dash: Dash = (0..keys).map(|key| (key, !key)).collect();
    let index = Index::default();
    (0..keys).for_each(|key| index.insert_sync(key, !key).expect("a new key"));
    tidy.shrink_to_fit();
    const PAIRS: u64 = 20_000;
    compare(
        &format!("remove and insert again, {keys} keys (a pair is one operation)"),
        PAIRS,
        ROUNDS,
        vec![
            Candidate::new("tidymap, dropped at once", || {
                for key in keys_of(PAIRS, keys) {
                    assert!(tidy.remove(&key).is_some());
                    tidy.insert(key, !key);
                }
            }),
            Candidate::new("papaya, dropped some day", || {
                for key in keys_of(PAIRS, keys) {
                    assert!(papaya.pin().remove(&key).is_some());
                    papaya.pin().insert(key, !key);
                }
            }),
            Candidate::new("scc::HashIndex, dropped some day", || {
                for key in keys_of(PAIRS, keys) {
                    assert!(index.remove_sync(&key));
                    index.insert_sync(key, !key).expect("just removed");
                }
            }),
            Candidate::new("dashmap, dropped at once", || {
                for key in keys_of(PAIRS, keys) {
                    assert!(dash.remove(&key).is_some());
                    dash.insert(key, !key);
                }
            }),
        ],
    );

    // Removals alone: each round on keys that are still there.
    const REMOVED: u64 = 20;
    let alone: Tidy = (0..keys).map(|key| (key, !key)).collect();
    alone.shrink_to_fit();
    let mut next = 0;
    compare(
        &format!("remove alone, {keys} keys"),
        REMOVED,
        ROUNDS,
        vec![Candidate::new("tidymap, dropped at once", || {
            for _ in 0..REMOVED {
                // Not in the order of insertion: that is how the allocator has laid them out.
                assert!(alone.remove(&next).is_some());
                next = (next + 7919) % keys;
            }
        })],
    );
}

fn keys_of(count: u64, keys: u64) -> impl Iterator<Item = u64> {
    let mut random = Random(count ^ keys);
    (0..count).map(move |_| random.below(keys))
}
