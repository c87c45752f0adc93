//! What the tables use of a hash.

/// 39 bits of a hash: 32 that choose the bucket and are kept beside the table, so that a rebuild never asks the user's
/// `Hash`, and 7 that tell entries of a bucket apart before their keys are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hash {
    pub(super) place: u32,
    pub(super) tag: u8,
}

impl Hash {
    #[inline]
    pub(crate) fn new(hash: u64) -> Hash {
        // Hashers that leave numbers as they are have all their entropy in the low bits; one multiplication carries it
        // to the high ones (Knuth's multiplicative hashing, with the golden ratio's fraction).
        let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The high bit says that there is an entry. Without it a tag is not zero either: that is an empty slot's.
        Hash { place: (mixed >> 32) as u32, tag: (0x80 | (mixed >> 25) as u8).max(0x81) }
    }
}
