//! One cache line of a table: seven entries, and a word that says which of them are worth a look.

use crate::sync::{AtomicPtr, AtomicU64, Ordering};

use super::entry::Head;

/// Entries in a bucket.
#[cfg(not(loom))]
pub(super) const SLOTS: usize = 7;
/// Fewer under loom, so that small models overflow a bucket.
#[cfg(loom)]
pub(super) const SLOTS: usize = 2;

/// Set in the tag of a slot that holds an entry. The other seven bits tell whose hash the slot is for.
pub(super) const LINKED: u8 = 0x80;

pub(super) fn is_linked(tag: u8) -> bool {
    tag & LINKED != 0
}

/// The tag of a slot's entry, also if that has been unlinked.
pub(super) fn linked_tag(tag: u8) -> u8 {
    tag | LINKED
}

/// [`LINKED`], in each byte that is a tag.
const MARKS: u64 = u64::from_le_bytes([LINKED; 8]) >> 8;

/// Set in the last byte once an entry that belongs here had to go to the next bucket.
const OVERFLOW: u64 = 1 << 56;
/// The other bits of the last byte count the slots that have been used. They are used in order.
const USED_ONE: u64 = OVERFLOW << 1;

/// The tags of a bucket, byte `i` for slot `i`; and in the last byte, which is no tag as it lacks [`LINKED`], the overflow
/// flag and the number of slots in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta(u64);

impl Meta {
    /// The slots whose tag is `tag`. The portable way may name others behind them, whose tags differ in the last bit only.
    #[inline(always)]
    pub(super) fn matching(self, tag: u8) -> SlotSet {
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        return self.matching_sse2(tag);
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
        return self.matching_neon(tag);
        #[cfg(not(any(
            all(target_arch = "x86_64", target_feature = "sse2"),
            all(target_arch = "aarch64", target_feature = "neon", target_endian = "little")
        )))]
        return self.matching_portable(tag);
    }

    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    #[inline(always)]
    fn matching_sse2(self, tag: u8) -> SlotSet {
        use std::arch::x86_64::*;
        // SAFETY: SSE2 is enabled, as the `cfg` above says.
        let mask = unsafe {
            // The tag in each of the low eight bytes.
            let sought = _mm_cvtsi32_si128(i32::from(tag));
            let sought = _mm_shufflelo_epi16::<0>(_mm_unpacklo_epi8(sought, sought));
            _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_cvtsi64_si128(self.0 as i64), sought))
        };
        SlotSet(mask as Bits & SlotSet::ALL)
    }

    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    #[inline(always)]
    fn matching_neon(self, tag: u8) -> SlotSet {
        use std::arch::aarch64::*;
        // SAFETY: NEON is enabled, as the `cfg` above says.
        let equal = unsafe { vget_lane_u64::<0>(vreinterpret_u64_u8(vceq_u8(vcreate_u8(self.0), vdup_n_u8(tag)))) };
        SlotSet::from_high_bits(equal & HIGH)
    }

    #[cfg(any(
        all(test, not(loom)),
        not(any(
            all(target_arch = "x86_64", target_feature = "sse2"),
            all(target_arch = "aarch64", target_feature = "neon", target_endian = "little")
        ))
    ))]
    #[inline(always)]
    fn matching_portable(self, tag: u8) -> SlotSet {
        const LOW: u64 = 0x0101_0101_0101_0101;
        // The zero bytes of `x`, by the borrow they take ("Bit Twiddling Hacks", S. Anderson).
        let x = self.0 ^ (LOW * u64::from(tag));
        SlotSet::from_high_bits(x.wrapping_sub(LOW) & !x & HIGH)
    }

    /// The slots that are, or have been, for hashes with this tag.
    #[inline]
    pub(super) fn for_hashes_of(self, tag: u8) -> impl Iterator<Item = usize> {
        self.for_hashes_by(Meta::matching, tag)
    }

    #[inline(always)]
    fn for_hashes_by(self, matching: impl Fn(Meta, u8) -> SlotSet, tag: u8) -> impl Iterator<Item = usize> {
        // The portable way may name a tag beside it, and a slot that has never been used looks as if it had been for zeros.
        let is_one = move |slot: &usize| linked_tag(self.tag(*slot)) == tag && *slot < self.used();
        matching(Meta(self.0 | MARKS), tag).filter(is_one)
    }

    /// The first slot that has never been used.
    #[inline]
    pub(super) fn first_unused(self) -> Option<usize> {
        Some(self.used()).filter(|used| *used < SLOTS)
    }

    /// How many slots have been used: these, and no others, have a hash.
    pub(super) fn used(self) -> usize {
        (self.0 >> USED_ONE.trailing_zeros()) as usize
    }

    #[inline]
    pub(super) fn overflows(self) -> bool {
        self.0 & OVERFLOW != 0
    }

    pub(super) fn tag(self, slot: usize) -> u8 {
        (self.0 >> (8 * slot)) as u8
    }

    #[cfg(all(test, not(loom)))]
    fn with_tag(self, slot: usize, tag: u8) -> Meta {
        Meta(self.0 & !(0xFF << (8 * slot)) | u64::from(tag) << (8 * slot))
    }
}

