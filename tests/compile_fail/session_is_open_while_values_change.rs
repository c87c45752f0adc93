//! What a session has given out would be changed behind its back.

fn main() {
    let mut map = tidymap::HashMap::from([(1, String::from("one"))]);
    let session = map.pin();
    for value in map.values_mut() {
        value.clear();
    }
    for (_, value) in map.iter_mut() {
        value.clear();
    }
    println!("{:?}", session.get(&1));
}
