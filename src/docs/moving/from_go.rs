//! From Go's `sync.Map`, method by method. (Its names find these in the documentation's search: they are aliases.)
//!
//! | `sync.Map` | [`HashMap`](crate::HashMap) | |
//! |---|---|---|
//! | `Load(k)` | [`get`](crate::HashMap::get), [`get_cloned`](crate::HashMap::get_cloned), [`read`](crate::HashMap::read) | |
//! | `Store(k, v)` | [`insert`](crate::HashMap::insert) | |
//! | `Swap(k, v)` | [`insert`](crate::HashMap::insert) | returns the value from before |
//! | `LoadOrStore(k, v)` | [`get_or_insert`](crate::HashMap::get_or_insert), [`try_insert`](crate::HashMap::try_insert) | the second says which of the two it was: `Ok`, stored; `Err`, loaded |
//! | `LoadAndDelete(k)` | [`remove`](crate::HashMap::remove) | |
//! | `Delete(k)` | [`remove`](crate::HashMap::remove) | |
//! | `CompareAndSwap(k, old, new)` | [`compare_exchange`](crate::HashMap::compare_exchange) | |
//! | `CompareAndDelete(k, old)` | [`remove_if`](crate::HashMap::remove_if) | by any condition. Go's `deleted` is `matches!(…, Ok(Some(_)))`: of an absent key it is `Ok(None)` |
//! | `Range(f)` | [`pin`](crate::HashMap::pin), and [`iter`](crate::Pinned::iter) | `break` instead of `return false` |
//! | `Clear()` | [`clear`](crate::HashMap::clear) | |
//! | `sync.OnceValue` a key, `singleflight.Do` | [`get_or_init`](crate::HashMap::get_or_init) | |
//!
//! ```
//! use tidymap::HashMap;
//!
//! let m = HashMap::new();
//! m.insert("a", 1); // Store
//! assert_eq!(m.get("a").as_deref(), Some(&1)); // Load
//! assert_eq!(m.insert("a", 2).as_deref(), Some(&1)); // Swap
//! assert_eq!(*m.get_or_insert("b", 3), 3); // LoadOrStore
//! assert!(m.compare_exchange("a", &2, 4).is_ok()); // CompareAndSwap
//! assert!(m.remove_if("a", |_, value| *value == 5).is_err()); // CompareAndDelete
//! assert_eq!(m.remove("b").as_deref(), Some(&3)); // LoadAndDelete
//! for (key, value) in &m.pin() {
//!     assert_eq!((key, value), (&"a", &4)); // Range
//! }
//! m.clear(); // Clear
//! assert!(m.is_empty());
//! ```
//!
//! # What is different
//!
//! - **Keys and values have types**, and are not boxed: numbers and small structures lie in the entry itself.
//! - **Removed keys are gone.** `sync.Map` keeps a deleted key until its next promotion, and its tables never shrink. Here key and value are dropped at a moment that is known
//!   (R1, R2), and memory goes back by itself (M2).
//! - **A value that is found is borrowed**, from a [`Ref`](crate::Ref) or a session, for as long as it is looked at. Go's collector keeps what anybody holds; here what is held keeps the map from dropping
//!   what is removed meanwhile, so hold it briefly, or clone an [`Arc`](std::sync::Arc).
//! - `Range` in Go may meet a key that is stored again twice or not at all; an iteration here yields what is there throughout exactly once (C2), and never a key twice.
//! - There is a length: [`len`](crate::HashMap::len).
//!
//! Shape and growth are those of `sync.Map` as it was until Go 1.23: a table for readers, a dirty one for new keys, promotion after enough misses. So a habit stays: keys that are
//! written once and read often are fastest.
