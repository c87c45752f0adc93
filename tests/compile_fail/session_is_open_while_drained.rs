//! What a session has given out would be dropped by another.

fn main() {
    let mut map = tidymap::HashMap::from([(1, String::from("one"))]);
    let session = map.pin();
    let one = session.get(&1);
    map.drain().for_each(drop);
    println!("{one:?}");
}
