//! And by several at once.

fn main() {
    let count = std::cell::Cell::new(1);
    let _ = tidymap::HashMap::<u64, u64>::builder().on_reclaim(move |_| count.set(count.get() + 1));
}
