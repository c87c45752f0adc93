//! A map is its own again when the iterator has gone.

fn main() {
    let mut map = tidymap::HashMap::from([(1, String::from("one"))]);
    let mut pairs = map.drain();
    pairs.next();
    map.insert(2, String::new());
    drop(pairs);
}
