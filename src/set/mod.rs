//! Sets: the public face once more, for keys without values. Safe code throughout: a set is a map whose values are `()`, for which an
//! entry needs no room.
//!
//! - this file: the set, its construction, and what concerns it as a whole;
//! - [`one_shot`]: the operations on `&HashSet`, each under a guard of its own, and [`reference`]: what they return;
//! - [`session`]: [`PinnedSet`] and the same operations under one guard; [`algebra`]: those of two sets; [`iter`]: what a session yields;
//! - [`reader`]: a guard that is brought up to date at each read; [`exclusive`]: what takes `&mut`, or the set itself; [`traits`], and by features
//!   `serde` and `rayon`.

mod algebra;
mod exclusive;
mod iter;
mod one_shot;
#[cfg(feature = "rayon")]
mod rayon;
mod reader;
mod reference;
#[cfg(feature = "serde")]
mod serde;
mod session;
mod traits;

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

pub use algebra::{Difference, Intersection, SymmetricDifference, Union};
pub use iter::{ContainsMany, SetIter};
pub use reader::SetReader;
pub use reference::{ElementRef, Taken};
pub use session::PinnedSet;

use crate::sync::const_unless_loom;
use crate::{Guards, HashMap, Pending, ReclaimError, Reclaiming, Stats, TryReserveError};

/// A concurrent hash set for many reads and few writes: a [`HashMap`] without values, with the same sessions and the same contract.
///
/// All operations take `&self`. Those on `HashSet` itself are *one-shot*: each takes a guard, and a result that refers into the set is an
/// [`ElementRef`] that keeps it. [`pin`](Self::pin) opens a session, in which one guard serves many operations and results are plain
/// references; [`union`](PinnedSet::union) and its like are of two sessions.
///
/// ```
/// use tidymap::HashSet;
///
/// let blocked = HashSet::from(["spam.example", "phish.example"]);
/// assert!(blocked.contains("spam.example"));
/// assert!(!blocked.insert("spam.example"), "it is there");
/// assert!(blocked.remove("spam.example"));
///
/// let session = blocked.pin();
/// assert_eq!(session.iter().collect::<Vec<_>>(), [&"phish.example"]);
/// ```
///
/// The lines of the contract (see the crate's documentation) hold with *element* in place of key and value: R1, when a call that removes has
/// returned, the element has been dropped, unless another guard was live on this set at the time.
///
/// # Of two equal elements
///
/// The one that is there stays, as in the standard library; the other is dropped, or was never taken in. So nothing is ever overwritten, no call
/// that inserts waits for room, and all garbage is removed elements.
///
/// The standard library's `replace` is missing. An element that readers may be looking at cannot be exchanged for another in its place: it
/// would be removed and the other inserted, and between the two some would find neither. To live with that is for the caller to choose, who has
/// both calls.
///
/// # Settings
///
/// A map becomes a set as it is, so the map's [`Builder`](crate::Builder) serves both:
///
/// ```
/// use tidymap::{HashMap, HashSet, Reclaimed};
///
/// let builder = HashMap::builder().max_pending(1000).on_reclaim(|gone| println!("{gone:?} goes now"));
/// let online: HashSet<String> = builder.build().into();
/// online.insert("alice".to_owned());
/// online.remove("alice"); // Removed("alice", ()) goes now
/// ```
///
/// # Panics
///
/// As with [`HashMap`]: if `Hash`, `Eq`, a closure or a destructor panics, the panic goes on in the call that ran it, and the set stays as
/// it was before the call, or as it is after it.
pub struct HashSet<T, S = RandomState> {
    map: HashMap<T, (), S>,
}

