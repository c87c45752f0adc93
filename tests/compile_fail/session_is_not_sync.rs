//! Threads cannot share a session: each operation uses what its thread keeps for the map.

fn share<T: Sync>(_: &T) {}

fn main() {
    let map = tidymap::HashMap::<u64, u64>::new();
    share(&map.pin());
}
