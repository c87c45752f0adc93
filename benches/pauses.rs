//! How long a single insert may take while a map grows: `cargo bench --bench pauses`, or
//! `cargo bench --bench pauses -- 10000000` for so many keys.
//!
//! One thread inserts ever-new u64 keys and times each insert by itself; the max is the max. Beside the peers stands a control: a Box of
//! an entry's size for each key, which shows what the allocator, the system and the machine do in the same time; and at the end
//! what it takes to get the largest table from the allocator, zeroed, and to give it back when all of it has been used.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::HashMap as StdMap;
use std::hint::black_box;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use hdrhistogram::Histogram;

type Tidy = tidymap::HashMap<u64, u64, FixedState>;

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for keys in if asked.is_empty() { vec![100_000, 1_000_000, 10_000_000] } else { asked } {
        println!("\ninserting {keys} keys, one by one, ns an insert");
        println!("  {:<34} {:>7} {:>7} {:>8} {:>8} {:>10}  slowest at", "", "mean", "p50", "p99", "p99.9", "max");
        control(keys);
        tidy(keys);
        let papaya = papaya::HashMap::<u64, u64, FixedState>::default();
        line("papaya, pin().insert()", keys, |key| {
            black_box(papaya.pin().insert(key, key));
        });
        drop(papaya);
        let index = scc::HashIndex::<u64, u64, FixedState>::default();
        line("scc::HashIndex, insert_sync()", keys, |key| index.insert_sync(key, key).expect("a new key"));
        drop(index);
        let dash = dashmap::DashMap::<u64, u64, FixedState>::default();
        line("dashmap, insert()", keys, |key| {
            black_box(dash.insert(key, key));
        });
        drop(dash);
        let locked = RwLock::new(StdMap::<u64, u64, FixedState>::default());
        line("RwLock<std HashMap>, insert()", keys, |key| {
            black_box(locked.write().unwrap().insert(key, key));
        });
        drop(locked);
        after_promotions(keys);
        table_memory(keys);
    }
}

/// Times each call of `insert`, prints a line of figures, and returns the longest call.
fn line(name: &str, keys: u64, mut insert: impl FnMut(u64)) -> Duration {
    // Whoever asks for a large block next pays for all small ones that were freed before, with glibc: not the first one to
    // be measured.
    black_box(vec![0_u8; 1 << 20]);
    let mut times = Histogram::<u64>::new(3).expect("three digits");
    let (mut longest, mut at) = (Duration::ZERO, 0);
    let mut last = Instant::now();
    for key in 0..keys {
        insert(key);
        // The end of one is the beginning of the next: no time goes uncounted.
        let now = Instant::now();
        let time = now - last;
        last = now;
        times.saturating_record(time.as_nanos() as u64);
        if time > longest {
            (longest, at) = (time, key);
        }
    }
    let quantile = |q| times.value_at_quantile(q);
    println!(
        "  {name:<34} {:>7.0} {:>7} {:>8} {:>8} {:>10}  key {at}",
        times.mean(),
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        longest.as_nanos(),
    );
    longest
}

fn control(keys: u64) {
    // As much memory as the entries of a map, and no more to it.
    let mut boxes: Vec<Box<[u64; 3]>> = Vec::with_capacity(keys as usize);
    line("control: a Box of 24 bytes", keys, |key| boxes.push(Box::new([key; 3])));
    black_box(&boxes);
}

fn tidy(keys: u64) {
    let tidy = Tidy::default();
    line("tidymap, insert()", keys, |key| drop(tidy.insert(key, key)));
    assert_eq!(tidy.len() as u64, keys);
}

/// A store of a new key right after each promotion: where Go's map copies everything.
fn after_promotions(keys: u64) {
    let tidy = Tidy::default();
    let (mut promotions, mut longest) = (0, Duration::ZERO);
    let mut key = 0;
    while key < keys {
        // Asked for now and then only: it takes the mutex.
        for _ in 0..(keys / 1000).max(1) {
            tidy.insert(key, key);
            key += 1;
        }
        tidy.shrink_to_fit();
        promotions += 1;
        let start = Instant::now();
        tidy.insert(key, key);
        longest = longest.max(start.elapsed());
        key += 1;
        if promotions > 200 {
            break;
        }
    }
    println!("  {:<34} {:>54}  of {promotions}", "tidymap, first insert after promotion", longest.as_nanos());
}

/// What the allocator takes for the memory of a table for so many keys.
fn table_memory(keys: u64) {
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
        "  {:<34} {:>54}  and {} to give it back, used",
        "control: a table's memory, zeroed",
        taken.as_nanos(),
        given_back.as_nanos()
    );
}
