//! Who leaks a session to keep a reference for as long as the map is borrowed has no map to change.

fn main() {
    let mut map = tidymap::HashMap::from([(1, String::from("one"))]);
    let session = Box::leak(Box::new(map.pin()));
    let one = session.get(&1);
    map.remove_mut(&1);
    println!("{one:?}");
}
