//! Keys that somebody has chosen so that they collide: under a hasher that he knows they do, under the default they do not.
//!
//! What is counted is how often keys are compared, which is how often a search had to look at an entry: nothing here depends on
//! time.

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::process::Command;

use tidymap::HashMap;

thread_local!(static COMPARED: Cell<u64> = const { Cell::new(0) });

/// Counts how often it is compared.
#[derive(Clone, Copy, Debug)]
struct Key(u64);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        COMPARED.set(COMPARED.get() + 1);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// A hasher without a secret, of the kind that multiplies: fast, and known to all.
#[derive(Clone, Copy, Debug, Default)]
struct Known(u64);

impl Known {
    const FACTOR: u64 = 0x517C_C1B7_2722_0A95;
}

impl BuildHasher for Known {
    type Hasher = Known;

    fn build_hasher(&self) -> Known {
        *self
    }
}

impl Hasher for Known {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys write a number");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(Known::FACTOR);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The number by which an odd one is multiplied to give 1 (Newton's method, modulo a power of two).
fn inverse(odd: u64) -> u64 {
    (0..7).fold(1_u64, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))))
}

/// Different keys of which [`Known`], and the multiplication that the map adds, leave nothing but the bits that no table uses.
fn chosen(keys: u64) -> impl Iterator<Item = Key> + Clone {
    let undone = inverse(Known::FACTOR).wrapping_mul(inverse(0x9E37_79B9_7F4A_7C15));
    (0..keys).map(move |number| Key(number.wrapping_mul(undone)))
}

/// How often keys are compared while these are inserted, looked up and removed; how often in the longest of these calls; for one key.
fn compared<S: BuildHasher>(map: &HashMap<Key, u64, S>, keys: impl Iterator<Item = Key> + Clone) -> (f64, u64) {
    let (mut all, mut longest, mut calls) = (0, 0, 0);
    let mut count = |call: &dyn Fn()| {
        COMPARED.set(0);
        call();
        all += COMPARED.get();
        longest = longest.max(COMPARED.get());
        calls += 1;
    };
    keys.clone().for_each(|key| count(&|| assert!(map.insert(key, key.0).is_none())));
    keys.clone().for_each(|key| count(&|| assert_eq!(map.get(&key).as_deref(), Some(&key.0))));
    keys.clone().for_each(|key| count(&|| assert!(map.remove(&key).is_some())));
    (all as f64 / f64::from(calls), longest)
}

#[test]
fn keys_that_collide_under_a_known_hasher_do_not_under_the_default() {
    // Few: each is compared with all of the others.
    const FEW: u64 = 1000;
    let (mean, longest) = compared(&HashMap::with_hasher(Known(0)), chosen(FEW));
    assert!(mean > FEW as f64 / 4.0 && longest >= FEW - 1, "they are well chosen: {mean}, at most {longest}");
    let keys = chosen(FEW).map(|Key(number)| number).collect::<HashSet<_>>();
    assert_eq!(keys.len() as u64, FEW, "they are different");

    const MANY: u64 = if cfg!(miri) { 1000 } else { 100_000 };
    let (mean, longest) = compared(&HashMap::new(), chosen(MANY));
    // One comparison finds a key, and one search in some dozens meets another key with the tag of its own.
    assert!(mean < 1.0, "{mean} comparisons for each of three calls");
    assert!(longest <= 16, "{longest} comparisons in one call");
    let (honest, _) = compared(&HashMap::new(), (0..MANY).map(Key));
    assert!((mean - honest).abs() < 0.05, "{mean} with chosen keys, {honest} with others");
}

/// Tables are no larger, either, and no more of them are made.
#[test]
fn chosen_keys_cost_no_more_memory_under_the_default() {
    const KEYS: u64 = if cfg!(miri) { 1000 } else { 100_000 };
    let map = |keys: &mut dyn Iterator<Item = Key>| {
        let map: HashMap<Key, u64> = HashMap::new();
        keys.for_each(|key| drop(map.insert(key, 0)));
        map.stats()
    };
    let (chosen, honest) = (map(&mut chosen(KEYS)), map(&mut (0..KEYS).map(Key)));
    assert!(chosen.heap.tables * 10 <= honest.heap.tables * 11, "{} bytes, {}", chosen.heap.tables, honest.heap.tables);
    assert!(chosen.promotions <= honest.promotions + 1, "{} promotions, {}", chosen.promotions, honest.promotions);
}

/// An iteration yields neighbours one after the other, and who inserts in that order inserts neighbours: into a map with the same
/// hasher, or into the same one when it has been emptied. They are no neighbours there.
#[test]
fn keys_in_the_order_of_an_iteration_are_as_good_as_others() {
    const KEYS: u64 = if cfg!(miri) { 1000 } else { 30_000 };
    let map: HashMap<Key, u64> = (0..KEYS).map(|number| (Key(number), 0)).collect();
    map.shrink_to_fit();
    let order: Vec<Key> = map.pin().keys().copied().collect();
    let compared = |map: &HashMap<Key, u64>, keys: &mut dyn Iterator<Item = &Key>| {
        COMPARED.set(0);
        keys.for_each(|key| assert!(map.insert(*key, 0).is_none()));
        COMPARED.get() as f64 / KEYS as f64
    };
    let another = || HashMap::with_hasher(map.hasher().clone());
    let (forward, backward) = (compared(&another(), &mut order.iter()), compared(&another(), &mut order.iter().rev()));
    map.clear();
    let again = compared(&map, &mut order.iter());
    for mean in [forward, backward, again] {
        assert!(mean < 0.25, "{mean} comparisons for each new key");
    }
}

/// What the hasher of a new map makes of some keys.
fn fingerprint(map: &HashMap<u64, u64>) -> [u64; 4] {
    [0, 1, 2, u64::MAX].map(|key| map.hasher().hash_one(key))
}

#[test]
fn each_map_has_a_secret_of_its_own_and_its_clone_has_the_same() {
    let maps: Vec<HashMap<u64, u64>> = (0..100)
        .map(|number| match number % 4 {
            0 => HashMap::new(),
            1 => HashMap::default(),
            2 => HashMap::builder().capacity(10).build(),
            _ => [(1, 1)].into_iter().collect(),
        })
        .collect();
    let different: HashSet<_> = maps.iter().map(fingerprint).collect();
    assert_eq!(different.len(), maps.len());
    assert_eq!(fingerprint(&maps[3].clone()), fingerprint(&maps[3]));
    // Of other threads, too.
    let theirs = std::thread::spawn(|| fingerprint(&HashMap::new())).join().unwrap();
    assert!(!different.contains(&theirs));
    let _: &RandomState = maps[0].hasher();
}

#[test]
#[ignore = "run by the test below"]
fn print_a_fingerprint() {
    println!("fingerprint {:?}", fingerprint(&HashMap::new()));
}

#[test]
#[cfg_attr(miri, ignore = "Miri has one process")]
fn each_process_has_another_secret() {
    let ask = || {
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new(this);
        let output = command.args(["--exact", "print_a_fingerprint", "--ignored", "--nocapture"]).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let line = output.lines().find_map(|line| line.split_once("fingerprint ")).expect("it is printed");
        line.1.to_owned()
    };
    let told: HashSet<String> = (0..3).map(|_| ask()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
}
