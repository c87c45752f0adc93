//! A reference to what was removed cannot outlive the session either.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let removed = map.pin().remove(&1);
    println!("{removed:?}");
}
