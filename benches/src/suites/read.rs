//! `read`: lookups, and nothing else.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Extent;
use crate::case::{Case, Contender, Round};
use crate::keys::{Order, Wide, shuffled};
use crate::maps::*;
use crate::threads::together;

/// A workload of lookups.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reads {
    keys: u64,
    /// How many of a hundred lookups find something.
    hits: u64,
    order: Order,
    /// Does the next key depend on the value before? Then a processor cannot look up several at the same time.
    dependent: bool,
    threads: usize,
}

const BASE: Reads = Reads { keys: 1 << 16, hits: 100, order: Order::Uniform, dependent: false, threads: 1 };

/// Lookups of which the keys are made in advance.
const STREAM: usize = 1 << 18;

pub fn cases(extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    let sizes: &[u32] = if extent == Extent::Smoke { &[8] } else { &[8, 10, 16, 20, 23] };
    for keys in sizes.iter().map(|bits| 1 << bits) {
        cases.push(case::<u64, u64>("u64", "u64", Reads { keys, ..BASE }));
        if keys <= 1 << 20 {
            cases.push(case::<String, u64>("16-64 bytes", "u64", Reads { keys, ..BASE }));
        }
    }
    for (keys, of_u64, of_strings) in variants(extent) {
        for reads in of_u64 {
            cases.push(case::<u64, u64>("u64", "u64", Reads { keys, ..reads }));
        }
        for reads in of_strings {
            cases.push(case::<String, u64>("16-64 bytes", "u64", Reads { keys, ..reads }));
        }
        cases.push(case::<u64, Wide<4>>("u64", "32 bytes", Reads { keys, ..BASE }));
        if keys <= 1 << 16 {
            cases.push(case::<u64, Wide<128>>("u64", "1 KiB", Reads { keys, ..BASE }));
        }
    }
    cases.into_iter().map(|case| in_part(case, extent)).collect()
}

/// Of what nobody looks at the figures of, a hundredth.
fn in_part(mut case: Case, extent: Extent) -> Case {
    if extent == Extent::Smoke {
        case.operations /= 100;
    }
    case
}

/// The same reads by one thread and by two.
pub fn scalings(extent: Extent) -> Vec<(Case, Case)> {
    let sizes: &[u64] = if extent == Extent::Smoke { &[1 << 8] } else { &[1 << 10, 1 << 16] };
    let by = |keys, threads| in_part(case::<u64, u64>("u64", "u64", Reads { keys, threads, ..BASE }), extent);
    sizes.iter().map(|keys| (by(*keys, 1), by(*keys, 2))).collect()
}

/// One thing different at a time; or, in full, everything with everything.
fn variants(extent: Extent) -> Vec<(u64, Vec<Reads>, Vec<Reads>)> {
    let one_by_one = vec![
        Reads { hits: 0, ..BASE },
        Reads { hits: 50, ..BASE },
        Reads { hits: 90, ..BASE },
        Reads { dependent: true, ..BASE },
        Reads { order: Order::Zipf, ..BASE },
        Reads { threads: 2, ..BASE },
    ];
    match extent {
        Extent::Smoke => vec![(1 << 8, one_by_one, vec![Reads { threads: 2, ..BASE }])],
        Extent::Chosen => vec![
            (1 << 10, vec![Reads { dependent: true, ..BASE }, Reads { threads: 2, ..BASE }], vec![]),
            (1 << 16, one_by_one, vec![Reads { hits: 0, ..BASE }, Reads { threads: 2, ..BASE }]),
        ],
        Extent::Full => {
            let mut all = Vec::new();
            for hits in [0, 50, 90, 100] {
                for order in [Order::Uniform, Order::Zipf] {
                    for dependent in [false, true] {
                        for threads in [1, 2] {
                            all.push(Reads { hits, order, dependent, threads, ..BASE });
                        }
                    }
                }
            }
            all.retain(|reads| *reads != BASE);
            [8, 10, 16, 20].map(|bits| (1 << bits, all.clone(), all.clone())).into()
        }
    }
}

fn case<K: Key, V: Value>(of_keys: &str, of_values: &str, reads: Reads) -> Case {
    Case {
        suite: "read",
        name: if reads.hits == 0 { "miss" } else { "get" }.to_owned(),
        labels: vec![
            ("keys", reads.keys.to_string()),
            ("key", of_keys.to_owned()),
            ("value", of_values.to_owned()),
            ("hits", format!("{} %", reads.hits)),
            ("order", reads.order.name().to_owned()),
            ("lookups", if reads.dependent { "dependent" } else { "independent" }.to_owned()),
            ("threads", reads.threads.to_string()),
        ],
        operations: match reads.keys {
            ..=0x1_0000 => 400_000,
            _ => STREAM as u64,
        } * reads.threads as u64,
        ours: vec![
            contender::<TidyGet, K, V>(reads),
            contender::<TidyFencedGet, K, V>(reads),
            contender::<TidyPin, K, V>(reads),
            contender::<TidyReader, K, V>(reads),
            contender::<TidyView, K, V>(reads),
        ],
        theirs: vec![
            contender::<PapayaGet, K, V>(reads),
            contender::<PapayaPin, K, V>(reads),
            contender::<IndexPeek, K, V>(reads),
            contender::<IndexGuard, K, V>(reads),
            contender::<SccMapRead, K, V>(reads),
            contender::<DashGet, K, V>(reads),
            contender::<FlurryGet, K, V>(reads),
            contender::<FlurryPin, K, V>(reads),
            contender::<SkipGet, K, V>(reads),
            contender::<LockedRead, K, V>(reads),
            contender::<CopiedLoad, K, V>(reads),
            contender::<CopiedCache, K, V>(reads),
            contender::<EvRead, K, V>(reads),
            contender::<PlainGet, K, V>(reads),
        ],
        remark: None,
    }
}

