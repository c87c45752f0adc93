//! A store of a new key right after each promotion, which is where Go's map copies everything; and what the allocator does
//! with the memory of one table.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::HashMap as StdMap;
use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion};
use tidymap_benches::clock::{self, settle_the_allocator};

use crate::grid::{Grid, number};
use crate::maps::{Family, MapOf, Tidy};
use crate::samples::{self, only_a_test};

/// How many promotions at each size.
const PROMOTIONS: u64 = 30;

/// In nanoseconds, for each promotion: the insert after it, and the Box that the control makes.
type Stores = Vec<(u64, u64)>;

pub(crate) fn bench(criterion: &mut Criterion, most: u64) {
    let done = RefCell::new(StdMap::<u64, Stores>::new());
    let sizes: Vec<_> = (3..).map(|power| 10_u64.pow(power)).take_while(|keys| *keys <= most).collect();
    let mut group = criterion.benchmark_group("after-promotion");
    for &keys in &sizes {
        let stores = |of: fn(&(u64, u64)) -> u64| {
            let mut done = done.borrow_mut();
            done.entry(keys).or_insert_with(|| after_promotions(keys)).iter().map(|both| of(both) as f64).collect()
        };
        samples::bench(&mut group, BenchmarkId::new(Tidy::NAME, keys), || stores(|(insert, _)| *insert));
        samples::bench(&mut group, BenchmarkId::new("Box", keys), || stores(|(_, control)| *control));
    }
    group.finish();
    let done = done.into_inner();
    if done.is_empty() {
        return;
    }
    let mut grid = Grid::new(["keys", "insert: median", "max", "Box: median", "max"]);
    for (keys, stores) in sizes.iter().filter_map(|keys| Some((keys, done.get(keys)?))) {
        let (inserts, boxes) = (sorted(stores, |both| both.0), sorted(stores, |both| both.1));
        let figures = [&inserts, &boxes].into_iter().flat_map(|all| [all[all.len() / 2], all[all.len() - 1]]);
        grid.row([*keys].into_iter().chain(figures).map(|figure| number(figure as i64)));
    }
    println!("\n{}, the first insert after each of {PROMOTIONS} promotions, ns\n\n{grid}", Tidy::NAME);
    sizes.iter().filter(|keys| **keys >= 100_000).for_each(|keys| table_memory(*keys));
}

fn sorted(stores: &Stores, of: fn(&(u64, u64)) -> u64) -> Vec<u64> {
    let mut all: Vec<_> = stores.iter().map(of).collect();
    all.sort_unstable();
    all
}

fn after_promotions(keys: u64) -> Stores {
    settle_the_allocator();
    let map = MapOf::<Tidy, u64, u64>::default();
    let mut next = 0..;
    let mut more = |map: &MapOf<Tidy, u64, u64>, keys: u64| {
        next.by_ref().take(keys as usize).for_each(|key| drop(map.insert(key, !key)));
    };
    more(&map, keys);
    let promotions = if only_a_test() { 1 } else { PROMOTIONS };
    let stores = (0..promotions).map(|_| {
        // Something to promote.
        more(&map, (keys / 1_000).max(1));
        map.shrink_to_fit();
        let stats = map.stats();
        assert_eq!((stats.read_len, stats.dirty_len), (map.len(), 0), "promoted");
        let start = Instant::now();
        let control = black_box(Box::new([keys; 3]));
        let took = start.elapsed().as_nanos() as u64;
        drop(control);
        let start = Instant::now();
        more(&map, 1);
        (start.elapsed().as_nanos() as u64, took)
    });
    let stores = stores.collect();
    assert!(map.contains_key(&0));
    stores
}

/// What the allocator takes for the memory of a table for so many keys.
fn table_memory(keys: u64) {
    // From the system and back to it, as when a process asks for so much for the first time.
    clock::large_blocks_are_the_systems();
    let layout = Layout::from_size_align(keys as usize * 26, 8).expect("it fits");
    let start = Instant::now();
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc_zeroed(layout) };
    assert!(!memory.is_null());
    let taken = start.elapsed();
    for page in (0..layout.size()).step_by(4096) {
        // SAFETY: in bounds.
        unsafe { memory.add(page).write_volatile(1) };
    }
    let start = Instant::now();
    // SAFETY: allocated above with this layout.
    unsafe { dealloc(memory, layout) };
    let given_back = start.elapsed();
    println!(
        "control: the memory of a table for {} keys: {} ns to have it zeroed, {} ns to give it back when it has been used",
        number(keys as i64),
        number(taken.as_nanos() as i64),
        number(given_back.as_nanos() as i64),
    );
}
