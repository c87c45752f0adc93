//! A map with values that belong to a thread belongs to it, too.

fn send<T: Send>(_: T) {}

fn main() {
    send(tidymap::HashMap::<u64, std::rc::Rc<String>>::new());
}
