fn main() {
    let map = tidymap::HashMap::from([(1, "one")]);
    let session = map.pin();
    std::thread::scope(|scope| {
        scope.spawn(move || session.get(&1).is_some());
    });
}
