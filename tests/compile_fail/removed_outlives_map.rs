//! A removed pair is in the map's memory until it is taken by value.

fn main() {
    let removed = {
        let map = tidymap::HashMap::<u64, String>::new();
        map.remove_entry(&1)
    };
    println!("{removed:?}");
}
