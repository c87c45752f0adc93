//! The operations of two sets. What they promise is said at [`PinnedSet`].

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::Chain;
use std::ops::{BitAnd, BitOr, BitXor, Sub};

use super::{HashSet, PinnedSet, SetIter};

impl<T, S> PinnedSet<'_, T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    /// The elements of this set or of the other, each once: of two equal ones that of the larger set.
    ///
    /// O(capacity of both). Beside writers see [there](Self#two-sets).
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([2, 3]));
    /// let (a, b) = (a.pin(), b.pin());
    /// let mut union: Vec<_> = a.union(&b).collect();
    /// union.sort();
    /// assert_eq!(union, [&1, &2, &3]);
    /// ```
    pub fn union<'s>(&'s self, other: &'s PinnedSet<'_, T, S>) -> Union<'s, T, S> {
        let (large, small) = if self.len() >= other.len() { (self, other) } else { (other, self) };
        Union { elements: large.iter().chain(small.difference(large)) }
    }

    /// The elements of both this set and the other: those of the smaller one.
    ///
    /// O(capacity of the smaller one). Beside writers see [there](Self#two-sets).
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([2, 3]));
    /// let (a, b) = (a.pin(), b.pin());
    /// assert_eq!(a.intersection(&b).collect::<Vec<_>>(), [&2]);
    /// ```
    pub fn intersection<'s>(&'s self, other: &'s PinnedSet<'_, T, S>) -> Intersection<'s, T, S> {
        let (small, large) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        Intersection { elements: small.iter(), other: large }
    }

    /// The elements of this set that are not in the other.
    ///
    /// O(capacity of this set). Beside writers see [there](Self#two-sets).
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([2, 3]));
    /// let (a, b) = (a.pin(), b.pin());
    /// assert_eq!(a.difference(&b).collect::<Vec<_>>(), [&1]);
    /// ```
    pub fn difference<'s>(&'s self, other: &'s PinnedSet<'_, T, S>) -> Difference<'s, T, S> {
        Difference { elements: self.iter(), other }
    }

    /// The elements that are in one of the two sets only.
    ///
    /// O(capacity of both). Beside writers see [there](Self#two-sets).
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([2, 3]));
    /// let (a, b) = (a.pin(), b.pin());
    /// assert_eq!(a.symmetric_difference(&b).collect::<Vec<_>>(), [&1, &3]);
    /// ```
    pub fn symmetric_difference<'s>(&'s self, other: &'s PinnedSet<'_, T, S>) -> SymmetricDifference<'s, T, S> {
        SymmetricDifference { elements: self.difference(other).chain(other.difference(self)) }
    }

    /// Are all elements of this set in the other?
    ///
    /// Asks of one after the other, up to the first that is not: O(capacity of this set). So beside writers yes means that each element which
    /// was in this set throughout the call was in the other at a moment of it, and no, that one was found here and then not there.
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([1, 2, 3]));
    /// assert!(a.pin().is_subset(&b.pin()));
    /// ```
    pub fn is_subset(&self, other: &PinnedSet<'_, T, S>) -> bool {
        // Not by `len`, as std would say no at once: it still counts what others are just removing.
        self.difference(other).next().is_none()
    }

    /// Are all elements of the other set in this one? See [`is_subset`](Self::is_subset).
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([1, 2, 3]));
    /// assert!(b.pin().is_superset(&a.pin()));
    /// ```
    pub fn is_superset(&self, other: &PinnedSet<'_, T, S>) -> bool {
        other.is_subset(self)
    }

    /// Have the sets no element in common?
    ///
    /// Asks of one after the other of the smaller set, up to the first that is in both. Beside writers yes means that no element was in both
    /// throughout the call, and no, that one was found in the one and then in the other.
    ///
    /// ```
    /// let (a, b) = (tidymap::HashSet::from([1, 2]), tidymap::HashSet::from([3]));
    /// assert!(a.pin().is_disjoint(&b.pin()));
    /// ```
    pub fn is_disjoint(&self, other: &PinnedSet<'_, T, S>) -> bool {
        self.intersection(other).next().is_none()
    }
}

/// The elements of a set that are not in another: [`PinnedSet::difference`].
#[must_use = "iterators do nothing unless they are asked"]
pub struct Difference<'s, T, S> {
    elements: SetIter<'s, T>,
    other: &'s PinnedSet<'s, T, S>,
}

/// The elements of two sets that are in both: [`PinnedSet::intersection`].
#[must_use = "iterators do nothing unless they are asked"]
pub struct Intersection<'s, T, S> {
    elements: SetIter<'s, T>,
    other: &'s PinnedSet<'s, T, S>,
}

/// The elements of two sets: [`PinnedSet::union`].
#[must_use = "iterators do nothing unless they are asked"]
pub struct Union<'s, T, S> {
    elements: Chain<SetIter<'s, T>, Difference<'s, T, S>>,
}

/// The elements of two sets that are in one of them only: [`PinnedSet::symmetric_difference`].
#[must_use = "iterators do nothing unless they are asked"]
pub struct SymmetricDifference<'s, T, S> {
    elements: Chain<Difference<'s, T, S>, Difference<'s, T, S>>,
}

/// An iterator over elements, by how it finds the next one.
macro_rules! iterator {
    ($($name:ident: |$this:ident| $next:expr;)*) => {
        $(
            impl<'s, T, S> Iterator for $name<'s, T, S>
            where
                T: Eq + Hash,
                S: BuildHasher,
            {
                type Item = &'s T;

                fn next(&mut self) -> Option<&'s T> {
                    let $this = self;
                    $next
                }
            }

            impl<T, S> fmt::Debug for $name<'_, T, S> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*
    };
}

iterator! {
    Difference: |this| this.elements.find(|element| !this.other.contains(*element));
    Intersection: |this| this.elements.find(|element| this.other.contains(*element));
    Union: |this| this.elements.next();
    SymmetricDifference: |this| this.elements.next();
}

/// An operator on two sets, which makes a third: the session's call of that name, in sessions of its own.
macro_rules! operator {
    ($($operator:ident::$method:ident is $call:ident, $what:literal;)*) => {
        $(
            #[doc = concat!("A new set of ", $what, ", cloned: [`", stringify!($call), "`](PinnedSet::", stringify!($call), ").")]
            impl<T, S> $operator<&HashSet<T, S>> for &HashSet<T, S>
            where
                T: Clone + Eq + Hash,
                S: BuildHasher + Default,
            {
                type Output = HashSet<T, S>;

                #[cfg_attr(feature = "guard-locations", track_caller)]
                fn $method(self, other: &HashSet<T, S>) -> HashSet<T, S> {
                    let (ours, theirs) = (self.pin(), other.pin());
                    let made = ours.$call(&theirs).cloned().collect();
                    // Not at the end of the function: a destructor that panics there leaks what is returned.
                    drop((ours, theirs));
                    made
                }
            }
        )*
    };
}

operator! {
    BitOr::bitor is union, "the elements of either";
    BitAnd::bitand is intersection, "the elements of both";
    BitXor::bitxor is symmetric_difference, "the elements of one of them only";
    Sub::sub is difference, "the elements that the other has not";
}
