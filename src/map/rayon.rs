//! For several threads at once, by the crate `rayon`.

use std::collections::LinkedList;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::Range;

use rayon::iter::plumbing::{Folder, UnindexedConsumer, UnindexedProducer, bridge_unindexed};
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};

use super::{HashMap, Pinned, SessionGuard};
use crate::core::parallel::Parts;
use crate::core::{GROUP, Pair};

/// All pairs, as [`iter`](Pinned::iter) yields them (C2), to as many threads as there are.
///
/// They share the session's guard, which stays where it is. Each takes a range of the tables. Of the dirty table, where keys are inserted
/// meanwhile, the calling thread first notes what is in it, 8 bytes for each: what comes later would be met twice by threads that go in no
/// order. In a map that is only read for a while that table is empty.
///
/// With a [cap on garbage](crate::Builder::max_pending) what the other threads write waits for the session, which waits for them: for ever,
/// if there is no room. They may write in sessions of their own.
///
/// ```
/// use rayon::prelude::*;
///
/// let map: tidymap::HashMap<u64, u64> = (0..1000).map(|n| (n, n * n)).collect();
/// let session = map.pin();
/// assert_eq!(session.par_iter().filter(|(key, _)| *key % 2 == 0).map(|(_, value)| value).max(), Some(&(998 * 998)));
/// ```
impl<'s, K, V, S, G> IntoParallelIterator for &'s Pinned<'_, K, V, S, G>
where
    K: Sync,
    V: Sync,
    G: SessionGuard<K, V>,
{
    type Item = (&'s K, &'s V);
    type Iter = ParIter<'s, K, V>;

    fn into_par_iter(self) -> ParIter<'s, K, V> {
        let (core, guard) = self.reading();
        ParIter { parts: core.parts(guard) }
    }
}

/// The pairs of a map, for several threads: `session.par_iter()`.
pub struct ParIter<'s, K, V> {
    parts: Parts<'s, K, V>,
}

impl<'s, K: Sync, V: Sync> ParallelIterator for ParIter<'s, K, V> {
    type Item = (&'s K, &'s V);

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        bridge_unindexed(Part { parts: &self.parts, buckets: 0..self.parts.buckets() }, consumer)
    }
}

impl<K, V> fmt::Debug for ParIter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParIter").finish_non_exhaustive()
    }
}

/// What one thread takes, unless another wants half of it.
struct Part<'p, 's, K, V> {
    parts: &'p Parts<'s, K, V>,
    buckets: Range<usize>,
}

/// Fewer buckets than this are not worth a thread: some 50 pairs.
const LEAST: usize = 16;

impl<'s, K: Sync, V: Sync> UnindexedProducer for Part<'_, 's, K, V> {
    type Item = (&'s K, &'s V);

    fn split(self) -> (Self, Option<Self>) {
        let Range { start, end } = self.buckets;
        if end - start < 2 * LEAST {
            return (self, None);
        }
        let middle = start + (end - start) / 2;
        let part = |buckets| Part { parts: self.parts, buckets };
        (part(start..middle), Some(part(middle..end)))
    }

    fn fold_with<F: Folder<Self::Item>>(self, folder: F) -> F {
        folder.consume_iter(self.parts.pairs(self.buckets).map(Pair::parts))
    }
}

/// Made by several threads, inserted by the caller, in order: of a key that comes twice the last value counts.
///
/// ```
/// use rayon::prelude::*;
///
/// let map: tidymap::HashMap<u64, u64> = (0..1000u64).into_par_iter().map(|n| (n, n * n)).collect();
/// assert_eq!(map.len(), 1000);
/// ```
impl<K, V, S> FromParallelIterator<(K, V)> for HashMap<K, V, S>
where
    K: Eq + Hash + Send,
    V: Send,
    S: BuildHasher + Default,
{
    fn from_par_iter<I: IntoParallelIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::default();
        map.par_extend(pairs);
        map
    }
}

/// Made by several threads, inserted by the caller, in order: of a key that comes twice the last value counts.
impl<K, V, S> ParallelExtend<(K, V)> for HashMap<K, V, S>
where
    K: Eq + Hash + Send,
    V: Send,
    S: BuildHasher,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, pairs: I) {
        let lists: LinkedList<Vec<(K, V)>> = pairs.into_par_iter().collect_vec_list();
        let expected = lists.iter().map(Vec::len).sum::<usize>();
        // As `extend` does.
        self.reserve(if self.is_empty() { expected } else { expected.div_ceil(2) });
        self.insert_many(lists.into_iter().flatten());
    }
}

/// Made and inserted by several threads, as they go: others see the first pairs when the last are not made yet, and nothing is collected. Of a
/// key that comes twice any of the values counts.
///
/// Waits for room like [`insert_many`](HashMap::insert_many) if there is a [cap on garbage](crate::Builder::max_pending), and like that
/// not if the caller holds a guard on the map.
///
/// ```
/// use rayon::prelude::*;
///
/// let map = tidymap::HashMap::new();
/// (&map).par_extend((0..1000u64).into_par_iter().map(|n| (n, n * n)));
/// assert_eq!(map.len(), 1000);
/// ```
impl<K, V, S> ParallelExtend<(K, V)> for &HashMap<K, V, S>
where
    K: Eq + Hash + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, pairs: I) {
        let map = *self;
        // The caller waits for the others: they must not wait for him (F3).
        let may_wait = map.core.would_wait_for_guard().is_ok();
        let insert = |group: &mut Vec<(K, V)>| {
            if may_wait { map.insert_many(group.drain(..)) } else { map.pin().insert_many(group.drain(..)) }
        };
        let add = |mut group: Vec<(K, V)>, pair| {
            group.push(pair);
            if group.len() == GROUP {
                insert(&mut group);
            }
            group
        };
        pairs.into_par_iter().fold(Vec::new, add).for_each(|mut group| _ = insert(&mut group));
    }
}

/// By value. The pairs are taken out by the calling thread, before the others begin.
impl<K: Send, V: Send, S> IntoParallelIterator for HashMap<K, V, S> {
    type Item = (K, V);
    type Iter = rayon::vec::IntoIter<(K, V)>;

    fn into_par_iter(self) -> Self::Iter {
        self.into_iter().collect::<Vec<_>>().into_par_iter()
    }
}

/// With values that can be changed, as [`iter_mut`](HashMap::iter_mut) yields them. They are collected, as references, by the calling
/// thread, before the others begin.
///
/// ```
/// use rayon::prelude::*;
///
/// let mut map = tidymap::HashMap::from([("a", 1), ("b", 2)]);
/// map.par_iter_mut().for_each(|(_, n)| *n *= 10);
/// assert_eq!(map.pin()["b"], 20);
/// ```
impl<'m, K: Sync, V: Send, S> IntoParallelIterator for &'m mut HashMap<K, V, S> {
    type Item = (&'m K, &'m mut V);
    type Iter = rayon::vec::IntoIter<(&'m K, &'m mut V)>;

    fn into_par_iter(self) -> Self::Iter {
        self.iter_mut().collect::<Vec<_>>().into_par_iter()
    }
}