fn contender<W: Way, K: Key, V: Value>(reads: Reads) -> Contender {
    Contender {
        map: W::Peer::NAME,
        call: W::CALL,
        protection: W::PROTECTION,
        prepare: Box::new(move || round::<W, K, V>(reads)),
    }
}

fn round<W: Way, K: Key, V: Value>(reads: Reads) -> Round {
    let pairs = shuffled(reads.keys, 1).map(|number| (K::of(number), V::of(number)));
    let map: Arc<MapOf<W, K, V>> = Arc::new(W::Peer::filled(pairs));
    let stream = Stream::<K>::new(reads);
    let begins: Vec<_> = (0..reads.threads).map(|thread| AtomicUsize::new(thread * STREAM / reads.threads)).collect();
    Box::new(move |operations| {
        let count = operations as usize / reads.threads;
        together(reads.threads, |thread, begin| {
            let mut reader = W::open::<K, V>(&map);
            let from = begins[thread].load(Ordering::Relaxed);
            begin();
            let sum = if reads.dependent {
                stream.one_after_the_other(from, count, |key| reader.read(key))
            } else {
                stream.at_will(from, count, |key| reader.read(key))
            };
            assert_eq!(sum, stream.sum(from, count), "a wrong answer of {}", W::Peer::NAME);
            // The next round goes on where this one has ended: no cache is better than what the number of keys makes it.
            begins[thread].store((from + count) % STREAM, Ordering::Relaxed);
        })
    })
}

/// Keys in the order in which they are asked for, again from the beginning when they are all done.
struct Stream<K> {
    keys: Vec<K>,
    /// What the answers up to each key add up to.
    sums: Vec<u64>,
}

impl<K: Key> Stream<K> {
    fn new(reads: Reads) -> Stream<K> {
        let mut percent = Order::Uniform.numbers(100, 3);
        let (mut keys, mut sums, mut sum) = (Vec::with_capacity(STREAM), vec![0], 0_u64);
        for number in reads.order.numbers(reads.keys, 2).take(STREAM) {
            let is_hit = percent.next().expect("there is no end") < reads.hits;
            keys.push(K::of(if is_hit { number } else { reads.keys + number }));
            sum = sum.wrapping_add(Self::answer(is_hit.then_some(number)));
            sums.push(sum);
        }
        Stream { keys, sums }
    }

    fn answer(found: Option<u64>) -> u64 {
        found.map_or(0, |number| number + 1)
    }

    /// What the answers to `count` keys add up to.
    fn sum(&self, from: usize, count: usize) -> u64 {
        let (around, to) = ((from + count) / STREAM, (from + count) % STREAM);
        self.sums[STREAM].wrapping_mul(around as u64).wrapping_add(self.sums[to]).wrapping_sub(self.sums[from])
    }

    /// The sum of the answers. A processor may look for the next key while it waits for this one's entry.
    #[inline(always)]
    fn at_will(&self, from: usize, count: usize, mut read: impl FnMut(&K::Query) -> Option<u64>) -> u64 {
        let (mut sum, mut from, mut count) = (0_u64, from, count);
        while count > 0 {
            let part = count.min(STREAM - from);
            for key in &self.keys[from..from + part] {
                sum = sum.wrapping_add(Self::answer(read(key.borrow())));
            }
            (from, count) = (0, count - part);
        }
        sum
    }

    /// The same, but which key is next depends on the answer.
    #[inline(always)]
    fn one_after_the_other(&self, from: usize, count: usize, mut read: impl FnMut(&K::Query) -> Option<u64>) -> u64 {
        let nothing = black_box(0);
        let (mut sum, mut at) = (0_u64, from);
        for _ in 0..count {
            let answer = Self::answer(read(self.keys[at].borrow()));
            sum = sum.wrapping_add(answer);
            at = (at + 1 + (answer as usize & nothing)) % STREAM;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_known_in_advance_wherever_a_round_begins() {
        let reads = Reads { keys: 100, hits: 50, ..BASE };
        let stream = Stream::<u64>::new(reads);
        let found = |key: &u64| (*key < reads.keys).then_some(*key);
        for (from, count) in [(0, 10), (17, 1000), (STREAM - 5, 10), (3, 2 * STREAM + 9)] {
            assert_eq!(stream.at_will(from, count, found), stream.sum(from, count));
            assert_eq!(stream.one_after_the_other(from, count, found), stream.sum(from, count));
        }
        let hits = stream.keys.iter().filter(|key| found(key).is_some()).count() * 100 / STREAM;
        assert!((49..=51).contains(&hits), "half of them are there");
        assert_ne!(stream.sum(0, 1000), stream.at_will(0, 1000, |_| None));
    }

    #[test]
    #[should_panic(expected = "a wrong answer of tidymap")]
    fn a_map_that_answers_wrongly_is_found_out() {
        let reads = Reads { keys: 100, ..BASE };
        let stream = Stream::<u64>::new(reads);
        // One key is missing.
        let map: tidymap::HashMap<u64, u64, FixedState> = (1..100).map(|number| (number, number)).collect();
        let sum = stream.at_will(0, 10_000, |key| map.get(key).map(|value| *value));
        assert_eq!(sum, stream.sum(0, 10_000), "a wrong answer of {}", Tidy::NAME);
    }
}
