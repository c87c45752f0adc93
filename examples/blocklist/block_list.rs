//! The maps that are compared, each as a block list.
//!
//! All have the same keys, values and hasher, and start empty, with the settings that they come with. Every lookup stands
//! for itself, as it does in a gateway that takes one message at a time: a session that a reader keeps open for long would
//! spare it some nanoseconds a lookup, and hold back everything that is removed meanwhile.

use std::sync::{PoisonError, RwLock};

use foldhash::fast::FixedState;
use papaya::Guard as _;

use crate::listing::Listing;

/// A set of domains that threads share.
pub(crate) trait BlockList: Default + Sync {
    const NAME: &'static str;

    /// Is this very domain on the list?
    fn contains(&self, domain: &str) -> bool;

    /// Adds a domain that is not on the list.
    fn insert(&self, domain: Box<str>, listing: Listing);

    /// Removes a domain, and tells whether it was there.
    fn remove(&self, domain: &str) -> bool;

    /// Asks for everything removed to be dropped, in whatever way the map has for that.
    fn flush(&self) {}

    /// What the map knows of itself, if it keeps figures.
    fn own_figures(&self) -> Option<OwnFigures> {
        None
    }
}

/// What a map says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnFigures {
    /// Entries that were removed and are not dropped.
    pub(crate) pending: u64,
    /// How often entries moved to a new read table since the map was made.
    pub(crate) promotions: u64,
}

/// This crate's map.
#[derive(Default)]
pub(crate) struct Tidy(tidymap::HashMap<Box<str>, Listing, FixedState>);

impl BlockList for Tidy {
    const NAME: &'static str = "tidymap";

    #[inline]
    fn contains(&self, domain: &str) -> bool {
        self.0.contains_key(domain)
    }

    fn insert(&self, domain: Box<str>, listing: Listing) {
        self.0.insert(domain, listing);
    }

    fn remove(&self, domain: &str) -> bool {
        self.0.remove(domain).is_some()
    }

    fn flush(&self) {
        // Nobody needs to call this: an entry is dropped in `remove`, or by the last reader that was looking up something
        // just then. For that reader, if there is one, this call waits.
        self.0.reclaim().expect("the writer holds no guard");
    }

    fn own_figures(&self) -> Option<OwnFigures> {
        let stats = self.0.stats();
        Some(OwnFigures { pending: stats.pending.entries, promotions: stats.promotions })
    }
}

/// The standard library's map in a lock, which the writer takes for each change anew, so that readers wait as briefly as
/// they can with it.
#[derive(Default)]
pub(crate) struct Locked(RwLock<std::collections::HashMap<Box<str>, Listing, FixedState>>);

impl BlockList for Locked {
    const NAME: &'static str = "RwLock<HashMap>";

    #[inline]
    fn contains(&self, domain: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(domain)
    }

    fn insert(&self, domain: Box<str>, listing: Listing) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(domain, listing);
    }

    fn remove(&self, domain: &str) -> bool {
        // In a statement of its own: the lock is given back before the listing is dropped.
        let removed = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(domain);
        removed.is_some()
    }
}

/// dashmap: a lock for each shard.
#[derive(Default)]
pub(crate) struct Dash(dashmap::DashMap<Box<str>, Listing, FixedState>);

impl BlockList for Dash {
    const NAME: &'static str = "dashmap";

    #[inline]
    fn contains(&self, domain: &str) -> bool {
        self.0.contains_key(domain)
    }

    fn insert(&self, domain: Box<str>, listing: Listing) {
        self.0.insert(domain, listing);
    }

    fn remove(&self, domain: &str) -> bool {
        self.0.remove(domain).is_some()
    }
}

/// papaya: lock-free reads, and garbage in batches.
#[derive(Default)]
pub(crate) struct Papaya(papaya::HashMap<Box<str>, Listing, FixedState>);

impl BlockList for Papaya {
    const NAME: &'static str = "papaya";

    #[inline]
    fn contains(&self, domain: &str) -> bool {
        self.0.pin().contains_key(domain)
    }

    fn insert(&self, domain: Box<str>, listing: Listing) {
        self.0.pin().insert(domain, listing);
    }

    fn remove(&self, domain: &str) -> bool {
        self.0.pin().remove(domain).is_some()
    }

    fn flush(&self) {
        // Gives the batch of this thread away before it is full.
        self.0.guard().flush();
    }
}

/// scc's index: lock-free reads, and garbage when the epochs get there.
#[derive(Default)]
pub(crate) struct Index(scc::HashIndex<Box<str>, Listing, FixedState>);

impl BlockList for Index {
    const NAME: &'static str = "scc::HashIndex";

    #[inline]
    fn contains(&self, domain: &str) -> bool {
        self.0.contains(domain)
    }

    fn insert(&self, domain: Box<str>, listing: Listing) {
        self.0.insert_sync(domain, listing).expect("a domain that is not on the list");
    }

    fn remove(&self, domain: &str) -> bool {
        self.0.remove_sync(domain)
    }

    fn flush(&self) {
        // Lets the epoch of this thread's garbage advance sooner.
        scc::Guard::new().accelerate();
    }
}
