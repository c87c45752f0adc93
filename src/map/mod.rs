//! The public face. Safe code, but for what ties a [`Ref`] to its guard.
//!
//! - this file: the map, its construction, and what concerns it as a whole;
//! - [`one_shot`] and [`removal`]: the operations on `&HashMap`, each under a guard of its own, and [`reference`]: what they
//!   return;
//! - [`session`]: [`Pinned`] and the same operations under one guard, a thread's or an owner's, and [`reader`]: a guard that is brought up to date at each read;
//! - [`many`]: those on many keys at once, of both; [`exclusive`]: what takes `&mut`, or the map itself;
//! - [`single_flight`]: values that one caller computes while the others wait, and [`flights`]: who computes, and who waits;
//! - [`reclaiming`]: waiting, for threads and for tasks;
//! - [`builder`], [`iter`], [`outcome`] (results and errors), [`stats`], [`guards`] and `metrics` (figures), [`traits`], and `view`: copies to be read.

mod builder;
mod exclusive;
mod flights;
mod guards;
mod iter;
mod many;
#[cfg(feature = "metrics")]
mod metrics;
pub(crate) mod one_shot;
mod outcome;
#[cfg(feature = "rayon")]
mod rayon;
mod reader;
mod reclaiming;
pub(crate) mod reference;
mod removal;
#[cfg(feature = "serde")]
pub(crate) mod serde;
mod session;
mod single_flight;
mod stats;
mod traits;
#[cfg(feature = "arc-swap")]
mod view;

use std::hash::{BuildHasher, Hash, RandomState};

pub use builder::{Builder, Reclaim};
pub use exclusive::{Drain, ExtractIf, IntoIter, IntoKeys, IntoValues, IterMut, ValuesMut};
pub use guards::{GuardInfo, Guards};
pub use iter::{Iter, Keys, Values};
pub use many::GetMany;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use outcome::{CompareExchangeError, Compute, OccupiedError, Operation, ReclaimError, TryReserveError};
#[cfg(feature = "rayon")]
pub use rayon::ParIter;
pub use reader::Reader;
pub use reclaiming::Reclaiming;
pub use reference::{Ref, Removed};
pub use session::{LocalGuard, OwnedGuard, OwnedPinned, Pinned, SessionGuard};
pub use stats::{Heap, Pending, Stats};
#[cfg(feature = "arc-swap")]
pub use view::{Frozen, View};

pub use crate::core::Reclaimed;
use crate::core::{Core, Guard, Limits};
use crate::sync::const_unless_loom;
use flights::Flights;

/// A concurrent hash map for many reads and few writes, which drops what is removed at a moment that it names.
///
/// All operations take `&self`. Those on `HashMap` itself are *one-shot*: each takes a guard, and a result that refers into
/// the map is a [`Ref`] that keeps it. [`pin`](Self::pin) opens a session, in which one guard serves many operations and results are
/// plain references.
///
/// ```
/// use tidymap::HashMap;
///
/// let routes = HashMap::new();
/// routes.insert("/", "index");
/// routes.insert("/about", "about");
/// assert_eq!(*routes.get("/about").unwrap(), "about");
///
/// let session = routes.pin();
/// for path in ["/", "/about"] {
///     assert!(session.get(path).is_some());
/// }
/// ```
///
/// # Coming from `entry`
///
/// There is no `entry`: what is done with one in several steps is one call here, or a closure given to one, so that it stays one step beside
/// others that write. [`docs::entry`](crate::docs::entry) translates each call.
///
/// # Which thread drops
///
/// A removed pair is dropped by a thread that is using the map: usually the one that removed it, or the one whose guard was the
/// last to see it (R6). So a map may be shared between threads only if its keys and values are `Send` and `Sync`.
///
/// # Panics
///
/// If `Hash`, `Eq`, a closure or a destructor panics, the panic goes on in the call that ran it. The map stays as it was
/// before the call, or as it is after it.
pub struct HashMap<K, V, S = RandomState> {
    core: Core<K, V>,
    hash_builder: S,
    flights: Flights<K>,
    #[cfg(feature = "arc-swap")]
    published: view::Published<K, V, S>,
}

// SAFETY: Send, as std's: all that the map owns goes along with it. What it shares with others are copies that it has published, and it
// does that only if keys, values and hasher are Send and Sync.
unsafe impl<K: Send, V: Send, S: Send> Send for HashMap<K, V, S> {}
// SAFETY: Sync: a shared map lets any thread see keys and values (Sync), and drop them (Send). What threads keep for
// themselves in the map's records is touched by the owner only (D2).
unsafe impl<K: Send + Sync, V: Send + Sync, S: Sync> Sync for HashMap<K, V, S> {}

