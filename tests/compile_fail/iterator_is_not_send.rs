//! An iterator belongs to the thread of its session.

fn send<T: Send>(_: T) {}

fn main() {
    let map = tidymap::HashMap::<u64, u64>::new();
    let session = map.pin();
    send(session.iter());
}
