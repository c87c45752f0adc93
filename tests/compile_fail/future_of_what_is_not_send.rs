//! A task that moves between threads cannot run destructors that must stay on one.

fn send<T: Send>(_: T) {}

fn main() {
    let map = tidymap::HashMap::<u64, std::rc::Rc<u64>>::new();
    send(map.reclaim_async());
}