/// Defines calls that the field has by the same name, and that are no more than that.
macro_rules! forward {
    ($field:ident: $($(#[$attr:meta])* pub fn $name:ident(&self $(, $arg:ident: $type:ty)*) $(-> $answer:ty)?;)*) => {
        $(
            $(#[$attr])*
            #[cfg_attr(feature = "guard-locations", track_caller)]
            pub fn $name(&self $(, $arg: $type)*) $(-> $answer)? {
                self.$field.$name($($arg),*)
            }
        )*
    };
}
use forward;

impl<T> HashSet<T> {
    /// An empty set. Allocates nothing.
    ///
    /// ```
    /// let set = tidymap::HashSet::<u32>::new();
    /// assert_eq!(set.stats().heap.total(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        HashMap::new().into()
    }

    /// An empty set with room for `capacity` elements.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    ///
    /// ```
    /// assert!(tidymap::HashSet::<u32>::with_capacity(1000).capacity() >= 1000);
    /// ```
    #[must_use]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn with_capacity(capacity: usize) -> Self
    where
        T: Eq + Hash,
    {
        HashMap::with_capacity(capacity).into()
    }
}

impl<T, S> HashSet<T, S> {
    const_unless_loom! {
        /// An empty set with this hasher. Allocates nothing, and may be called in a `static`.
        ///
        /// ```
        /// use std::hash::{BuildHasherDefault, DefaultHasher};
        /// use tidymap::HashSet;
        ///
        /// static SEEN: HashSet<u64, BuildHasherDefault<DefaultHasher>> =
        ///     HashSet::with_hasher(BuildHasherDefault::new());
        /// assert!(SEEN.insert(7));
        /// assert!(SEEN.contains(&7));
        /// ```
        #[must_use]
        pub fn with_hasher(hash_builder: S) -> Self {
            HashSet { map: HashMap::with_hasher(hash_builder) }
        }
    }

    /// The map that the set is made of: for what concerns the map as a whole, and is not here.
    ///
    /// Its [`insert`](HashMap::insert) overwrites a unit by a unit, which is garbage like every overwritten value: the set's own does
    /// nothing if the element is there.
    ///
    /// ```
    /// let set = tidymap::HashSet::from([1, 2]);
    /// assert!(set.as_map().remove_if(&1, |element, ()| *element > 1).is_err());
    /// ```
    pub fn as_map(&self) -> &HashMap<T, (), S> {
        &self.map
    }

    /// The map that the set is made of. Costs nothing.
    ///
    /// ```
    /// let map = tidymap::HashSet::from([1, 2]).into_map();
    /// assert!(map.contains_key(&1));
    /// ```
    pub fn into_map(self) -> HashMap<T, (), S> {
        self.map
    }

    /// Opens a session: one guard for many operations, whose results are plain references.
    ///
    /// While it lives, nothing that is removed meanwhile is dropped, be it older than the session or not, before the session is
    /// [refreshed](PinnedSet::refresh) or ends. Sessions nest. Waits for nothing and costs 10 to 20 ns; see [`HashMap::pin`].
    ///
    /// ```
    /// let set = tidymap::HashSet::from([1, 2]);
    /// let session = set.pin();
    /// let one = session.get(&1);
    /// session.remove(&1);
    /// assert_eq!((one, session.get(&1)), (Some(&1), None), "still there to be seen in this session");
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn pin(&self) -> PinnedSet<'_, T, S> {
        PinnedSet::new(self)
    }

    /// Removes the elements of which `keep` says no, among those that are there throughout the call.
    ///
    /// Each removal linearizes by itself, like [`remove`](Self::remove). O(capacity); waits for nothing, but at the beginning for room for
    /// one if there is a [cap on garbage](crate::Builder::max_pending). `keep` may use the set.
    ///
    /// ```
    /// let set: tidymap::HashSet<_> = (0..10).collect();
    /// set.retain(|n| n % 2 == 0);
    /// assert_eq!(set.len(), 5);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn retain(&self, mut keep: impl FnMut(&T) -> bool) {
        self.map.retain(move |element, ()| keep(element));
    }

    forward! { map:
        /// The set's hasher.
        pub fn hasher(&self) -> &S;

        /// The number of elements. Exact when no writer runs (C3). See [`HashMap::len`](crate::HashMap::len) for the cost.
        pub fn len(&self) -> usize;

        /// True if [`len`](Self::len) is 0.
        pub fn is_empty(&self) -> bool;

        /// How many elements the set can hold without a new table. Takes the writer mutex for a moment.
        pub fn capacity(&self) -> usize;

        /// Makes room for `additional` elements. O(n); waits for other writers.
        ///
        /// # Panics
        /// On capacity overflow. Aborts if there is no memory.
        pub fn reserve(&self, additional: usize);

        /// Makes room for `additional` elements, like [`reserve`](Self::reserve).
        ///
        /// # Errors
        /// On capacity overflow, or if there is no memory for the table; see [`HashMap::try_reserve`].
        ///
        /// ```
        /// let set = tidymap::HashSet::<u64>::new();
        /// assert!(set.try_reserve(usize::MAX).is_err());
        /// assert!(set.try_reserve(1000).is_ok());
        /// ```
        pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError>;

        /// Brings the tables to the least size that the set uses for what is in it (M3). O(n); waits for other writers.
        ///
        /// # Panics
        /// Aborts if there is no memory for the smaller tables.
        pub fn shrink_to_fit(&self);

        /// Removes all elements and gives the tables back.
        ///
        /// Linearizes at one exchange: operations on other threads count as before it or after it. O(n) in the elements removed. Waits as
        /// [`HashMap::clear`] does.
        ///
        /// ```
        /// let set = tidymap::HashSet::from([1, 2]);
        /// set.clear();
        /// assert!(set.is_empty());
        /// ```
        pub fn clear(&self);

        /// Waits until everything that was unlinked before the call has been dropped (R3); see [`HashMap::reclaim`].
        ///
        /// # Errors
        /// At once, if it would wait for itself: if this thread holds a guard on the set, or runs a destructor from which the set
        /// is still to return.
        ///
        /// ```
        /// use tidymap::{HashSet, ReclaimError};
        ///
        /// let set = HashSet::from([1]);
        /// let one = set.take(&1);
        /// assert_eq!(set.reclaim(), Err(ReclaimError::GuardHeld));
        /// drop(one);
        /// assert_eq!(set.reclaim(), Ok(()));
        /// ```
        pub fn reclaim(&self) -> Result<(), ReclaimError>;

        /// [`reclaim`](Self::reclaim), but waits no longer than `timeout`; see [`HashMap::reclaim_timeout`].
        ///
        /// # Errors
        /// As for [`reclaim`](Self::reclaim); or [`ReclaimError::TimedOut`].
        pub fn reclaim_timeout(&self, timeout: Duration) -> Result<(), ReclaimError>;

        /// [`reclaim`](Self::reclaim) for tasks: a future that is ready when everything that was unlinked before its first poll has
        /// been dropped; see [`HashMap::reclaim_async`].
        ///
        /// # Errors
        /// At the first poll, as for [`reclaim`](Self::reclaim).
        pub fn reclaim_async(&self) -> Reclaiming<'_, T, ()>;

        /// Drops what can be dropped now, and tells what is left (R3). Never waits; see [`HashMap::try_reclaim`].
        pub fn try_reclaim(&self) -> Pending;

        /// The figures of the set (R8), in which entries are elements. Visits each thread's record and takes the writer mutex for a
        /// moment.
        ///
        /// ```
        /// let set = tidymap::HashSet::from([1, 2]);
        /// let session = set.pin();
        /// session.remove(&1);
        /// let stats = set.stats();
        /// assert_eq!((stats.len, stats.pending.entries, stats.live_guards), (1, 1, 1));
        /// ```
        pub fn stats(&self) -> Stats;

        /// Who holds garbage back, and how much: all threads that hold guards (R8); see [`HashMap::guards`].
        pub fn guards(&self) -> Guards;
    }
}

impl<T, S> HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    /// An empty set with room for `capacity` elements and this hasher.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[must_use]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        HashMap::with_capacity_and_hasher(capacity, hash_builder).into()
    }
}
