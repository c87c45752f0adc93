//! A reference cannot be used after its session was refreshed.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let mut session = map.pin();
    let value = session.get(&1);
    session.refresh();
    println!("{value:?}");
}
