//! A task that waits for a map cannot outlive it.

fn main() {
    let future = {
        let map = tidymap::HashMap::<u64, String>::new();
        map.reclaim_async()
    };
    drop(future);
}
