//! Settings for a new map.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use super::{HashMap, Reclaimed};
use crate::core::{Core, Limits, OnReclaim};
use crate::reclaim::{ReadFence, WarnFrom};

/// When what is unlinked, and seen by no guard, is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reclaim {
    /// Before the call that unlinked it returns, or with the [`Ref`](super::Ref) it returned.
    #[default]
    Immediate,
    /// Saved up, at most so many items in the whole map, and dropped together. Cheaper for writers beside threads that read: these are looked at once for many
    /// items. Where nobody reads it is dearer than dropping at once. A thread is allowed a sixteenth of them at a time (1 to 32): what it does not use
    /// nobody else saves up, and who is allowed none drops at once.
    ///
    /// [`HashMap::reclaim`] and [`HashMap::try_reclaim`] drop what is saved up, on whichever thread it is.
    Batched(usize),
}

/// Settings for a new map: [`HashMap::builder`].
pub struct Builder<K, V, S = RandomState> {
    capacity: usize,
    hash_builder: S,
    reclaim: Reclaim,
    max_pending: Option<usize>,
    on_reclaim: Option<OnReclaim<K, V>>,
    read_fence: ReadFence,
    warn_from: WarnFrom,
}

impl<K, V> Builder<K, V> {
    pub(super) fn new() -> Self {
        Builder {
            capacity: 0,
            hash_builder: RandomState::new(),
            reclaim: Reclaim::default(),
            max_pending: None,
            on_reclaim: None,
            read_fence: Limits::NONE.read_fence,
            warn_from: WarnFrom::DEFAULT,
        }
    }
}

impl<K, V, S> Builder<K, V, S> {
    /// Room for so many entries. Default: 0.
    pub fn capacity(self, capacity: usize) -> Self {
        Builder { capacity, ..self }
    }

    /// The hasher. Default: [`RandomState`], which withstands chosen keys.
    pub fn hasher<T>(self, hash_builder: T) -> Builder<K, V, T> {
        let Builder { capacity, hash_builder: _, reclaim, max_pending, on_reclaim, read_fence, warn_from } = self;
        Builder { capacity, hash_builder, reclaim, max_pending, on_reclaim, read_fence, warn_from }
    }

    /// When garbage is dropped. Default: [`Reclaim::Immediate`].
    pub fn reclaim(self, reclaim: Reclaim) -> Self {
        Builder { reclaim, ..self }
    }

    /// A cap on garbage: no more than so many removed entries and overwritten values, and at least one, wait to be dropped (R4).
    /// Default: none.
    ///
    /// A one-shot call that would exceed it waits before it begins, asleep, until something has been dropped: until the reader leaves
    /// that holds it all back. [`insert`](HashMap::insert) waits only if the key is there, and calls that find the key absent do not
    /// wait, but for [`compute`](HashMap::compute) and [`update_or_insert`](HashMap::update_or_insert), which wait before they
    /// look. Reads never wait.
    ///
    /// **Who holds a guard on the map itself is let through**, at once, and exceeds the cap: a thread with a [`Ref`](super::Ref) or an open
    /// session, in a closure that the map called, or in a destructor that the map runs. It might wait for itself. What it unlinks
    /// is counted, and others wait for it. So sessions are not kept by the cap; write by one-shot calls where it matters.
    /// [`retain`](HashMap::retain) and [`clear`](HashMap::clear) wait for room for one, and then remove what they remove.
    /// [`insert_many`](HashMap::insert_many) and [`remove_many`](HashMap::remove_many) go by groups if there is room for all of one, and
    /// else key by key.
    ///
    /// ```
    /// let map = tidymap::HashMap::builder().max_pending(100).build();
    /// map.insert(0, 0);
    /// std::thread::scope(|scope| {
    ///     let reader = map.pin();
    ///     let writer = scope.spawn(|| (1..1000).for_each(|n| drop(map.insert(0, n))));
    ///     while map.stats().pending.entries < 100 {
    ///         std::thread::yield_now();
    ///     }
    ///     assert_eq!(reader.get(&0), Some(&100));
    ///     drop(reader);
    ///     writer.join().unwrap();
    /// });
    /// assert_eq!(map.stats().pending.entries, 0);
    /// ```
    pub fn max_pending(self, entries: usize) -> Self {
        Builder { max_pending: Some(entries), ..self }
    }

