use std::cell::Cell;

fn main() {
    let map = tidymap::HashMap::from([(1, Cell::new(1))]);
    let session = map.pin_owned();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(session));
    });
}
