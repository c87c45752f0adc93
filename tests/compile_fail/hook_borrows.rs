//! The hook lives as long as any clone of the map.

use std::sync::Mutex;

fn main() {
    let gone = Mutex::new(Vec::new());
    let hook = |reclaimed| gone.lock().unwrap().push(reclaimed);
    tidymap::HashMap::<u64, u64>::builder().on_reclaim(hook).build().insert(1, 1);
}