    /// Who executes the memory fence that a read and a removal need between them. Default: [`ReadFence::Auto`]. Changes no promise, only what
    /// reads and removals cost; [`Stats::read_fence`](super::Stats::read_fence) tells whether every thread executes one.
    ///
    /// ```
    /// use tidymap::{HashMap, ReadFence};
    ///
    /// let map = HashMap::builder().read_fence(ReadFence::Always).build();
    /// map.insert("a", 1);
    /// assert!(map.stats().read_fence);
    /// ```
    pub fn read_fence(self, read_fence: ReadFence) -> Self {
        Builder { read_fence, ..self }
    }

    /// A function that is given keys and values, by ownership, when they are reclaimed, instead of their drop: to close, log or reuse what
    /// they hold, or to drop them on another thread. Default: none.
    ///
    /// It is called at the moment of the drop that it takes the place of (R1, R2), on the same thread (R6), outside all locks and guards
    /// of the map, which it may use; also for what is in the map when the map is dropped. Not for what was never in the map, or is returned by
    /// value. Clones of the map share it.
    ///
    /// **A panic in it** is like one in a destructor (R5): what it was given is dropped as the panic unwinds, the other garbage still
    /// gets its turn, and the panic goes on in the call or the drop that ran it.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use tidymap::{HashMap, Reclaimed};
    ///
    /// let (sender, bin) = mpsc::channel();
    /// let map = HashMap::builder().on_reclaim(move |reclaimed| sender.send(reclaimed).unwrap()).build();
    /// map.insert("a", 1);
    /// map.insert("a", 2);
    /// map.remove("a");
    /// assert_eq!(bin.recv(), Ok(Reclaimed::Overwritten(1)));
    /// assert_eq!(bin.recv(), Ok(Reclaimed::Removed("a", 2)));
    /// ```
    pub fn on_reclaim(self, on_reclaim: impl Fn(Reclaimed<K, V>) + Send + Sync + 'static) -> Self {
        Builder { on_reclaim: Some(OnReclaim::new(on_reclaim)), ..self }
    }

    /// Warn of a guard of this age, if something waits for it. Default: a minute. [`Duration::MAX`](std::time::Duration::MAX) is never.
    ///
    /// The warning is one event of the crate `tracing`, target `tidymap`, with the fields `thread`, `age`, `entries`, `bytes`
    /// and `location` of the oldest guard (see [`GuardInfo`](super::GuardInfo)), once for a guard. Calls that look are those by which something has
    /// to wait, and [`HashMap::stats`], [`guards`](HashMap::guards), [`try_reclaim`](HashMap::try_reclaim) and
    /// [`reclaim`](HashMap::reclaim); there is no thread for it. The subscriber runs like a destructor: after the work, outside
    /// every lock and guard of the call. It may use the map, and its panic goes on in the call.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let map = tidymap::HashMap::<u32, u32>::builder().warn_guard_age(Duration::from_secs(5)).build();
    /// # drop(map);
    /// ```
    #[cfg(feature = "tracing")]
    pub fn warn_guard_age(self, age: std::time::Duration) -> Self {
        Builder { warn_from: WarnFrom { age }, ..self }
    }

    /// The map.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[must_use]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn build(self) -> HashMap<K, V, S>
    where
        K: Eq + Hash,
        S: BuildHasher,
    {
        let batch = match self.reclaim {
            Reclaim::Immediate => 0,
            Reclaim::Batched(items) => items,
        };
        let max_pending = self.max_pending.map_or(usize::MAX, |entries| entries.max(1));
        let limits = Limits { batch, max_pending, read_fence: self.read_fence };
        let mut map = HashMap::of(Core::new(limits, self.on_reclaim), self.hash_builder);
        map.core.domain.warn_from = self.warn_from;
        if self.capacity > 0 {
            map.reserve(self.capacity);
        }
        map
    }
}

impl<K, V, S: Clone> Clone for Builder<K, V, S> {
    fn clone(&self) -> Self {
        Builder { hash_builder: self.hash_builder.clone(), on_reclaim: self.on_reclaim.clone(), ..*self }
    }
}

impl<K, V, S: fmt::Debug> fmt::Debug for Builder<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Builder { capacity, hash_builder, reclaim, max_pending, on_reclaim, read_fence, warn_from: _ } = self;
        f.debug_struct("Builder")
            .field("capacity", capacity)
            .field("hasher", hash_builder)
            .field("reclaim", reclaim)
            .field("max_pending", max_pending)
            .field("on_reclaim", &on_reclaim.is_some())
            .field("read_fence", read_fence)
            .finish()
    }
}
