//! What a one-shot call on a map of maps returns borrows from the map.

fn main() {
    let map = tidymap::NestedMap::<u64, u64, String>::new();
    let value = map.get(&1, &2);
    drop(map);
    println!("{value:?}");
}
