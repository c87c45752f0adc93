//! Values that live as long as somebody else uses them: interned strings, open files, connections that are shared.
//!
//! The map keeps a [`Weak`](std::sync::Weak) of each. Whoever asks gets the one that is in use, or makes a new one, in one step
//! ([`compute`](crate::HashMap::compute)); what nobody uses any more is swept.
//!
//! ```
//! use std::sync::{Arc, Weak};
//! use tidymap::{Compute, HashMap, Operation};
//!
//! #[derive(Default)]
//! struct Interner(HashMap<String, Weak<str>>);
//!
//! impl Interner {
//!     fn intern(&self, text: &str) -> Arc<str> {
//!         // Mostly it is there: without a lock, and without a copy of the text.
//!         if let Some(known) = self.0.read(text, |_, weak| weak.upgrade()).flatten() {
//!             return known;
//!         }
//!         let new: Arc<str> = text.into();
//!         let interned = self.0.compute(text.into(), |old| match old.and_then(|(_, weak)| weak.upgrade()) {
//!             // Another thread was faster.
//!             Some(known) => Operation::Abort(known),
//!             None => Operation::Insert(Arc::downgrade(&new)),
//!         });
//!         match interned {
//!             Compute::Aborted(known) => known,
//!             _ => new,
//!         }
//!     }
//!
//!     /// Forgets what nobody uses. One that is used again meanwhile is not there any more, so it gets a new value.
//!     fn sweep(&self) {
//!         self.0.retain(|_, weak| weak.strong_count() > 0);
//!     }
//! }
//!
//! let interner = Interner::default();
//! let first = interner.intern("tidy");
//! assert!(Arc::ptr_eq(&first, &interner.intern("tidy")));
//! interner.intern("untidy");
//! interner.sweep();
//! assert_eq!(interner.0.len(), 1);
//! ```
//!
//! So that nobody has to sweep, let the value's own destructor remove its key, if it is still its own ([`remove_if`](crate::HashMap::remove_if)).
