//! The standard library's atomics, but before each access shuttle chooses which thread goes on.
//!
//! Shuttle has atomics of its own. These are as large as what they hold, and zeros in memory if that is: tables and records are laid
//! out, cleared and searched as they are in a program. All accesses are sequentially consistent, as with shuttle's own.

use std::fmt;
use std::ops::Deref;

/// Lets shuttle choose.
fn step() {
    // One for each thread of the process: tests run executions on several.
    thread_local!(static NEVER_WRITTEN: shuttle::sync::atomic::AtomicBool = const { shuttle::sync::atomic::AtomicBool::new(false) });
    NEVER_WRITTEN.with(|atomic| atomic.load(super::Ordering::SeqCst));
}

macro_rules! scheduled {
    ($name:ident$(<$pointee:ident>)?, $value:ty) => {
        #[repr(transparent)]
        pub(crate) struct $name$(<$pointee>)?(std::sync::atomic::$name$(<$pointee>)?);

        impl$(<$pointee>)? $name$(<$pointee>)? {
            pub(crate) const fn new(value: $value) -> Self {
                Self(std::sync::atomic::$name::new(value))
            }
        }

        impl$(<$pointee>)? Default for $name$(<$pointee>)? {
            fn default() -> Self {
                Self(Default::default())
            }
        }

        impl$(<$pointee>)? fmt::Debug for $name$(<$pointee>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl$(<$pointee>)? Deref for $name$(<$pointee>)? {
            type Target = std::sync::atomic::$name$(<$pointee>)?;

            /// Every access goes through here.
            fn deref(&self) -> &Self::Target {
                step();
                &self.0
            }
        }
    };
}

scheduled!(AtomicPtr<T>, *mut T);
scheduled!(AtomicU8, u8);
scheduled!(AtomicU32, u32);
scheduled!(AtomicU64, u64);
scheduled!(AtomicUsize, usize);
