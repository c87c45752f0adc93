//! Frozen views (feature `arc-swap`): immutable copies of the map, published from time to time and read like a plain hash map.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use equivalent::Equivalent;

use super::{HashMap, Pinned};

/// How often a copy is looked at again, to be one of a single moment, before it is taken as it is.
const ATTEMPTS: usize = 4;

/// Where a map publishes. Nothing but a few words before it does.
pub(super) struct Published<K, V, S> {
    latest: OnceLock<Arc<ArcSwap<Frozen<K, V, S>>>>,
    /// Copies that have been begun. One at a time looks at the map, so that of two copies none has one key as it was earlier, and another
    /// as it was later; views never go back to one with a smaller number.
    copies: Mutex<u64>,
}

impl<K, V, S> Published<K, V, S> {
    pub(super) const fn new() -> Self {
        Published { latest: OnceLock::new(), copies: Mutex::new(0) }
    }
}

// The bounds `Send + Sync`: see the `SAFETY` of `unsafe impl Send for HashMap`.
impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash + Clone + Send + Sync,
    V: Clone + Send + Sync,
    S: BuildHasher + Clone + Send + Sync,
{
    /// Makes an immutable copy of the map, which all its [views](Self::view) read from now on, and returns it. (Feature `arc-swap`.)
    ///
    /// **Which moment.** What had been done before the call is in the copy. Beside writers an iteration sees one key as it was earlier than another, so the
    /// call iterates twice: if no key has been inserted during the first, and the second finds the very same pairs, the map was like that at the moment
    /// between the two, and the copy [says so](Frozen::is_exact). Else it tries again, up to four times, and then takes what an iteration
    /// yields (C2): each key that was there throughout, with a value that it had meanwhile. Without writers a copy is always exact. Of two calls
    /// at the same time one looks at the map after the other, and its copy stays: views never go back.
    ///
    /// **Cost.** O(n): two iterations or more, and a hash, a `Clone` of key and value, and room for them for each entry. Takes the writer mutex for two moments in each attempt, but not
    /// while it iterates or clones: nobody waits for that. It holds a guard until it has cloned. The live map's calls cost what they cost without.
    /// Calls of this wait for each other while they iterate.
    ///
    /// When to publish is the caller's to say: by hand, or [after so many changes](Self::publish_after).
    ///
    /// **What stays.** The map keeps the latest copy until it publishes another one or goes; so do views that have read it and not yet a later one. What had
    /// been replaced, and is seen by none of these, is dropped here. For values that are large, or are to be dropped when they are removed, take an `Arc<V>` or an id. Copies are
    /// no part of [`Stats::heap`](super::Stats::heap).
    ///
    /// # Panics
    /// If `Hash`, `Eq` or `Clone` panics: then nothing is published. If the destructor of an earlier copy's key or value does, it is. On capacity
    /// overflow. Aborts if there is no memory.
    ///
    /// ```
    /// let routes = tidymap::HashMap::from([("/", 1)]);
    /// let mut view = routes.view();
    /// routes.insert("/about", 2);
    /// assert_eq!(view.get("/"), Some(&1));
    /// assert_eq!(view.get("/about"), None);
    /// routes.publish();
    /// assert_eq!(view.get("/about"), Some(&2));
    /// ```
    ///
    /// Views of a map share its copies, so keys, values and hasher must be such as threads may share:
    ///
    /// ```compile_fail,E0277
    /// tidymap::HashMap::from([(1, std::cell::Cell::new(1))]).publish();
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn publish(&self) -> Arc<Frozen<K, V, S>> {
        let frozen = Arc::new(self.freeze(|| ()));
        let mut first = None;
        let latest = self.published.latest.get_or_init(|| {
            first = Some(());
            Arc::new(ArcSwap::new(frozen.clone()))
        });
        if first.is_none() {
            let later = |current: &Arc<Frozen<K, V, S>>| match current.number > frozen.number {
                true => current.clone(),
                false => frozen.clone(),
            };
            drop(latest.rcu(later));
        }
        frozen
    }

    /// [`publish`](Self::publish), if there have been at least so many changes since the latest copy was begun, or there is none yet: insertions, overwrites and
    /// removals, as the map has counted them anyway.
    ///
    /// (Not at a promotion: that is made under the writers' mutex, where no `Clone` may run. Who wants that compares
    /// [`Stats::promotions`](super::Stats::promotions) with what it was.)
    ///
    /// Who asks pays: visits each thread's record. Writers do nothing for it, so nobody publishes unless somebody asks: a writer after its
    /// writes, say, or a thread now and then. Exact when no writer runs.
    ///
    /// ```
    /// let map: tidymap::HashMap<u32, u32> = (0..10).map(|n| (n, n)).collect();
    /// assert_eq!(map.publish_after(1000).unwrap().len(), 10, "the first");
    /// map.insert(1, 2);
    /// map.remove(&2);
    /// assert!(map.publish_after(3).is_none());
    /// assert_eq!(map.publish_after(2).unwrap().len(), 9);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn publish_after(&self, changes: u64) -> Option<Arc<Frozen<K, V, S>>> {
        let latest = self.published.latest.get().map(|latest| latest.load().changes);
        let due = latest.is_none_or(|then| self.core.changes().saturating_sub(then) >= changes);
        due.then(|| self.publish())
    }

    /// A view: reads the latest copy that has been published, at the speed of a plain hash map. Publishes if nothing has been yet. (Feature `arc-swap`.)
    ///
    /// A view holds no guard: what is removed from the map is dropped whatever views there are, which go on to see their own clone of it until there is a
    /// later copy and they look. It owns what it reads, and may outlive the map. Each thread takes one of its own.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, String::from("one"))]);
    /// let mut view = map.view();
    /// map.remove(&1);
    /// assert_eq!(map.stats().pending.entries, 0, "it holds nothing back");
    /// assert_eq!(view.get(&1).map(String::as_str), Some("one"));
    /// map.publish();
    /// drop(map);
    /// assert_eq!(view.get(&1), None);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn view(&self) -> View<K, V, S> {
        let latest = loop {
            match self.published.latest.get() {
                Some(latest) => break latest.clone(),
                None => drop(self.publish()),
            }
        };
        View { cache: Cache::new(latest) }
    }

    /// A copy, with its number. Says `met` at each pair that it meets, while it looks at the map.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn freeze(&self, mut met: impl FnMut()) -> Frozen<K, V, S> {
        // No user code runs under this mutex: iterating looks at no key.
        let mut copies = self.published.copies.lock().unwrap_or_else(PoisonError::into_inner);
        *copies += 1;
        let (number, changes) = (*copies, self.core.changes());
        let session = self.pin();
        let mut attempts = 1;
        let (mut pairs, mut exact) = self.look_twice(&session, &mut met);
        while !exact && attempts < ATTEMPTS {
            attempts += 1;
            (pairs, exact) = self.look_twice(&session, &mut met);
        }
        drop(copies);
        let mut entries = hashbrown::HashMap::with_capacity_and_hasher(pairs.len(), self.hash_builder.clone());
        entries.extend(pairs.into_iter().map(|(key, value)| (key.clone(), value.clone())));
        // Not at the end of the function: a destructor that panics there leaks what is returned.
        drop(session);
        Frozen { entries, number, changes, exact }
    }

    /// What an iteration yields; and was the map like that at one moment? Says `met` at each pair that it meets, the first time and the second.
    fn look_twice<'s>(&self, session: &'s Pinned<'_, K, V, S>, mut met: impl FnMut()) -> (Vec<(&'s K, &'s V)>, bool) {
        let before = self.core.links(session.reading().1);
        let pairs: Vec<(&K, &V)> = session.iter().inspect(|_| met()).collect();
        // Now is the moment. What is absent now has not been passed over before it came: nothing has been linked since the iteration
        // began, and nothing is being linked. What was there is there now, with its value, if it is met again below: memory that has been seen in
        // this session is not used for another entry or value in it (E2, E3).
        let linked = self.core.links(session.reading().1) != before;
        let mut again = session.iter().inspect(|_| met());
        let mut same = |(key, value): &(&K, &V)| {
            again.next().is_some_and(|other| std::ptr::eq(*key, other.0) && std::ptr::eq(*value, other.1))
        };
        let exact = !linked && pairs.iter().all(&mut same);
        (pairs, exact)
    }
}

