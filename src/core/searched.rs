//! A search that found no entry, and whether that still holds.
//!
//! Keys are compared before anything is locked. If no entry has been linked since the search began, the key is still absent; if some
//! have, but none with the same 39 bits of hash, too; else the search is done again.

use super::Tables;
use super::entry::Entry;
use super::garbage::Host;
use super::hash::Hash;
use crate::reclaim::Held;
use crate::sync::Ordering;

/// A search that found no entry: what it takes to know whether that still holds.
#[derive(Clone, Copy)]
pub(super) struct Searched {
    /// Entries linked before it: those that count.
    links: u64,
    of: Of,
}

/// Whose links count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Those under the mutex, and those of one stripe of this dirty table: there is none like it as long as a guard lives that has seen it (T1).
    Stripe(*const ()),
    All,
}

impl Searched {
    /// The same, when the caller has linked another entry since, whose hash is not the one that was searched for: that link does not count.
    pub(super) fn but_for_ours(self) -> Searched {
        Searched { links: self.links + 1, ..self }
    }
}

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    /// Begins a search for a key with this hash.
    #[inline]
    pub(super) fn searching(&self, guard: &Held<'_, G>, hash: Hash) -> Searched {
        // ORDERING: Acquire pairs with the Release of `link_locked` and `link_by_stripe`: the search sees what was linked before.
        let links = self.writer.links.load(Ordering::Acquire);
        match self.writer.striping.get() {
            None => Searched { links, of: Of::Stripe(std::ptr::null()) },
            Some(stripes) => {
                let dirty = self.state(guard).young[0];
                if dirty.is_empty() {
                    // There may be a table meanwhile, and none again.
                    return self.searching_many();
                }
                Searched { links: links + stripes.links_of(dirty, hash), of: Of::Stripe(dirty.address()) }
            }
        }
    }

    /// Begins a search for several keys.
    #[inline]
    pub(super) fn searching_many(&self) -> Searched {
        Searched { links: self.linked(), of: Of::All }
    }

    /// How many entries have been linked, ever.
    pub(super) fn linked(&self) -> u64 {
        // ORDERING: Acquire, as in `searching`.
        self.writer.links.load(Ordering::Acquire) + self.writer.striping.links()
    }

    /// Has nothing been linked since that counts? Both numbers of a sum only grow, so an equal one says that of either. For who has the mutex, with the stripes
    /// shut, or the stripe of this hash (L2).
    #[inline]
    pub(super) fn still_holds(&self, guard: &Held<'_, G>, searched: Searched, hash: Hash) -> bool {
        match searched.of {
            Of::All => searched.links == self.searching_many().links,
            of => {
                let now = self.searching(guard, hash);
                now.of == of && now.links == searched.links
            }
        }
    }

    /// How many entries have been linked. With the mutex, so that none is being linked at this moment.
    #[cfg(feature = "arc-swap")]
    pub(crate) fn links(&self, guard: &Held<'_, G>) -> u64 {
        let mut lock = self.lock();
        self.writer.striping.shut(&mut lock);
        let links = self.linked();
        self.unlock(guard, lock);
        links
    }

    /// Is there a live entry that could have this hash's key? For who has the mutex or the stripe of the hash, so that none is being linked.
    pub(super) fn may_be_linked(&self, guard: &Held<'_, G>, hash: Hash) -> bool {
        self.state(guard).tables().any(|table| {
            // SAFETY: T1, E2 under the guard.
            unsafe { table.any_with_hash(hash, |head| !Entry::<K, V>::from_raw(head).load().is_dead()) }
        })
    }
}
