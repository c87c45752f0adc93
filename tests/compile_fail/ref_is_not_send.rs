fn main() {
    let map = tidymap::HashMap::from([(1, "one")]);
    let one = map.get(&1);
    std::thread::scope(|scope| {
        scope.spawn(move || one.is_some());
    });
}
