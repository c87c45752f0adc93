//! A `Ref` cannot outlive its map.

fn main() {
    let value = {
        let map = tidymap::HashMap::<u64, String>::new();
        map.get(&1)
    };
    println!("{value:?}");
}