impl<K, V, S> std::panic::UnwindSafe for HashMap<K, V, S>
where
    K: std::panic::RefUnwindSafe,
    V: std::panic::RefUnwindSafe,
    S: std::panic::UnwindSafe,
{
}

impl<K, V, S> std::panic::RefUnwindSafe for HashMap<K, V, S>
where
    K: std::panic::RefUnwindSafe,
    V: std::panic::RefUnwindSafe,
    S: std::panic::RefUnwindSafe,
{
}

impl<K, V> HashMap<K, V> {
    /// An empty map. Allocates nothing. Not `const`, for the hasher is a random one: for a `static` see
    /// [`with_hasher`](Self::with_hasher), or take a `LazyLock`.
    ///
    /// ```
    /// let map = tidymap::HashMap::<u32, u32>::new();
    /// assert_eq!(map.stats().heap.total(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }

    /// An empty map with room for `capacity` entries.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[must_use]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn with_capacity(capacity: usize) -> Self
    where
        K: Eq + Hash,
    {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }

    /// Settings for a new map.
    ///
    /// ```
    /// use tidymap::{HashMap, Reclaim};
    ///
    /// let map = HashMap::<String, u32>::builder().capacity(1000).reclaim(Reclaim::Batched(32)).build();
    /// assert!(map.capacity() >= 1000);
    /// ```
    pub fn builder() -> Builder<K, V> {
        Builder::new()
    }
}

impl<K, V, S> HashMap<K, V, S> {
    /// For models: makes threads that rest execute a fence when they read again.
    #[cfg(loom)]
    #[doc(hidden)]
    pub fn turn_now(&self) {
        self.core.domain.turn_now();
    }

    /// For models: opens the dirty table to several threads.
    #[cfg(loom)]
    #[doc(hidden)]
    pub fn stripe_now(&self) {
        let guard = self.core.guard();
        self.core.stripe_now(&guard);
    }

    /// For models: how many entries were linked by stripes.
    #[cfg(loom)]
    #[doc(hidden)]
    pub fn linked_by_stripes(&self) -> u64 {
        self.core.linked_by_stripes()
    }

    const_unless_loom! {
        /// An empty map with this hasher. Allocates nothing, and may be called in a `static`.
        ///
        /// ```
        /// use std::hash::{BuildHasherDefault, DefaultHasher};
        /// use tidymap::HashMap;
        ///
        /// static SEEN: HashMap<u64, (), BuildHasherDefault<DefaultHasher>> =
        ///     HashMap::with_hasher(BuildHasherDefault::new());
        /// SEEN.insert(7, ());
        /// assert!(SEEN.contains_key(&7));
        /// ```
        #[must_use]
        pub fn with_hasher(hash_builder: S) -> Self {
            Self::of(Core::new(Limits::NONE, None), hash_builder)
        }
    }

    const_unless_loom! {
        fn of(core: Core<K, V>, hash_builder: S) -> Self {
            HashMap {
                core,
                hash_builder,
                flights: Flights::new(),
                #[cfg(feature = "arc-swap")]
                published: view::Published::new(),
            }
        }
    }

    /// The map's hasher.
    pub fn hasher(&self) -> &S {
        &self.hash_builder
    }

