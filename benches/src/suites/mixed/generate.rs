//! The programs: mixes of mostly reads, YCSB's workloads, and those of conc-map-bench. The same each time.

use super::program::{Program, Step};
use crate::keys::Order;

/// Random numbers of one thread's own, each time of another series.
fn numbers(order: Order, bound: u64, thread: u32, series: u64) -> impl Iterator<Item = u32> {
    order.numbers(bound, series << 16 | u64::from(thread)).map(|number| number as u32)
}

fn for_each_thread(threads: u32, steps: impl Fn(u32) -> Vec<Step>) -> Vec<Vec<Step>> {
    (0..threads).map(steps).collect()
}

/// Reads of any key, and so many writes in a thousand steps. Half of the writes overwrite; the others remove a key and
/// insert it again, by turns. Each thread writes to keys of its own.
pub fn mostly_reads(keys: u32, writes: u32, threads: u32, count: usize) -> Program {
    assert!(keys % threads == 0 && keys > threads, "each thread has as many keys");
    let steps = |thread| {
        let mut dice = numbers(Order::Uniform, 1000, thread, 11);
        let mut coin = numbers(Order::Uniform, 2, thread, 12);
        let mut removed = None;
        let step = |number: u32| {
            let own = number - number % threads + thread;
            // What it has removed, it does not overwrite.
            let present = if removed == Some(own) { (own + threads) % keys } else { own };
            if dice.next() >= Some(writes) {
                Step::Read(number)
            } else if coin.next() == Some(0) {
                Step::Insert(present)
            } else if let Some(number) = removed.take() {
                Step::Insert(number)
            } else {
                removed = Some(own);
                Step::Remove(own)
            }
        };
        let mut steps: Vec<_> = numbers(Order::Uniform, keys.into(), thread, 13).take(count).map(step).collect();
        if let (Some(number), Some(last)) = (removed, steps.last_mut()) {
            *last = Step::Insert(number);
        }
        steps
    };
    Program { prefilled: keys, capacity: None, repeats: true, steps: for_each_thread(threads, steps) }
}

/// One of YCSB's workloads, `'A'` to `'F'`.
pub fn ycsb(workload: char, keys: u32, threads: u32, count: usize) -> Program {
    /// As many entries are visited at most.
    const LONGEST_SCAN: u64 = 100;
    let reads = match workload {
        'A' | 'F' => 50,
        'B' | 'D' | 'E' => 95,
        'C' => 100,
        _ => unreachable!("YCSB has A to F"),
    };
    let steps = |thread| {
        let mut dice = numbers(Order::Uniform, 100, thread, 21);
        let mut zipf = numbers(Order::Zipf, keys.into(), thread, 22);
        let mut lengths = numbers(Order::Uniform, LONGEST_SCAN, thread, 23);
        let mut ranks = Order::ranks(keys.into(), 24 << 16 | u64::from(thread));
        let mut inserted = 0;
        let next = |numbers: &mut dyn Iterator<Item = u32>| numbers.next().expect("there is no end");
        let step = |_| match (workload, next(&mut dice) < reads) {
            ('D', true) => {
                // The latest of those that this thread has inserted, and after these the last that were there before.
                let back = ranks.next().expect("there is no end") as u32;
                Step::Read(if back < inserted {
                    keys + (inserted - 1 - back) * threads + thread
                } else {
                    keys - 1 - (back - inserted)
                })
            }
            ('E', true) => Step::Scan(1 + next(&mut lengths)),
            (_, true) => Step::Read(next(&mut zipf)),
            ('A' | 'B', false) => Step::Insert(next(&mut zipf)),
            ('F', false) => Step::Update(next(&mut zipf)),
            (_, false) => {
                inserted += 1;
                Step::Insert(keys + (inserted - 1) * threads + thread)
            }
        };
        (0..count).map(step).collect()
    };
    let steps = for_each_thread(threads, steps);
    Program { prefilled: keys, capacity: None, repeats: !matches!(workload, 'D' | 'E'), steps }
}

