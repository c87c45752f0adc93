//! Nor one with values that only one thread at a time may use.

fn share<T: Sync>(_: &T) {}

fn main() {
    share(&tidymap::HashMap::<u64, std::cell::Cell<u64>>::new());
}
