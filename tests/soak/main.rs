//! A day of a long-lived map, in as many seconds as there are: ever new keys, values of all sizes, sessions short and long, growth
//! and shrinking, and threads that come and go. In the end as in the beginning, nothing is held that is not in the map.
//!
//! Ignored, because it takes its time: `SOAK_SECONDS=300 cargo test --release --test soak -- --ignored --nocapture`. Without the
//! variable it takes a minute. Prints a line for each tenth of it.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/heap.rs"]
mod heap;
mod work;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::{Ledger, Random, in_parallel};
use heap::{Counting, Level};
use work::{MOST, World};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Threads work for so long, and then everything is counted while they are gone.
const ROUND: Duration = Duration::from_millis(500);

/// Records for a few threads.
const RECORDS: usize = 64 * 256;

/// Of a map that is empty: 4 KiB (M2), and its records.
const EMPTY: usize = (4 << 10) + RECORDS;

/// What is counted between two rounds.
struct Counts {
    live: usize,
    resident: usize,
}

/// Bytes of the process that are in memory, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    // By the size that pages have on nearly all machines. Elsewhere the figures are wrong, and their ratios right.
    Some(pages * 4096)
}

/// Runs the threads for a round.
fn round(world: &World<'_>, seed: u64) {
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    in_parallel(6, |thread| {
        let mut random = Random::new(seed * 6 + thread as u64);
        match thread {
            0 | 1 => world.write(thread, &over, &mut random),
            2 | 3 => world.hold(&over, &mut random),
            4 => world.survey(&over, &mut random),
            // Whoever panics does not raise it, and is not waited for.
            _ => {
                std::thread::sleep(ROUND.saturating_sub(begun.elapsed()));
                over.store(true, Relaxed);
            }
        }
    });
}

/// Nobody is at work: what is alive is what is in the map, and what the map says of its memory is so.
fn count(world: &World<'_>, before: Level) -> Counts {
    let stats = world.map.stats();
    assert_eq!((stats.pending.entries, stats.live_guards, stats.retired - stats.freed), (0, 0, 0), "{stats:?}");
    assert!(stats.heap.records <= RECORDS as u64, "records of threads that are gone are used again: {stats:?}");
    let session = world.map.pin();
    world.ledger.assert_alive(session.values());
    let owned: usize = session.values().map(|value| value.len()).sum();
    drop(session);
    world.map.try_reclaim();
    let (live, told) = (before.bytes_since() as usize, world.map.stats().heap.total() as usize + owned);
    assert!(live.abs_diff(told) <= told / 20 + EMPTY, "{live} bytes are live, {told} are told (M4)");
    Counts { live, resident: resident().unwrap_or(0) }
}

#[test]
#[ignore = "takes a minute, or SOAK_SECONDS"]
fn memory_is_constant_over_a_long_life() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(60, |seconds| seconds.parse().expect("a number of seconds"));
    let (begun, length) = (Instant::now(), Duration::from_secs(seconds));
    let ledger = Ledger::new();
    let mut random = Random::new(0);
    // What threads take for themselves once they have been there.
    in_parallel(6, |_| ());
    let before = Level::now();
    let world = World::new(&ledger);
    // Until a fifth of the time is over: the most there was.
    let (mut warm_live, mut warm_resident) = (0, 0);
    let (mut most_live, mut most_resident, mut rounds, mut emptied, mut told) = (0, 0, 0, 0, 0);
    while begun.elapsed() < length {
        round(&world, rounds);
        rounds += 1;
        let Counts { live, resident } = count(&world, before);
        if begun.elapsed() < length / 5 {
            (warm_live, warm_resident) = (warm_live.max(live), warm_resident.max(resident));
        } else {
            (most_live, most_resident) = (most_live.max(live), most_resident.max(resident));
        }
        let tenths = begun.elapsed().as_secs() * 10 / seconds.max(1);
        if tenths >= told {
            told = tenths + 1;
            let stats = world.map.stats();
            println!(
                "{:4} s: {} thousand values made, {} entries, {} KiB live, {} KiB resident, {} promotions, {} pending at most",
                begun.elapsed().as_secs(),
                ledger.made() / 1000,
                stats.len,
                live >> 10,
                resident >> 10,
                stats.promotions,
                world.most_pending.load(Relaxed)
            );
        }
        if random.once_in(4) {
            world.empty(&mut random);
            emptied += 1;
            let left = count(&world, before).live;
            assert!(left <= EMPTY, "{left} bytes are held by a map without entries (M2)");
        }
    }
    let stats = world.map.stats();
    println!(
        "{rounds} rounds, {} thousand calls, {} thousand values made, {} thousand retired, emptied {emptied} times, {} promotions; live at most {} KiB while warming \
         up, {} KiB later; resident {} KiB, {} KiB later",
        world.calls.load(Relaxed) / 1000,
        ledger.made() / 1000,
        stats.retired / 1000,
        stats.promotions,
        warm_live >> 10,
        most_live >> 10,
        warm_resident >> 10,
        most_resident >> 10
    );
    assert!(stats.promotions > 10 && ledger.made() > MOST && stats.retired > MOST, "it has done something: {stats:?}");
    // The number of entries is chance. That the system has no more of it is the allocator's affair, too, so this is generous.
    let bound = warm_live.max(most_live);
    assert!(bound <= MOST as usize * (4096 / 4 + 200), "{bound} bytes for no more than {MOST} entries");
    assert!(
        most_resident <= warm_resident * 3 / 2 + (16 << 20),
        "{warm_resident} bytes were resident, and now {most_resident}"
    );
    drop(world);
    assert_eq!(ledger.live(), 0, "with the map all goes");
    let left = before.bytes_since();
    assert!(left <= EMPTY as i64, "{left} bytes are left by a map that is gone");
}
