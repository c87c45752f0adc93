//! A session cannot outlive its map.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let session = map.pin();
    drop(map);
    println!("{:?}", session.get(&1));
}