/// An immutable copy of a map: [`HashMap::publish`]. A plain hash map, with the map's hasher.
pub struct Frozen<K, V, S = RandomState> {
    entries: hashbrown::HashMap<K, V, S>,
    /// In the order in which they were made.
    number: u64,
    /// What the map had counted when the copy was begun.
    changes: u64,
    exact: bool,
}

impl<K, V, S> Frozen<K, V, S> {
    /// Was the map like this at one moment? Else these are pairs that an iteration beside writers has yielded: see [`HashMap::publish`].
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All pairs, in no order that means anything.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.entries.iter()
    }
}

impl<K, V, S> Frozen<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The value of `key`. O(1) on average.
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.get(key)
    }

    /// The pair of `key`.
    #[inline]
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.get_key_value(key)
    }

    /// Is `key` in the copy?
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.contains_key(key)
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for Frozen<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

/// Reads the latest copy that a map has [published](HashMap::publish): [`HashMap::view`].
///
/// Reading takes `&mut self`, because a read that finds a later copy moves the view on to it, and drops the earlier one if it was the last to
/// have it. One load more than in a plain hash map says whether there is one. Reads wait for nothing.
pub struct View<K, V, S = RandomState> {
    cache: Cache<Arc<ArcSwap<Frozen<K, V, S>>>, Arc<Frozen<K, V, S>>>,
}

