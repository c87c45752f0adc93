//! The operations on `&HashSet`, each under a guard of its own.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use super::{ElementRef, HashSet, Taken};
use crate::ReclaimError;

impl<T, S> HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    /// Is there an element equal to `value`?
    ///
    /// Linearizes at the load of the element's word, or, if there is none, at a moment of the call at which it was absent. O(1) on average;
    /// waits for nothing, and costs what [`HashMap::get`](crate::HashMap::get) does.
    ///
    /// ```
    /// let set = tidymap::HashSet::from(["one".to_owned()]);
    /// assert!(set.contains("one"));
    /// assert!(!set.contains("two"));
    /// ```
    #[doc(alias = "contains_key")]
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains<Q>(&self, value: &Q) -> bool
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.map.contains_key(value)
    }

    /// The element equal to `value`, as it is stored. Like [`contains`](Self::contains).
    ///
    /// ```
    /// let set = tidymap::HashSet::from(["one".to_owned()]);
    /// let one: String = set.get("one").unwrap().clone();
    /// assert!(set.get("two").is_none());
    /// ```
    #[inline]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get<Q>(&self, value: &Q) -> Option<ElementRef<'_, T>>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.map.get(value).map(ElementRef::new)
    }

    /// Inserts `value`, and returns whether it is new. If an element equal to it is there, that stays, and `value` is dropped: before the call
    /// returns, outside its guard.
    ///
    /// Linearizes at the link of the new element, which waits for other writers, or like [`contains`](Self::contains) if it is there, which waits for
    /// nothing and allocates nothing. Never waits for room under a [cap on garbage](crate::Builder::max_pending). O(1) on average.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory. So do all calls that may insert.
    ///
    /// ```
    /// let set = tidymap::HashSet::new();
    /// assert!(set.insert(1));
    /// assert!(!set.insert(1));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert(&self, value: T) -> bool {
        self.map.insert_or_refuse(value, ()).is_ok()
    }

    /// The element equal to `value`, which is inserted if there is none. Linearizes like [`insert`](Self::insert); if `value` is
    /// not needed, it is dropped before the call returns, under its guard.
    ///
    /// ```
    /// let names = tidymap::HashSet::new();
    /// let first: *const String = &*names.get_or_insert("tidy".to_owned());
    /// let again: *const String = &*names.get_or_insert("tidy".to_owned());
    /// assert_eq!(first, again, "one copy of each");
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_or_insert(&self, value: T) -> ElementRef<'_, T> {
        ElementRef::new(self.map.get_or_insert(value, ()))
    }

    /// Inserts all of these that are not there, and returns how many were new.
    ///
    /// What a loop of [`insert`](Self::insert) does, with fewer instructions: of equal elements the first one stays, and each linearizes by
    /// itself, but others may see different ones come in another order. Goes by groups of 64, which it takes out of `values` before it
    /// inserts the first of them; the new ones of a group are linked together. So other writers wait for no more than a group, and this
    /// one, like `insert`, for other writers. What is not needed is dropped when it is come to. No guard is held
    /// while `values` makes the next ones.
    ///
    /// # Panics
    /// As [`insert`](Self::insert). If that, `values`, `Hash`, `Eq` or a destructor panics, up to 64 elements that were taken out have not
    /// been inserted, and are dropped.
    ///
    /// ```
    /// let set = tidymap::HashSet::from([1]);
    /// assert_eq!(set.insert_many([1, 2, 3, 3]), 2);
    /// assert_eq!(set.len(), 3);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert_many(&self, values: impl IntoIterator<Item = T>) -> usize {
        self.map.try_insert_many(values.into_iter().map(|value| (value, ())))
    }

    /// Removes the element equal to `value`, and returns whether it was there.
    ///
    /// When the call returns, the element has been dropped, unless another guard was live (R1). Linearizes at the compare-and-swap that kills the
    /// entry; waits for nothing, but for room if there is a [cap on garbage](crate::Builder::max_pending). O(1) on average (P3).
    ///
    /// ```
    /// let set = tidymap::HashSet::from(["one".to_owned()]);
    /// assert!(set.remove("one"));
    /// assert!(!set.remove("one"));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove<Q>(&self, value: &Q) -> bool
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.map.remove(value).is_some()
    }

    /// Removes the element equal to `value` and returns it, to be [taken by value](Taken::try_into_owned) if nobody else looks. Otherwise like
    /// [`remove`](Self::remove): the element is dropped with what is returned, unless another guard was live.
    ///
    /// ```
    /// let set = tidymap::HashSet::from(["one".to_owned()]);
    /// let one = set.take("one").unwrap();
    /// assert_eq!(one.len(), 3);
    /// assert_eq!(one.try_into_owned().unwrap(), "one".to_owned());
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn take<Q>(&self, value: &Q) -> Option<Taken<'_, T>>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.map.remove_entry(value).map(Taken::new)
    }

    /// Removes the element equal to `value`, waits until no guard can see it any more, and returns it by value (R9).
    ///
    /// Linearizes, and waits, as [`HashMap::remove_owned`](crate::HashMap::remove_owned) does.
    ///
    /// # Errors
    /// At once, and with nothing removed, if this thread holds a guard on the set: it would wait for itself.
    /// A session of [`pin_owned`](crate::HashMap::pin_owned) is no thread's and gives no error, also if the caller owns it: the call waits until
    /// somebody ends it. End it first.
    ///
    /// ```
    /// use tidymap::{HashSet, ReclaimError};
    ///
    /// let set = HashSet::from(["one".to_owned()]);
    /// let one = set.get("one");
    /// assert_eq!(set.take_owned("one"), Err(ReclaimError::GuardHeld));
    /// drop(one);
    /// assert_eq!(set.take_owned("one"), Ok(Some("one".to_owned())));
    /// assert_eq!(set.take_owned("one"), Ok(None));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn take_owned<Q>(&self, value: &Q) -> Result<Option<T>, ReclaimError>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        Ok(self.map.remove_owned(value)?.map(|(element, ())| element))
    }

    /// Removes the elements equal to these, and returns how many were there.
    ///
    /// What a loop of [`remove`](Self::remove) does, with fewer instructions, by groups of 64; see
    /// [`HashMap::remove_many`](crate::HashMap::remove_many).
    ///
    /// # Panics
    /// If `values`, `Hash`, `Eq` or a destructor panics, up to 64 elements whose equals were taken out have not been removed.
    ///
    /// ```
    /// let set: tidymap::HashSet<_> = (0..10).collect();
    /// assert_eq!(set.remove_many(&[1, 3, 5, 11]), 3);
    /// assert_eq!(set.len(), 7);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_many<'q, Q>(&self, values: impl IntoIterator<Item = &'q Q>) -> usize
    where
        Q: Hash + Equivalent<T> + ?Sized + 'q,
    {
        self.map.remove_many(values)
    }
}
