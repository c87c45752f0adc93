//! Everything that belongs to a tenant: listed, measured, and gone in one step.
//!
//! Maps of maps are where memory stays behind: the inner map of a user who has left is empty and still there, and who takes it away may take somebody's
//! insert with it. A [`NestedMap`](crate::NestedMap) has an inner map for as long as it has entries.
//!
//! ```
//! use tidymap::NestedMap;
//!
//! /// A lock on a row, given back by its destructor.
//! struct Lock(&'static str);
//!
//! impl Drop for Lock {
//!     fn drop(&mut self) {
//!         println!("{} is free", self.0);
//!     }
//! }
//!
//! let locks: NestedMap<u64, &str, Lock> = NestedMap::new();
//!
//! // Transaction 7 takes locks; the first brings the transaction.
//! for row in ["accounts/1", "accounts/2", "audit"] {
//!     locks.insert(7, row, Lock(row));
//! }
//! locks.insert(8, "audit", Lock("audit"));
//!
//! // What it holds, under one guard.
//! let session = locks.pin();
//! let seven = session.inner(&7).expect("it has locks");
//! let mut rows: Vec<_> = seven.iter().map(|(_, lock)| lock.0).collect();
//! rows.sort();
//! assert_eq!(rows, ["accounts/1", "accounts/2", "audit"]);
//! assert!(seven.heap().total() > 0); // and how much memory that is
//! drop(session);
//!
//! // It gives one back before its end ...
//! locks.remove(&7, "audit");
//! // ... and the others when it commits: when this returns they have been dropped, unless somebody was looking.
//! assert_eq!(locks.remove_outer(&7), 2);
//! assert_eq!(locks.stats().pending.entries, 0);
//!
//! // The last lock of a transaction takes it away.
//! locks.remove(&8, "audit");
//! assert!(locks.is_empty());
//! ```
//!
//! Where nobody lists or removes by the first key, a [`HashMap`](crate::HashMap) with pairs as keys reads faster and is smaller.
