//! What reads cost with a fence and without one, and what removals do to them: `cargo run --release -p tidymap-benches --bin fences`.
//!
//! One thread reads, one call after the other; another one overwrites, removes and inserts again, so many times a second. Of the reader the mean is
//! shown, of removals how long they take. All take turns, round by round.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use hdrhistogram::Histogram;
use tidymap::{HashMap, ReadFence};
use tidymap_benches::keys::shuffled;
use tidymap_benches::maps::{FixedState, Index, Papaya, Peer, Writable};
use tidymap_benches::open_loop::{Schedule, histogram};
use tidymap_benches::results::Quartiles;

/// What to measure.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// Of each round.
    #[arg(long, default_value_t = 200)]
    milliseconds: u64,
    #[arg(long, default_value_t = 1024)]
    keys: u64,
    /// Removals a second; 0 is a thread that does nothing.
    #[arg(long, value_delimiter = ',', default_value = "0,10,1000,100000")]
    rates: Vec<u64>,
}

/// One round: nanoseconds a read, and how long removals took.
type Round = (f64, Histogram<u64>);

/// Somebody, filled.
struct Contender {
    name: &'static str,
    round: Box<dyn Fn(u64, Duration) -> Round>,
}

fn main() {
    let arguments = Arguments::parse();
    let (keys, time) = (arguments.keys, Duration::from_millis(arguments.milliseconds));
    let field = [
        ours(ReadFence::Auto, keys),
        ours(ReadFence::Never, keys),
        ours(ReadFence::Always, keys),
        peer::<Papaya>(keys),
        peer::<Index>(keys),
    ];
    println!(
        "{keys} keys; nanoseconds a read, beside removals; and how long these take: p50, p99, longest, in microseconds"
    );
    for rate in arguments.rates {
        let mut all: Vec<(Vec<f64>, Histogram<u64>)> = field.iter().map(|_| (Vec::new(), histogram())).collect();
        for round in 0..arguments.rounds {
            for turn in 0..field.len() {
                let who = (turn + round) % field.len();
                let (reads, removals) = (field[who].round)(rate, time);
                all[who].0.push(reads);
                all[who].1.add(removals).expect("of the same bounds");
            }
        }
        println!("\n{rate} removals a second");
        for (contender, (reads, removals)) in field.iter().zip(all) {
            let Quartiles { low, median, high } = Quartiles::of(reads);
            let of = |percentile| removals.value_at_percentile(percentile) as f64 / 1e3;
            let removals = if removals.is_empty() {
                String::new()
            } else {
                format!("{:8.2} {:8.2} {:8.2}", of(50.0), of(99.0), of(100.0))
            };
            println!("  {:<24} {median:6.2} ({low:.2} to {high:.2}) {removals}", contender.name);
        }
    }
}

fn ours(read_fence: ReadFence, keys: u64) -> Contender {
    let map = HashMap::builder().read_fence(read_fence).hasher(FixedState::default()).build();
    map.insert_many(shuffled(keys, 1).map(|key| (key, key)));
    map.shrink_to_fit();
    let name = match read_fence {
        ReadFence::Never => "tidymap, Never",
        ReadFence::Always => "tidymap, Always",
        _ => "tidymap",
    };
    let round = move |rate, time| {
        round(
            keys,
            rate,
            time,
            |key| map.get(&key).is_none_or(|value| *value == key),
            |key| map.remove(&key).is_some(),
            |key| {
                map.insert(key, key);
            },
        )
    };
    Contender { name, round: Box::new(round) }
}

fn peer<M: Writable>(keys: u64) -> Contender {
    let map = M::filled(shuffled(keys, 1).map(|key| (key, key)));
    let round = move |rate, time| {
        let get = |key| M::get::<u64, u64>(&map, &key).is_none_or(|value| value == key);
        round(
            keys,
            rate,
            time,
            get,
            |key| M::remove::<u64, u64>(&map, &key),
            |key| M::insert::<u64, u64>(&map, key, key),
        )
    };
    Contender { name: <M as Peer>::NAME, round: Box::new(round) }
}

fn round(
    keys: u64,
    rate: u64,
    time: Duration,
    get: impl Fn(u64) -> bool,
    remove: impl Fn(u64) -> bool + Sync,
    insert: impl Fn(u64) + Sync,
) -> Round {
    let order: Vec<u64> = shuffled(keys, 2).collect();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let remover = scope.spawn(|| {
            let mut times = histogram();
            // So that its first use is over.
            remove(order[0]);
            insert(order[0]);
            let mut schedule = (rate > 0).then(|| Schedule::of(rate));
            for key in order.iter().cycle() {
                // Waits for the next one without missing the end.
                if schedule.as_mut().is_some_and(Schedule::is_due) {
                    let begun = Instant::now();
                    assert!(remove(*key), "a key is lost");
                    times.saturating_record(begun.elapsed().as_nanos() as u64);
                    insert(*key);
                } else {
                    spin_loop();
                }
                if ended.load(Ordering::Relaxed) {
                    break;
                }
            }
            times
        });
        let (mut reads, begun) = (0u64, Instant::now());
        while begun.elapsed() < time {
            for key in &order {
                assert!(black_box(get(*key)), "a wrong answer");
            }
            reads += keys;
        }
        let nanoseconds = begun.elapsed().as_nanos() as f64 / reads as f64;
        ended.store(true, Ordering::Relaxed);
        (nanoseconds, remover.join().expect("it does not panic"))
    })
}
