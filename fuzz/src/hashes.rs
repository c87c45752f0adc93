//! Hash functions for keys of eight bits, chosen by the input.

use std::hash::{BuildHasher, Hasher};

#[derive(Clone, Copy, Debug, Default)]
pub enum Hashes {
    #[default]
    Good,
    Constant,
    /// Eight hashes that differ in their low bits only.
    LowBits,
    HighBits,
    /// All in the same bucket, with different tags.
    OneBucket,
    /// In different buckets, with the same tag.
    OneTag,
    /// In the last home bucket of any table: they overflow to the spare ones, and there are few of these.
    LastBucket,
}

impl Hashes {
    pub(crate) const ALL: [Hashes; 7] = [
        Hashes::Good,
        Hashes::Constant,
        Hashes::LowBits,
        Hashes::HighBits,
        Hashes::OneBucket,
        Hashes::OneTag,
        Hashes::LastBucket,
    ];
}

impl BuildHasher for Hashes {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher { hashes: *self, number: 0 }
    }
}

#[derive(Debug)]
pub struct NumberHasher {
    hashes: Hashes,
    number: u64,
}

/// What the map multiplies hashes by, and what undoes it: then the high half is the place, and the seven bits below bit 32 are the tag.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
const UNDONE: u64 = inverse(FACTOR);
const _: () = assert!(FACTOR.wrapping_mul(UNDONE) == 1);

/// Of an odd number, modulo 2^64, by Newton's method: each step doubles the bits that are right.
const fn inverse(number: u64) -> u64 {
    let mut inverse = number;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(number.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers");
    }

    fn write_u8(&mut self, number: u8) {
        self.number = u64::from(number);
    }

    fn finish(&self) -> u64 {
        let number = self.number;
        let good = number.wrapping_add(1).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(32);
        match self.hashes {
            Hashes::Good => good,
            Hashes::Constant => 0,
            Hashes::LowBits => number & 7,
            Hashes::HighBits => number << 60,
            Hashes::OneBucket => UNDONE.wrapping_mul(number << 25 | 0x1234_5678 << 32),
            Hashes::OneTag => UNDONE.wrapping_mul(good << 32 | 0x55 << 25),
            Hashes::LastBucket => UNDONE.wrapping_mul((u64::MAX << 32) | number << 25),
        }
    }
}
