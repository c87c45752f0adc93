//! Nor one with values that any thread may use, but only one may drop.

use std::sync::MutexGuard;

fn share<T: Sync>(_: &T) {}

fn main() {
    share(&tidymap::HashMap::<u64, MutexGuard<'static, u64>>::new());
}
