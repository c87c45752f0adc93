//! What the tables use of a hash.

use super::bucket::LINKED;

/// 39 bits of a hash: 32 that choose the bucket and are kept beside the table, so that a rebuild never asks the user's
/// `Hash`, and 7 that tell entries of a bucket apart before their keys are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash {
    pub(super) place: u32,
    /// A byte, in the width in which it is computed with.
    tag: u32,
}

impl Hash {
    #[inline]
    pub(crate) fn new(hash: u64) -> Hash {
        // Hashers that leave numbers as they are have all their entropy in the low bits; one multiplication carries it
        // to the high ones (Knuth's multiplicative hashing, with the golden ratio's fraction).
        let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Hash { place: (mixed >> 32) as u32, tag: (mixed as u32) >> 25 | u32::from(LINKED) }
    }

    /// What a table remembered of it.
    pub(super) fn from_parts(place: u32, tag: u8) -> Hash {
        Hash { place, tag: u32::from(tag | LINKED) }
    }

    /// The tag of an entry with this hash.
    #[inline]
    pub(super) fn tag(self) -> u8 {
        self.tag as u8
    }
}