/// A mix of conc-map-bench: of a hundred steps so many reads, inserts, removals and updates.
#[derive(Clone, Copy, Debug)]
pub struct Universal {
    pub name: &'static str,
    pub mix: [u32; 4],
    /// Of the capacity, in percent.
    pub prefilled: u32,
    /// Steps of all threads, as a multiple of the capacity, in percent. Theirs are 75.
    pub steps: u32,
}

pub const UNIVERSAL: [Universal; 3] = [
    // So many that a round takes as long as the others'.
    Universal { name: "ReadHeavy", mix: [98, 1, 1, 0], prefilled: 75, steps: 300 },
    Universal { name: "Exchange", mix: [10, 40, 40, 10], prefilled: 75, steps: 75 },
    Universal { name: "RapidGrow", mix: [5, 80, 5, 10], prefilled: 0, steps: 75 },
];

impl Universal {
    /// As bustle does it, which conc-map-bench uses: each thread has its own keys, a power of two of them. It inserts them one
    /// after the other, removes the oldest, and reads and updates any of them, whether it is there or not.
    pub fn program(&self, capacity: u32, threads: u32) -> Program {
        let prefilled = capacity / 100 * self.prefilled / threads;
        let count = (u64::from(capacity) * u64::from(self.steps) / 100) as u32 / threads;
        let own = ((capacity + prefilled * threads) / threads).next_power_of_two();
        let steps = |thread| {
            let (mut removed, mut inserted) = (0, prefilled);
            let mut any = numbers(Order::Uniform, own.into(), thread, 31);
            // A hundred steps in random order, again and again.
            let block = self.block(thread);
            let step = |what: &usize| {
                let mut any = || any.next().expect("there is no end");
                let number = match what {
                    1 => {
                        inserted += 1;
                        inserted - 1
                    }
                    2 if removed < inserted => {
                        removed += 1;
                        removed - 1
                    }
                    _ => any(),
                };
                // Neighbours belong to different threads.
                let number = number * threads + thread;
                [Step::Read, Step::Insert, Step::Remove, Step::Update][*what](number)
            };
            block.iter().cycle().take(count as usize).map(step).collect()
        };
        Program {
            prefilled: prefilled * threads,
            capacity: Some(capacity as usize),
            repeats: false,
            steps: for_each_thread(threads, steps),
        }
    }

