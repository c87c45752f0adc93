//! A map cannot be extended in place, which takes it exclusively, while a session is open.

fn main() {
    let mut map = tidymap::HashMap::<u64, String>::new();
    let session = map.pin();
    map.extend([(1, String::new())]);
    println!("{:?}", session.get(&1));
}
