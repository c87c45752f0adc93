//! A reference that a session on a map of maps gave out does not outlive its guard.

fn main() {
    let map = tidymap::NestedMap::<u64, u64, String>::new();
    let mut session = map.pin();
    let value = session.get(&1, &2);
    session.refresh();
    println!("{value:?}");
}