    /// Opens a session: one guard for many operations, whose results are plain references.
    ///
    /// While it lives, nothing that is removed meanwhile is dropped, be it older than the session or not, before the session is [refreshed](Pinned::refresh)
    /// or ends. Sessions nest. Waits for nothing (a thread's first use of any map
    /// takes a process-wide lock once); costs 10 to 20 ns.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
    /// let session = map.pin();
    /// let (one, two) = (session.get(&1), session.get(&2));
    /// session.remove(&1);
    /// assert_eq!((one, two), (Some(&"one"), Some(&"two")), "still there to be seen in this session");
    /// ```
    #[doc(alias = "iter")]
    #[doc(alias = "values")]
    #[doc(alias = "keys")]
    #[doc(alias = "Index")]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn pin(&self) -> Pinned<'_, K, V, S> {
        Pinned::new(self)
    }

    /// Opens a session that belongs to its owner instead of the calling thread: it is `Send` and `Sync`, and may live across an `await`. It still borrows the
    /// map: a task brings its `Arc`.
    ///
    /// Costs a lock that all threads of the process share, held for a moment, and while it is open each removal visits one record more. For
    /// what a thread does without a pause, [`pin`](Self::pin) is cheaper. While the session is open nothing that is removed is dropped (see
    /// [`OwnedPinned`], also for who waits for it).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn pin_owned(&self) -> OwnedPinned<'_, K, V, S> {
        Pinned::new_owned(self)
    }

    /// The number of entries. Exact when no writer runs (C3). Three loads, and one more for each of 16 stripes if several threads have inserted at once; all of it again, eight times at most, if entries are removed meanwhile.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// True if [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries the map can hold without a new table. Takes the writer mutex for a moment.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn capacity(&self) -> usize {
        if self.core.is_vacant() { 0 } else { self.core.capacity(&self.core.guard()) }
    }

    /// Removes all entries and gives the tables back.
    ///
    /// Linearizes at one exchange: operations on other threads count as before it or after it. O(n) in the entries
    /// removed. Waits for writers that are linking entries, and for readers only if there is a
    /// [cap on garbage](Builder::max_pending) and no room for one.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// map.clear();
    /// assert!(map.is_empty());
    /// ```
    #[doc(alias = "Clear")]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn clear(&self) {
        if !self.core.is_vacant() {
            let _permit = self.core.domain.admit();
            self.core.clear(&self.core.guard());
        }
    }

    /// Removes the entries of which `keep` says no, among those that are there throughout the call.
    ///
    /// `keep` may be asked again about a key whose value has changed since. Each removal linearizes by itself, like
    /// [`remove`](Self::remove). O(capacity); waits for nothing, but at the beginning for room for one if there is a
    /// [cap on garbage](Builder::max_pending). `keep` may use the map.
    ///
    /// ```
    /// let map: tidymap::HashMap<_, _> = (0..10).map(|n| (n, n * n)).collect();
    /// map.retain(|key, _| key % 2 == 0);
    /// assert_eq!(map.len(), 5);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        if !self.core.is_vacant() {
            let _permit = self.core.domain.admit();
            self.core.retain(&self.core.guard(), |pair| keep(pair.key, pair.value));
        }
    }

    /// Makes room for `additional` entries. O(n); waits for other writers.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn reserve(&self, additional: usize) {
        if let Err(no_table) = self.core.reserve(&self.core.guard(), additional) {
            no_table.fail();
        }
    }

    /// Makes room for `additional` entries, like [`reserve`](Self::reserve).
    ///
    /// # Errors
    /// On capacity overflow, or if there is no memory for the table. The map is as it was. What is small beside it (a few blocks of some
    /// hundred bytes) is taken as by all calls, which abort without it.
    ///
    /// ```
    /// let map = tidymap::HashMap::<u64, u64>::new();
    /// assert!(map.try_reserve(usize::MAX).is_err());
    /// assert!(map.try_reserve(1000).is_ok());
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        self.core.reserve(&self.core.guard(), additional).map_err(TryReserveError::new)
    }

    /// Brings the tables to the least size that the map uses for what is in it (M3). O(n); waits for other writers.
    ///
    /// # Panics
    /// Aborts if there is no memory for the smaller tables.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn shrink_to_fit(&self) {
        if let Err(no_table) = self.core.shrink_to_fit(&self.core.guard()) {
            no_table.fail();
        }
        // The larger tables of before, whole.
        self.core.domain.try_reclaim();
    }

    /// The figures of the map (R8). Visits each thread's record and takes the writer mutex for a moment.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// let session = map.pin();
    /// session.insert(1, "eins");
    /// let stats = map.stats();
    /// assert_eq!((stats.pending.entries, stats.live_guards), (1, 1));
    /// drop(session);
    /// assert_eq!(map.stats().pending.entries, 0);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn stats(&self) -> Stats {
        let stats = stats::stats(&self.core);
        self.core.domain.warn_now();
        stats
    }

    /// Who holds garbage back, and how much: all threads that hold guards (R8).
    ///
    /// The caller's own guards are among them; the call itself is not. O(threads), and if something waits for one of them,
    /// O(n log threads) in what waits. Takes no lock of the map, but waits for its turn at the pending garbage if another call is at
    /// it; destructors run meanwhile only if what waited has passed, like in every call that is at the pending garbage (R6).
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
    /// assert_eq!(map.guards().to_string(), "no guard is live");
    ///
    /// let session = map.pin();
    /// session.remove(&1);
    /// let guards = map.guards();
    /// let me = guards.iter().next().unwrap();
    /// assert_eq!((guards.len(), me.guards, me.pending.entries), (1, 1, 1));
    /// println!("{guards}"); // thread "main": 1 guard, 0.0 s, 1 entry / 32 B wait for it
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn guards(&self) -> Guards {
        let guards = Guards::new(self.core.domain.waited());
        self.core.domain.warn_now();
        guards
    }
}

impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// An empty map with room for `capacity` entries and this hasher.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[must_use]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        let map = Self::with_hasher(hash_builder);
        if capacity > 0 {
            map.reserve(capacity);
        }
        map
    }
}

impl<K, V, S: BuildHasher> HashMap<K, V, S> {
    #[inline]
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> crate::core::Hash {
        crate::core::Hash::new(self.hash_builder.hash_one(key))
    }

    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn guard(&self) -> Guard<'_, K, V> {
        self.core.guard()
    }
}
