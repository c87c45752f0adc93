//! A reference taken out of a `Ref` cannot outlive it.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let value: &str = map.get(&1).unwrap().as_str();
    println!("{value:?}");
}
