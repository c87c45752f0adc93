//! The operations on many keys at once, of maps and of sessions.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::{Fuse, FusedIterator};

use equivalent::Equivalent;

use super::{HashMap, LocalGuard, Pinned, SessionGuard};
use crate::core::{self, FETCHED, GROUP};

/// Takes the next group out of `items`; false if there is none.
fn take_group<T>(group: &mut Vec<T>, items: &mut impl Iterator<Item = T>) -> bool {
    group.clear();
    group.extend(items.take(GROUP));
    !group.is_empty()
}

impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// Inserts or overwrites all of these, and returns how many keys were new.
    ///
    /// What a loop of [`insert`](Self::insert) does, with fewer instructions: of two values of one key the last one stays, and each key
    /// linearizes by itself, but others may see those of different keys in another order. Goes by groups of 64 pairs, which it takes
    /// out of `pairs` before it inserts the first of them. Existing keys are overwritten as by `insert`; the new ones of a group are
    /// linked together. So other writers wait for no more than a group, and this one, like `insert`, for other writers.
    ///
    /// No guard is held while `pairs` makes the next ones; what has been overwritten is dropped after each group (R1). With a
    /// [cap on garbage](crate::Builder::max_pending) a group for which there is no room goes pair by pair, each of which
    /// waits as `insert` does.
    ///
    /// # Panics
    /// As [`insert`](Self::insert). If that, `pairs`, `Hash`, `Eq` or a destructor panics, up to 64 pairs that were taken out have not been
    /// inserted, and are dropped.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.insert_many([("a", 2), ("b", 3), ("b", 4)]), 1);
    /// assert_eq!((map.get_cloned("a"), map.get_cloned("b")), (Some(2), Some(4)));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert_many(&self, pairs: impl IntoIterator<Item = (K, V)>) -> usize {
        let mut pairs = self.hashed(pairs);
        let (mut group, mut new) = (Vec::new(), 0);
        while take_group(&mut group, &mut pairs) {
            // Without code of the user's between permit and guard.
            if let Some(_permit) = self.core.domain.try_admit_all(group.len()) {
                new += self.core.insert_group(&self.guard(), &mut group);
            } else {
                for (_, key, value) in group.drain(..) {
                    new += usize::from(self.insert(key, value).is_none());
                }
            }
        }
        new
    }

    /// Removes these keys, and returns how many were there.
    ///
    /// The items are the references: of `String` keys by `&str`, `map.remove_many(["a", "b"])`, without a `&`.
    ///
    /// What a loop of [`remove`](Self::remove) does, with fewer instructions. Each key linearizes by itself, as there. Goes by groups of
    /// 64 keys, which it takes out of `keys` before it removes the first of them; those of a group are unlinked together. Waits for
    /// nothing, but for room as `remove` does if there is a [cap on garbage](crate::Builder::max_pending): then a group for which there is
    /// no room goes key by key.
    ///
    /// No guard is held while `keys` tells the next ones. When the call returns, what it has removed has been dropped, unless
    /// another guard was live (R1); what the groups before have removed, before the next one begins.
    ///
    /// # Panics
    /// If `keys`, `Hash`, `Eq` or a destructor panics, up to 64 keys that were taken out have not been removed.
    ///
    /// ```
    /// let map: tidymap::HashMap<_, _> = (0..10).map(|n| (n, n * n)).collect();
    /// assert_eq!(map.remove_many(&[1, 3, 5, 11]), 3);
    /// assert_eq!(map.len(), 7);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_many<'q, Q>(&self, keys: impl IntoIterator<Item = &'q Q>) -> usize
    where
        Q: Hash + Equivalent<K> + ?Sized + 'q,
    {
        let mut keys = keys.into_iter().map(|key| (self.hash(key), key)).fuse();
        let (mut group, mut removed) = (Vec::new(), 0);
        while take_group(&mut group, &mut keys) {
            if self.core.is_vacant() {
                continue;
            }
            // As in `insert_many`.
            if let Some(_permit) = self.core.domain.try_admit_all(group.len()) {
                removed += self.core.remove_group(&self.guard(), &group);
            } else {
                for (_, key) in &group {
                    removed += usize::from(self.remove(*key).is_some());
                }
            }
        }
        removed
    }

    /// Inserts those of which the key is absent, and returns how many: [`insert_many`](Self::insert_many) for sets, which overwrite nothing
    /// and so need no permit.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn try_insert_many(&self, pairs: impl IntoIterator<Item = (K, V)>) -> usize {
        let mut pairs = self.hashed(pairs);
        let (mut group, mut new) = (Vec::new(), 0);
        while take_group(&mut group, &mut pairs) {
            new += self.core.try_insert_group(&self.guard(), &mut group);
        }
        new
    }

    /// The pairs with their hashes, to be taken in groups.
    fn hashed(&self, pairs: impl IntoIterator<Item = (K, V)>) -> impl Iterator<Item = (core::Hash, K, V)> {
        pairs.into_iter().map(|(key, value)| (self.hash(&key), key, value)).fuse()
    }
}

