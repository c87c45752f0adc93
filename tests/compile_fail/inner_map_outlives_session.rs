//! What belongs to an outer key is borrowed from the session.

fn main() {
    let map = tidymap::NestedMap::<u64, u64, String>::new();
    let session = map.pin();
    let inner = session.inner(&1);
    drop(session);
    println!("{inner:?}");
}
