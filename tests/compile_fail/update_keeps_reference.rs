//! What closures of `update`, `compute` and `retain` are given they cannot keep either.

use tidymap::Operation;

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let kept = std::cell::Cell::new(None);
    map.update(&1, |value| {
        kept.set(Some(value));
        String::new()
    });
    map.compute(1, |pair| {
        kept.set(pair.map(|(_, value)| value));
        Operation::<String, ()>::Remove
    });
    map.retain(|_, value| {
        kept.set(Some(value));
        true
    });
}
