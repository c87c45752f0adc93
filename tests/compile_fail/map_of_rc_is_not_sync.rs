//! Threads cannot share a map with values that belong to one of them.

fn share<T: Sync>(_: &T) {}

fn main() {
    share(&tidymap::HashMap::<u64, std::rc::Rc<String>>::new());
    share(&tidymap::HashMap::<std::rc::Rc<String>, u64>::new());
}
