//! What the hook is given may borrow; the hook may not keep it for longer.

use std::sync::Mutex;

static KEPT: Mutex<Vec<tidymap::Reclaimed<u64, &'static str>>> = Mutex::new(Vec::new());

fn main() {
    let text = String::from("short-lived");
    let hook = |reclaimed| KEPT.lock().unwrap().push(reclaimed);
    tidymap::HashMap::<u64, &str>::builder().on_reclaim(hook).build().insert(1, &text);
}
