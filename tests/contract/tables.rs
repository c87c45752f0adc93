//! Tables under failing allocations, reservations and hostile hashes: M2, P3, F2.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use tidymap::HashMap;

use crate::support::fail_tables_from;

/// Takes numbers as they are.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys write a number");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A key that chooses its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    hash: u64,
    number: u64,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

type Hostile = HashMap<Key, u64, BuildHasherDefault<AsIs>>;

/// The number by which an odd one is multiplied to give 1 (Newton's method, modulo a power of two).
fn inverse(odd: u64) -> u64 {
    (0..7).fold(1_u64, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))))
}

/// A key whose entry belongs at that place of any table, from 0, the beginning, to `u32::MAX`, the end: undoes the
/// multiplication with which the map spreads hashes.
fn at(place: u32, number: u64) -> Key {
    Key { hash: (u64::from(place) << 32).wrapping_mul(inverse(0x9E37_79B9_7F4A_7C15)), number }
}

/// So many places all over a table. Each map multiplies them by a factor of its own, so nobody knows which of them is near the end.
fn places(count: u32) -> impl Iterator<Item = u32> + Clone {
    (1..=count).map(move |number| u32::MAX / count * number)
}

#[test]
fn f2_no_entry_is_lost_when_there_is_no_memory_for_tables() {
    // All in one place. So many that they reach the end of every other table: its last buckets are full again and again, and a
    // call has to make the next table to its end.
    const PLACE: u32 = 0xfffa_3f63;
    for limit in (0..40).map(|power| (900.0 * 1.25_f64.powi(power)) as usize) {
        let map = Hostile::default();
        for number in 0..500 {
            map.insert(at(PLACE, number), number);
            fail_tables_from(limit);
            for _ in 0..4 {
                let _ = map.try_reserve(1 << 20);
            }
            fail_tables_from(usize::MAX);
            assert_eq!(map.pin().iter().count() as u64, number + 1, "tables of {limit} bytes and more fail");
        }
    }
}

#[test]
fn f2_a_reservation_that_fails_takes_nothing_away() {
    let map = HashMap::<u64, u64>::with_capacity(1000);
    map.insert(1, 1);
    let before = map.capacity();
    for number in 2..5 {
        assert!(map.try_reserve(usize::MAX).is_err());
        fail_tables_from(0);
        assert!(map.try_reserve(1 << 20).is_err());
        map.insert(number, number);
        fail_tables_from(usize::MAX);
        assert_eq!(map.capacity(), before);
    }
}

#[test]
fn m2_a_reservation_goes_when_everything_has_been_removed() {
    let map = HashMap::<u64, u64>::new();
    (0..10).for_each(|key| assert!(map.insert(key, key).is_none()));
    map.reserve(1_000_000);
    assert!(map.capacity() >= 1_000_010);
    (0..10).for_each(|key| assert!(map.remove(&key).is_some()));
    assert!(map.stats().heap.tables <= 4096, "{} bytes", map.stats().heap.tables);

    let map = HashMap::<u64, u64>::with_capacity(1_000_000);
    assert!(map.capacity() >= 1_000_000, "nothing has been removed");
    map.insert(1, 1);
    map.remove(&1);
    assert!(map.stats().heap.tables <= 4096, "{} bytes", map.stats().heap.tables);
}

#[test]
fn p3_reserving_for_one_entry_at_a_time_makes_no_table_each_time() {
    let map = HashMap::<u64, u64>::new();
    for key in 0..50_000 {
        map.reserve(1);
        map.insert(key, key);
    }
    assert!(map.stats().promotions < 100, "{} promotions", map.stats().promotions);
}

#[test]
fn m4_colliding_hashes_take_no_more_tables_than_entries() {
    // Few places are near the end of a table more often than not, if not of each map's.
    for (count, entries) in [(1, 2000); 8].into_iter().chain([(2, 3000), (3, 4000), (9, 10_000)]) {
        let map = Hostile::default();
        for (number, place) in (0..entries).zip(places(count).cycle()) {
            map.insert(at(place, number), number);
            let (tables, len) = (map.stats().heap.tables, map.len() as u64);
            assert!(tables <= 16_384 + 512 * len, "{tables} bytes of tables for {len} entries");
        }
    }
}