/// The high bit of each byte.
#[cfg(any(all(test, not(loom)), not(all(target_arch = "x86_64", target_feature = "sse2"))))]
const HIGH: u64 = 0x8080_8080_8080_8080;

/// As wide as what says which slots: SSE2 gathers a bit for each, others leave it where its tag was, which is a few steps less.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
type Bits = u32;
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
type Bits = u64;

/// Some slots of a bucket, a bit for each, visited first to last.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotSet(Bits);

impl SlotSet {
    /// How far apart the bits are, as a power of two.
    const STRIDE: u32 = if size_of::<Bits>() == 4 { 0 } else { 3 };

    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    const ALL: u32 = (1 << SLOTS) - 1;

    /// The slots whose bytes have their high bit here. The last byte, which is no tag, is never equal to one.
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
    #[inline(always)]
    fn from_high_bits(bits: u64) -> SlotSet {
        SlotSet(bits)
    }

    /// The same where SSE2 is what is compared with.
    #[cfg(all(test, not(loom), target_arch = "x86_64", target_feature = "sse2"))]
    fn from_high_bits(bits: u64) -> SlotSet {
        SlotSet((0..8).filter(|byte| bits >> (8 * byte + 7) & 1 == 1).fold(0, |set, slot| set | 1 << slot))
    }
}

impl Iterator for SlotSet {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let slot = (self.0.trailing_zeros() >> Self::STRIDE) as usize;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

/// The linked slots of some buckets in a row, with their buckets, visited last to first: eight bits for each bucket, of which one is
/// never set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linked(u64);

impl Linked {
    pub(super) const NONE: Linked = Linked(0);

    /// The slots of so many buckets have a place.
    pub(super) const BUCKETS: usize = 8;

    /// Looks at these buckets, [`BUCKETS`](Self::BUCKETS) at most.
    ///
    /// Out of line, and told no more than it needs: an iterator whose address is taken lies in memory.
    #[inline(never)]
    pub(super) fn of<K>(buckets: &[Bucket<K>]) -> Linked {
        // Of the eight bytes, of which the lowest bit is left, byte `i` comes to bit `63 - i`, and no two to the same.
        const GATHER: u64 = 0x8040_2010_0804_0201;
        debug_assert!(buckets.len() <= Self::BUCKETS);
        let slots = |bucket: &Bucket<K>| ((bucket.meta().0 & MARKS) >> 7).wrapping_mul(GATHER) >> 56;
        Linked(buckets.iter().rev().fold(0, |linked, bucket| linked >> 8 | slots(bucket) << 56))
    }

    /// How many of these buckets have nothing linked, from the last one on, before one that has. In a table that has just been opened they are many.
    ///
    /// Out of line, as above.
    #[inline(never)]
    pub(super) fn none_of<K>(buckets: &[Bucket<K>]) -> usize {
        buckets.iter().rev().take_while(|bucket| bucket.meta().0 & MARKS == 0).count()
    }

    #[inline(always)]
    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }

    /// In how many of the buckets there are some.
    pub(super) fn buckets(self) -> usize {
        self.0.to_le_bytes().iter().filter(|slots| **slots != 0).count()
    }
}

