//! Who has removed a pair drops it, or takes it.

fn send<T: Send>(_: T) {}

fn main() {
    let map = tidymap::HashMap::<u64, u64>::new();
    send(map.remove_entry(&1));
}
