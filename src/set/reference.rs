//! What one-shot operations return: elements, each with the guard that keeps it.

use std::fmt;
use std::ops::Deref;

use crate::{Ref, Removed};

/// An element of a set, kept from being dropped for as long as this lives. Derefs to the element.
///
/// It is a live guard: whatever is removed from the set meanwhile waits for it. Not `Send`.
///
/// ```
/// let set = tidymap::HashSet::from(["one".to_owned()]);
/// let one = set.get("one").unwrap();
/// set.remove("one");
/// assert_eq!(one.len(), 3, "still there to be seen");
/// ```
pub struct ElementRef<'m, T> {
    pair: Ref<'m, T, ()>,
}

impl<'m, T> ElementRef<'m, T> {
    pub(super) fn new(pair: Ref<'m, T, ()>) -> Self {
        ElementRef { pair }
    }
}

/// An element that was removed by [`HashSet::take`](crate::HashSet::take). Derefs to the element, like an [`ElementRef`], and may be
/// taken by value.
///
/// It is a live guard. Not `Send`.
pub struct Taken<'m, T> {
    pair: Removed<'m, T, ()>,
}

impl<'m, T> Taken<'m, T> {
    pub(super) fn new(pair: Removed<'m, T, ()>) -> Self {
        Taken { pair }
    }

    /// The element by value, if nobody else looks: if no other guard is live that could have found it before it was removed.
    ///
    /// Never waits. O(threads that have used the set).
    ///
    /// # Errors
    /// If another guard is live that could see the element, or if the removal met a writer at the tables; see
    /// [`Removed::try_into_owned`]. Then this is as it was. [`HashSet::take_owned`](crate::HashSet::take_owned) waits instead.
    ///
    /// ```
    /// let set = tidymap::HashSet::from(["one".to_owned()]);
    /// let session = set.pin();
    /// let one = set.take("one").unwrap();
    /// let one = one.try_into_owned().expect_err("the session may look");
    /// drop(session);
    /// assert_eq!(one.try_into_owned().unwrap(), "one".to_owned());
    /// ```
    pub fn try_into_owned(self) -> Result<T, Self> {
        self.pair.try_into_owned().map(|(element, ())| element).map_err(Taken::new)
    }
}

impl<'m, T> From<Taken<'m, T>> for ElementRef<'m, T> {
    fn from(taken: Taken<'m, T>) -> Self {
        ElementRef::new(taken.pair.into())
    }
}

/// The traits of what stands for an element.
macro_rules! stands_for_an_element {
    ($($name:ident),*) => {
        $(
            impl<T> Deref for $name<'_, T> {
                type Target = T;

                fn deref(&self) -> &T {
                    self.pair.key()
                }
            }

            impl<T: fmt::Debug> fmt::Debug for $name<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_tuple(stringify!($name)).field(&**self).finish()
                }
            }

            impl<T: fmt::Display> fmt::Display for $name<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    T::fmt(self, f)
                }
            }
        )*
    };
}
stands_for_an_element!(ElementRef, Taken);
