//! Memory that will be looked at soon, asked for ahead: a processor waits for several lines in the time in which it waits for one.

use super::Table;
use crate::core::hash::Hash;

/// Tables with more buckets than this do not stay in the caches of a core.
pub(in crate::core) const FAR: usize = (512 << 10) / 64;

/// How many keys have their memory asked for at a time, where nothing else comes between that and the look: a core waits for ten to
/// sixteen lines at once.
pub(crate) const FETCHED: usize = 16;

/// Asks for the cache line at `address`, which may be anything: nothing is read.
#[inline(always)]
fn prefetch<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse", not(any(miri, loom))))]
    // SAFETY: SSE is enabled, as the `cfg` says, and a prefetch has no effect but on the cache, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(any(miri, loom))))]
    // SAFETY: a prefetch has no effect but on the cache, whatever the address. There is no stable intrinsic for it.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(any(miri, loom, not(any(all(target_arch = "x86_64", target_feature = "sse"), target_arch = "aarch64"))))]
    let _ = address;
}

impl<K> Table<K> {
    /// Is it too large for the caches of a core?
    pub(in crate::core) fn is_far(self) -> bool {
        self.buckets() > FAR
    }

    /// Asks for the home bucket of a hash.
    #[inline(always)]
    pub(in crate::core) fn prefetch_home(self, hash: Hash) {
        prefetch(self.buckets.wrapping_add(self.home(hash)));
    }

    /// Asks for what will be written when an entry with this hash is linked.
    #[inline(always)]
    pub(super) fn prefetch_link(self, hash: Hash) {
        self.prefetch_home(hash);
        self.prefetch_hashes(hash);
    }

    /// Asks for what else than its home bucket will be written when an entry with this hash is linked.
    #[inline(always)]
    pub(in crate::core) fn prefetch_hashes(self, hash: Hash) {
        prefetch(self.hash_at(self.home(hash), 0));
    }

    /// Asks for the entry that a search for the hash will look at first. False if it will look at none in the home bucket.
    ///
    /// # Safety
    /// The table is not freed meanwhile (T1).
    #[inline(always)]
    pub(in crate::core) unsafe fn prefetch_entry(self, hash: Hash) -> bool {
        // SAFETY: T1 by the caller's promise.
        let Some(home) = (unsafe { self.home_bucket(hash) }) else { return false };
        let candidate = home.meta().matching(hash.tag()).next();
        if let Some(slot) = candidate {
            prefetch(home.entry(slot));
        }
        candidate.is_some()
    }
}