    fn block(&self, thread: u32) -> Vec<usize> {
        let sorted: Vec<_> = (0..4).flat_map(|what| std::iter::repeat_n(what, self.mix[what] as usize)).collect();
        crate::keys::shuffled(100, 32 << 16 | u64::from(thread)).map(|at| sorted[at as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::Expected;
    use super::*;

    /// Reads, inserts, removals, updates, scans: of a hundred steps.
    fn shares(program: &Program) -> [f64; 5] {
        let mut counts = [0; 5];
        let all: Vec<_> = program.steps.iter().flatten().collect();
        for step in &all {
            let what = match step {
                Step::Read(_) => 0,
                Step::Insert(_) => 1,
                Step::Remove(_) => 2,
                Step::Update(_) => 3,
                Step::Scan(_) => 4,
            };
            counts[what] += 1;
        }
        counts.map(|count| f64::from(count) * 100.0 / all.len() as f64)
    }

    fn assert_close(shares: [f64; 5], expected: [f64; 5], by: f64) {
        let close = shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() <= by);
        assert!(close, "{shares:?} instead of {expected:?}");
    }

    #[test]
    fn mixes_have_as_many_writes_as_they_say() {
        for (writes, percent) in [(1, 0.1), (10, 1.0), (50, 5.0), (100, 10.0)] {
            for threads in [1, 2, 8] {
                let program = mostly_reads(1 << 10, writes, threads, 1 << 16);
                let [reads, inserts, removals, ..] = shares(&program);
                let expected = [100.0 - percent, percent * 0.75, percent * 0.25, 0.0, 0.0];
                assert_close([reads, inserts, removals, 0.0, 0.0], expected, percent * 0.25);
                let expected = Expected::of(&program);
                let rate = expected.hit_rate().unwrap();
                assert!(rate > 99.0 && rate < 100.0 + f64::EPSILON, "{rate}");
                assert!(expected.met.iter().all(|met| met.removed > 0), "each removal finds something");
                assert_eq!(expected.exact, threads == 1);
            }
        }
    }

    #[test]
    fn each_removal_and_each_overwriting_finds_its_key() {
        let program = mostly_reads(1 << 6, 100, 2, 1 << 14);
        let removals = program.steps[1].iter().filter(|step| matches!(step, Step::Remove(_))).count();
        assert_eq!(Expected::of(&program).met[1].removed as usize, removals);
        assert!(program.steps[1].iter().all(|step| match step {
            Step::Insert(number) | Step::Remove(number) => number % 2 == 1,
            _ => true,
        }));
        let present = |(missing, absent): (usize, Option<u32>), step: &Step| match step {
            Step::Remove(number) => (missing, Some(*number)),
            Step::Insert(number) if absent == Some(*number) => (missing, None),
            Step::Insert(number) => (missing + usize::from(absent == Some(*number)), absent),
            _ => (missing, absent),
        };
        assert_eq!(program.steps[1].iter().fold((0, None), present), (0, None));
    }

    #[test]
    fn ycsb_is_as_it_is_defined() {
        let shares_of = |workload| shares(&ycsb(workload, 1 << 12, 2, 1 << 15));
        assert_close(shares_of('A'), [50.0, 50.0, 0.0, 0.0, 0.0], 1.0);
        assert_close(shares_of('B'), [95.0, 5.0, 0.0, 0.0, 0.0], 1.0);
        assert_close(shares_of('C'), [100.0, 0.0, 0.0, 0.0, 0.0], 0.0);
        assert_close(shares_of('D'), [95.0, 5.0, 0.0, 0.0, 0.0], 1.0);
        assert_close(shares_of('E'), [0.0, 5.0, 0.0, 0.0, 95.0], 1.0);
        assert_close(shares_of('F'), [50.0, 0.0, 0.0, 50.0, 0.0], 1.0);
    }

    #[test]
    fn ycsb_reads_what_is_there_and_mostly_the_frequent_or_the_latest() {
        for workload in ['A', 'B', 'C', 'D', 'F'] {
            let program = ycsb(workload, 1 << 12, 2, 1 << 15);
            let expected = Expected::of(&program);
            assert_eq!((expected.hit_rate(), expected.exact), (Some(100.0), true), "{workload}");
            let mut counts = std::collections::HashMap::new();
            let (mut reads, mut of_new) = (0, 0);
            for step in program.steps.iter().flatten() {
                if let Step::Read(number) = step {
                    *counts.entry(*number).or_insert(0) += 1;
                    (reads, of_new) = (reads + 1, of_new + u32::from(*number >= program.prefilled));
                }
            }
            // By Zipf's law with 0.99 a twelfth of the reads goes to the first of 4,096 keys.
            let most = f64::from(*counts.values().max().unwrap()) / f64::from(reads);
            match workload {
                'D' => assert!(of_new * 2 > reads, "{of_new} of {reads}"),
                _ => assert!((0.08..0.14).contains(&most), "{workload}: {most}"),
            }
        }
    }

    #[test]
    fn the_mixes_of_conc_map_bench_are_theirs() {
        for universal in UNIVERSAL {
            let [reads, inserts, removals, updates] = universal.mix.map(f64::from);
            for threads in [1, 2] {
                let program = universal.program(1 << 17, threads);
                assert_close(shares(&program), [reads, inserts, removals, updates, 0.0], 0.2);
                let expected = Expected::of(&program);
                assert!(expected.exact, "each thread has its own keys");
                let rate = expected.hit_rate().unwrap();
                // 0.75 of a capacity, of the 2 to which 1.75 is rounded up: 37.5 %; from nothing to 0.56 of 1.
                let around = if universal.prefilled > 0 { 37.5 } else { 28.0 };
                assert!((rate - around).abs() < 2.0, "{}: {rate}", universal.name);
            }
        }
    }
}
