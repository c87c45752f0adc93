//! A reference to a removed value cannot outlive the taking of the pair.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let removed = map.remove_entry(&1).unwrap();
    let value: &str = removed.value();
    let pair = removed.try_into_owned();
    println!("{value} {pair:?}");
}