impl<K, V, S> View<K, V, S> {
    /// The latest copy: for several reads that are to be of one copy, or when no result may be lost to the next read.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("from", 3), ("to", 5)]);
    /// let mut view = map.view();
    /// let latest = view.load();
    /// assert!(latest.is_exact());
    /// assert_eq!((latest.get("from"), latest.get("to")), (Some(&3), Some(&5)));
    /// ```
    #[inline]
    pub fn load(&mut self) -> &Arc<Frozen<K, V, S>> {
        self.cache.load()
    }
}

impl<K, V, S> View<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The value of `key` in the latest copy. O(1) on average.
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.load().get(key)
    }

    /// Is `key` in the latest copy?
    #[inline]
    pub fn contains_key<Q>(&mut self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.load().contains_key(key)
    }
}

/// Another view of the same map.
impl<K, V, S> Clone for View<K, V, S> {
    fn clone(&self) -> Self {
        View { cache: self.cache.clone() }
    }
}

impl<K, V, S> fmt::Debug for View<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    /// Looks at a map of ten keys, with `change` at the meeting of a certain number. Is what was seen exact?
    fn with_a_change_at(meeting: usize, change: impl Fn(&HashMap<u64, u64>)) -> bool {
        let map: HashMap<u64, u64> = (0..10).map(|key| (key, key)).collect();
        map.shrink_to_fit();
        let session = map.pin();
        let mut meetings = 0;
        let (pairs, exact) = map.look_twice(&session, || {
            meetings += 1;
            if meetings == meeting {
                change(&map);
            }
        });
        assert!(meetings >= meeting && (9..=11).contains(&pairs.len()));
        exact
    }

    /// The keys in the order in which an iteration meets them, from 1.
    fn met(map: &HashMap<u64, u64>, number: usize) -> u64 {
        *map.pin().keys().nth(number - 1).expect("it has so many")
    }

    #[test]
    fn c2_a_change_of_a_pair_between_the_two_looks_at_it_is_seen() {
        // The pair that is met as number so is met again ten later.
        let (numbers, meetings) = if cfg!(miri) { (9, 7) } else { (1, 1) };
        for number in (1..=10).step_by(numbers) {
            for meeting in (1..=20).step_by(meetings) {
                let is_between = (number..number + 10).contains(&meeting);
                let overwritten = with_a_change_at(meeting, |map| drop(map.update(&met(map, number), |same| *same)));
                let removed = with_a_change_at(meeting, |map| drop(map.remove(&met(map, number))));
                // (What is removed before the first look is not met, and the rest is met earlier.)
                assert_eq!((overwritten, removed), (!is_between, !is_between), "number {number}, meeting {meeting}");
            }
        }
    }

    #[test]
    fn c2_a_key_that_comes_while_it_is_looked_at_is_seen_though_it_goes_again() {
        let comes_and_goes = |map: &HashMap<u64, u64>| {
            map.insert(100, 100);
            map.remove(&100);
        };
        for meeting in 1..=10 {
            assert!(!with_a_change_at(meeting, comes_and_goes), "it may have been passed over, {meeting}");
        }
        for meeting in 11..=20 {
            assert!(with_a_change_at(meeting, comes_and_goes), "it was not there at the moment");
        }
    }

    /// Else one could have one key as it was earlier, and another as it was later, and the other one the other way round.
    #[test]
    fn c2_of_two_copies_one_looks_at_the_map_after_the_other() {
        let map: HashMap<u64, u64> = (0..10).map(|key| (key, key)).collect();
        let (mut is_first, other_has_met) = (true, AtomicBool::new(false));
        std::thread::scope(|scope| {
            map.freeze(|| {
                if std::mem::take(&mut is_first) {
                    scope.spawn(|| map.freeze(|| other_has_met.store(true, Ordering::Relaxed)));
                    // Time enough for it to come, if nothing keeps it.
                    std::thread::sleep(Duration::from_millis(50));
                }
                assert!(!other_has_met.load(Ordering::Relaxed), "it looks at the map meanwhile");
            });
        });
        assert!(other_has_met.into_inner());
    }
}
