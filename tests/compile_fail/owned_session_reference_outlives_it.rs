fn main() {
    let map = tidymap::HashMap::from([(1, "one".to_owned())]);
    let session = map.pin_owned();
    let removed = session.remove(&1);
    drop(session);
    println!("{removed:?}");
}
