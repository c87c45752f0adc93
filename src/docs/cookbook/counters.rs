//! A registry of counters: looked up at every event, added to once for each new name, and removed with whom they count for.
//!
//! The counters are values that can be changed through a shared reference, so that an event is a read of the map and an addition: no lock, and
//! nothing to reclaim.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
//! use tidymap::{Equivalent, HashMap};
//!
//! #[derive(PartialEq, Eq, Hash)]
//! struct Series {
//!     name: &'static str,
//!     tenant: String,
//! }
//!
//! /// What a series is looked up by: the same, hashed the same, without owning the tenant's name.
//! #[derive(Hash)]
//! struct Asked<'a> {
//!     name: &'static str,
//!     tenant: &'a str,
//! }
//!
//! impl Equivalent<Series> for Asked<'_> {
//!     fn equivalent(&self, series: &Series) -> bool {
//!         self.name == series.name && self.tenant == series.tenant
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Registry(HashMap<Series, AtomicU64>);
//!
//! impl Registry {
//!     fn count(&self, name: &'static str, tenant: &str) {
//!         let session = self.0.pin();
//!         let counter = session.get(&Asked { name, tenant });
//!         counter.unwrap_or_else(|| {
//!             let series = Series { name, tenant: tenant.to_owned() };
//!             session.get_or_insert_with(series, AtomicU64::default)
//!         })
//!         .fetch_add(1, Relaxed);
//!     }
//!
//!     fn forget(&self, tenant: &str) {
//!         self.0.retain(|series, _| series.tenant != tenant);
//!     }
//! }
//!
//! let registry = Registry::default();
//! std::thread::scope(|scope| {
//!     for _ in 0..4 {
//!         scope.spawn(|| (0..100).for_each(|_| registry.count("requests", "acme")));
//!     }
//! });
//! registry.count("requests", "initech");
//! assert_eq!(registry.0.read(&Asked { name: "requests", tenant: "acme" }, |_, count| count.load(Relaxed)), Some(400));
//! registry.forget("acme");
//! assert_eq!(registry.0.len(), 1);
//! ```
//!
//! An event that is counted while its tenant is forgotten may go with it: it held the counter, and counted there.
