//! An iterator, and what it has yielded, cannot outlive its session.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let (mut keys, first) = {
        let session = map.pin();
        (session.keys(), session.values().next())
    };
    println!("{:?} {first:?}", keys.next());
}
