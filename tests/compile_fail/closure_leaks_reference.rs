//! What a closure is given to read, it cannot keep.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let mut kept = None;
    map.read(&1, |_, value| kept = Some(value));
    println!("{kept:?}");
}
