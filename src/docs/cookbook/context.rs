//! The context of a request: values that every part of it may add to and read, which a child inherits and may hide.
//!
//! Each context has a map of its own, and looks in its parent's for what it has not. A fork costs nothing until something is put into it: an empty map allocates
//! nothing (M1). When the last part of a request is done, its values are dropped, with the map.
//!
//! ```
//! use std::borrow::Cow;
//! use std::sync::Arc;
//! use tidymap::HashMap;
//!
//! #[derive(Clone, Default)]
//! struct Context(Arc<Inner>);
//!
//! #[derive(Default)]
//! struct Inner {
//!     own: HashMap<Cow<'static, str>, String>,
//!     parent: Option<Context>,
//! }
//!
//! impl Context {
//!     /// A child, which sees what this one has, now and later.
//!     fn fork(&self) -> Context {
//!         Context(Arc::new(Inner { parent: Some(self.clone()), ..Inner::default() }))
//!     }
//!
//!     fn set(&self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
//!         self.0.own.insert(name.into(), value.into());
//!     }
//!
//!     fn get(&self, name: &str) -> Option<String> {
//!         let own = self.0.own.get_cloned(name);
//!         own.or_else(|| self.0.parent.as_ref()?.get(name))
//!     }
//! }
//!
//! let request = Context::default();
//! request.set("user", "alice");
//! let retry = request.fork();
//! retry.set("attempt", "2");
//! std::thread::scope(|scope| {
//!     scope.spawn(|| request.set("trace", "a1b2"));
//! });
//! assert_eq!(retry.get("user").as_deref(), Some("alice"));
//! assert_eq!(retry.get("trace").as_deref(), Some("a1b2"));
//! retry.set("user", "bob");
//! assert_eq!(request.get("user").as_deref(), Some("alice"), "hidden for the child only");
//! assert_eq!(request.get("attempt"), None);
//! ```
