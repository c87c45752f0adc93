//! For several threads at once, by the crate `rayon`: as the [map](crate::HashMap) does.

use std::collections::LinkedList;
use std::hash::{BuildHasher, Hash};

use rayon::iter::{FromParallelIterator, IntoParallelIterator, Map, ParallelExtend, ParallelIterator};

use super::{HashSet, PinnedSet};
use crate::ParIter;

/// What [`ParIter`] yields, without the units.
type Element<'s, T> = fn((&'s T, &'s ())) -> &'s T;

/// All elements, as [`iter`](PinnedSet::iter) yields them (C2), to as many threads as there are; see the map's sessions.
///
/// ```
/// use rayon::prelude::*;
///
/// let set: tidymap::HashSet<u64> = (0..1000u64).into_par_iter().collect();
/// let session = set.pin();
/// assert_eq!(session.par_iter().filter(|n| *n % 2 == 0).count(), 500);
/// ```
impl<'s, T: Sync, S> IntoParallelIterator for &'s PinnedSet<'_, T, S> {
    type Item = &'s T;
    type Iter = Map<ParIter<'s, T, ()>, Element<'s, T>>;

    fn into_par_iter(self) -> Self::Iter {
        let element: Element<'s, T> = |(value, ())| value;
        self.as_map().into_par_iter().map(element)
    }
}

/// By value. The elements are taken out by the calling thread, before the others begin.
impl<T: Send, S> IntoParallelIterator for HashSet<T, S> {
    type Item = T;
    type Iter = rayon::vec::IntoIter<T>;

    fn into_par_iter(self) -> Self::Iter {
        self.into_iter().collect::<Vec<_>>().into_par_iter()
    }
}

/// Made by several threads, inserted by the caller, in order: of equal elements the first stays.
impl<T, S> FromParallelIterator<T> for HashSet<T, S>
where
    T: Eq + Hash + Send,
    S: BuildHasher + Default,
{
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(values: I) -> Self {
        let mut set = Self::default();
        set.par_extend(values);
        set
    }
}

/// Made by several threads, inserted by the caller, in order: of equal elements the first stays.
impl<T, S> ParallelExtend<T> for HashSet<T, S>
where
    T: Eq + Hash + Send,
    S: BuildHasher,
{
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, values: I) {
        let lists: LinkedList<Vec<T>> = values.into_par_iter().collect_vec_list();
        let expected = lists.iter().map(Vec::len).sum::<usize>();
        self.reserve(if self.is_empty() { expected } else { expected.div_ceil(2) });
        self.insert_many(lists.into_iter().flatten());
    }
}