impl Iterator for Linked {
    /// A bucket, counted from the first, and a slot of it.
    type Item = (usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        if self.is_none() {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some((7 - bit / 8, 7 - bit % 8))
    }
}

/// A bucket of nothing, for tables without buckets: searches need not ask whether there are any.
#[cfg(not(loom))]
pub(super) const fn nothing<K>() -> *mut Bucket<K> {
    // Atomics, so that it lies in memory that may be written: an Acquire load of any other is not allowed.
    #[repr(align(64))]
    struct Line(#[expect(dead_code, reason = "read as a bucket")] [AtomicU64; SLOTS + 1]);
    static NOTHING: Line = Line([const { AtomicU64::new(0) }; SLOTS + 1]);
    (&raw const NOTHING).cast_mut().cast()
}

#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Bucket<K> {
    meta: AtomicU64,
    entries: [AtomicPtr<Head<K>>; SLOTS],
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Bucket<u64>>() == 64);

impl<K> Bucket<K> {
    /// Only for loom, whose atomics are not zeros in memory.
    #[cfg(loom)]
    pub(super) fn new() -> Bucket<K> {
        Bucket { meta: AtomicU64::new(0), entries: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())) }
    }

    #[inline]
    pub(super) fn meta(&self) -> Meta {
        // ORDERING: Acquire pairs with the Release of `link`: the entry of a tag that is seen is seen initialized.
        Meta(self.meta.load(Ordering::Acquire))
    }

    /// The entry of a slot whose tag was seen in [`meta`](Self::meta).
    #[inline]
    pub(super) fn entry(&self, slot: usize) -> *mut Head<K> {
        // ORDERING: Acquire pairs with the Release of `link_again`: the tag that was seen may be that of an older entry.
        self.entries[slot].load(Ordering::Acquire)
    }

    /// Puts an entry into the first slot that has never been used. For who may link here (L1).
    #[inline(always)]
    pub(super) fn link(&self, slot: usize, tag: u8, entry: *mut Head<K>, writers: Writers) {
        debug_assert_eq!(self.meta().first_unused(), Some(slot));
        self.entries[slot].store(entry, Ordering::Relaxed);
        // Publishes the slot, and the entry, to those who read the tag.
        self.add((u64::from(tag) << (8 * slot)) + USED_ONE, writers);
    }

    /// Puts an entry into a slot whose entry had the same hash and has been unlinked. For who may link here (L1).
    #[inline(always)]
    pub(super) fn link_again(&self, slot: usize, tag: u8, entry: *mut Head<K>, writers: Writers) {
        debug_assert_eq!(self.meta().tag(slot), tag & !LINKED);
        // ORDERING: Release publishes the entry to readers that still see the tag from before.
        self.entries[slot].store(entry, Ordering::Release);
        #[cfg(all(test, not(loom)))]
        between_stores::run();
        self.add(u64::from(LINKED) << (8 * slot), writers);
    }

    /// Hides a slot's entry from all lookups that begin now. For who has the mutex (L1).
    #[inline(always)]
    pub(super) fn unlink(&self, slot: usize, writers: Writers) {
        debug_assert!(is_linked(self.meta().tag(slot)));
        self.add((u64::from(LINKED) << (8 * slot)).wrapping_neg(), writers);
    }

    /// Says that lookups have to go on to the next bucket, which had not been said. For who may link here (L1).
    pub(super) fn set_overflow(&self, writers: Writers) {
        debug_assert!(!self.meta().overflows());
        self.add(OVERFLOW, writers);
    }

    /// Changes the word of the tags.
    #[inline(always)]
    fn add(&self, change: u64, writers: Writers) {
        // ORDERING: Release pairs with the Acquire of `meta`: who reads the word has acquired the entries of all of its tags.
        match writers {
            Writers::One => self.meta.store(self.meta.load(Ordering::Relaxed).wrapping_add(change), Ordering::Release),
            Writers::Several => drop(self.meta.fetch_add(change, Ordering::Release)),
        }
    }
}

/// Who changes the tags of a bucket at this moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writers {
    One,
    /// One links, and another may unlink.
    Several,
}

/// What a test wants to happen between the two stores of [`Bucket::link_again`], the next time that its thread is there.
#[cfg(all(test, not(loom)))]
pub(super) mod between_stores {
    use std::cell::Cell;

    type Work = Option<Box<dyn FnOnce()>>;

    thread_local! {
        static WORK: Cell<Work> = const { Cell::new(None) };
    }

    pub(in crate::core) fn set(work: impl FnOnce() + 'static) {
        WORK.set(Some(Box::new(work)));
    }

    pub(super) fn run() {
        if let Some(work) = WORK.take() {
            work();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