impl<K, V, S, G> Pinned<'_, K, V, S, G>
where
    K: Eq + Hash,
    S: BuildHasher,
    G: SessionGuard<K, V>,
{
    /// The values of `keys`, in their order; `None` for those that are absent.
    ///
    /// What a loop of [`get`](Self::get) finds: each key is looked up, and linearizes, when its value is asked for. If the tables are so large
    /// that lookups wait for memory, `keys` is read up to 16 keys ahead, and the processor asked to fetch what is to be looked at, so
    /// that it waits for all of them at once. How much that saves depends on what it would overlap by itself.
    ///
    /// A panic of `keys`, `Hash` or `Eq` costs the key at which it happens, and no other.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
    /// let session = map.pin();
    /// let found: Vec<_> = session.get_many(&[2, 3, 1]).collect();
    /// assert_eq!(found, [Some(&"two"), None, Some(&"one")]);
    /// ```
    pub fn get_many<'q, Q, I>(&self, keys: I) -> GetMany<'_, 'q, Q, K, V, S, I::IntoIter, G>
    where
        I: IntoIterator<Item = &'q Q>,
        Q: Hash + Equivalent<K> + ?Sized + 'q,
    {
        GetMany { session: self, keys: keys.into_iter().fuse(), ahead: [None; FETCHED], next: 0, end: 0 }
    }

    /// See [`HashMap::insert_many`]. What is overwritten is dropped when the session ends; a cap does not make it wait.
    pub fn insert_many(&self, pairs: impl IntoIterator<Item = (K, V)>) -> usize {
        let mut pairs = self.map.hashed(pairs);
        let (mut group, mut new) = (Vec::new(), 0);
        while take_group(&mut group, &mut pairs) {
            new += self.writing(|core, guard| core.insert_group(guard, &mut group));
        }
        new
    }

    /// See [`HashMap::try_insert_many`].
    pub(crate) fn try_insert_many(&self, pairs: impl IntoIterator<Item = (K, V)>) -> usize {
        let mut pairs = self.map.hashed(pairs);
        let (mut group, mut new) = (Vec::new(), 0);
        while take_group(&mut group, &mut pairs) {
            new += self.writing(|core, guard| core.try_insert_group(guard, &mut group));
        }
        new
    }

    /// See [`HashMap::remove_many`]. What is removed is dropped when the session ends; a cap does not make it wait.
    pub fn remove_many<'q, Q>(&self, keys: impl IntoIterator<Item = &'q Q>) -> usize
    where
        Q: Hash + Equivalent<K> + ?Sized + 'q,
    {
        let mut keys = keys.into_iter().map(|key| (self.map.hash(key), key)).fuse();
        let (mut group, mut removed) = (Vec::new(), 0);
        while take_group(&mut group, &mut keys) {
            removed += self.writing(|core, guard| core.remove_group(guard, &group));
        }
        removed
    }
}

/// The values of many keys: [`Pinned::get_many`].
#[must_use = "it looks up nothing before it is asked"]
pub struct GetMany<'s, 'q, Q: ?Sized, K, V, S, I, G = LocalGuard<'s, K, V>> {
    session: &'s Pinned<'s, K, V, S, G>,
    keys: Fuse<I>,
    /// Keys that have been read ahead, from `next` to `end`.
    ahead: [Option<(core::Hash, &'q Q)>; FETCHED],
    next: usize,
    end: usize,
}

impl<'q, Q, K, V, S, I, G> GetMany<'_, 'q, Q, K, V, S, I, G>
where
    Q: Hash + ?Sized,
    S: BuildHasher,
    I: Iterator<Item = &'q Q>,
    G: SessionGuard<K, V>,
{
    /// Reads ahead, after all of what was read before has been looked up.
    fn read_ahead(&mut self) {
        let map = self.session.map;
        (self.next, self.end) = (0, 0);
        for place in &mut self.ahead {
            let Some(key) = self.keys.next() else { break };
            *place = Some((map.hash(key), key));
            // One by one: a key that has been read is looked up, though the next one panics.
            self.end += 1;
        }
        let (core, guard) = self.session.reading();
        core.prefetch(guard, self.ahead[..self.end].iter().flatten().map(|(hash, _)| *hash));
    }
}

impl<'s, 'q, Q, K, V, S, I, G> Iterator for GetMany<'s, 'q, Q, K, V, S, I, G>
where
    G: SessionGuard<K, V>,
    Q: Hash + Equivalent<K> + ?Sized,
    S: BuildHasher,
    I: Iterator<Item = &'q Q>,
{
    type Item = Option<&'s V>;

    #[inline]
    fn next(&mut self) -> Option<Option<&'s V>> {
        let (map, (core, guard)) = (self.session.map, self.session.reading());
        if self.next == self.end {
            if !core.is_far(guard) {
                let key = self.keys.next()?;
                return Some(core.get(guard, map.hash(key), key).map(|pair| pair.value));
            }
            self.read_ahead();
        }
        let (hash, key) = self.ahead[..self.end].get_mut(self.next)?.take()?;
        self.next += 1;
        Some(core.get(guard, hash, key).map(|pair| pair.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ahead = self.end - self.next;
        let (least, most) = self.keys.size_hint();
        (least.saturating_add(ahead), most.and_then(|most| most.checked_add(ahead)))
    }
}

impl<'q, Q, K, V, S, I, G> ExactSizeIterator for GetMany<'_, 'q, Q, K, V, S, I, G>
where
    G: SessionGuard<K, V>,
    Q: Hash + Equivalent<K> + ?Sized,
    S: BuildHasher,
    I: ExactSizeIterator<Item = &'q Q>,
{
}

impl<'q, Q, K, V, S, I, G> FusedIterator for GetMany<'_, 'q, Q, K, V, S, I, G>
where
    G: SessionGuard<K, V>,
    Q: Hash + Equivalent<K> + ?Sized,
    S: BuildHasher,
    I: Iterator<Item = &'q Q>,
{
}

impl<Q: ?Sized, K, V, S, I, G> fmt::Debug for GetMany<'_, '_, Q, K, V, S, I, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetMany").finish_non_exhaustive()
    }
}
