//! Nor can an iterator.

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let mut session = map.pin();
    let mut pairs = session.iter();
    session.refresh();
    println!("{:?}", pairs.next());
}
