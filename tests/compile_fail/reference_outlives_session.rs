//! A reference cannot outlive its session.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let session = map.pin();
    let value = session.get(&1);
    drop(session);
    println!("{value:?}");
}
