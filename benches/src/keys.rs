//! Keys, values, and the order in which keys are asked for.

use std::hash::Hash;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

use crate::maps::{Key, Value};

impl Key for u64 {
    type Query = u64;

    fn of(number: u64) -> u64 {
        number
    }
}

/// From 16 to 64 bytes, like names of things: a common beginning, and what differs at the end.
impl Key for String {
    type Query = str;

    fn of(number: u64) -> String {
        let length = 16 + (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize % 49;
        format!("{number:/>length$}")
    }
}

impl Value for u64 {
    fn of(number: u64) -> u64 {
        number
    }

    fn number(&self) -> u64 {
        *self
    }
}

/// A value of `WORDS * 8` bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wide<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Value for Wide<WORDS> {
    fn of(number: u64) -> Self {
        Wide([number; WORDS])
    }

    fn number(&self) -> u64 {
        // The first cache line of it, and the last.
        self.0[0] & self.0[WORDS - 1]
    }
}

/// Go's values are boxed; so are these.
impl Value for Box<u64> {
    fn of(number: u64) -> Box<u64> {
        Box::new(number)
    }

    fn number(&self) -> u64 {
        **self
    }
}

/// Which keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// All alike.
    Uniform,
    /// Few of them mostly, by Zipf's law with the exponent that YCSB uses.
    Zipf,
}

impl Order {
    pub fn name(self) -> &'static str {
        match self {
            Order::Uniform => "uniform",
            Order::Zipf => "zipf 0.99",
        }
    }

    /// Random numbers below `bound`, the same each time for the same `seed`.
    pub fn numbers(self, bound: u64, seed: u64) -> Box<dyn Iterator<Item = u64>> {
        let mut random = SmallRng::seed_from_u64(seed);
        match self {
            Order::Uniform => Box::new(std::iter::repeat_with(move || random.random_range(0..bound))),
            Order::Zipf => {
                // The most frequent ones are not neighbours.
                let scattered = move |rank: u64| rank.wrapping_mul(0x9E37_79B9_7F4A_7C15) % bound;
                Box::new(Self::ranks(bound, seed).map(scattered))
            }
        }
    }

    /// Random numbers below `bound`, the small ones mostly, by Zipf's law.
    pub fn ranks(bound: u64, seed: u64) -> impl Iterator<Item = u64> + use<> {
        let mut random = SmallRng::seed_from_u64(seed);
        let zipf = Zipf::new(bound as f64, 0.99).expect("there are keys");
        std::iter::repeat_with(move || zipf.sample(&mut random) as u64 - 1)
    }
}

/// Numbers from 0 up to `count` in random order: entries are laid out as they come, and nobody asks in that order.
pub fn shuffled(count: u64, seed: u64) -> impl ExactSizeIterator<Item = u64> {
    use rand::seq::SliceRandom;
    let mut numbers: Vec<u64> = (0..count).collect();
    numbers.shuffle(&mut SmallRng::seed_from_u64(seed));
    numbers.into_iter()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn strings_are_of_16_to_64_bytes_and_all_different() {
        let keys: HashSet<String> = (0..100_000).map(<String as Key>::of).collect();
        assert_eq!(keys.len(), 100_000);
        let lengths: HashSet<usize> = keys.iter().map(String::len).collect();
        assert_eq!(lengths, (16..=64).collect());
    }

    #[test]
    fn by_zipf_few_keys_are_asked_for_mostly_and_by_the_uniform_order_all_alike() {
        let most_frequent = |order: Order| {
            let mut counts = vec![0_u32; 1000];
            order.numbers(1000, 7).take(100_000).for_each(|number| counts[number as usize] += 1);
            counts.sort();
            counts[990..].iter().sum::<u32>() / 1000
        };
        // Ten keys of a thousand: percent of what is asked for.
        assert_eq!(most_frequent(Order::Uniform), 1);
        assert!((35..45).contains(&most_frequent(Order::Zipf)), "{}", most_frequent(Order::Zipf));
    }
}
