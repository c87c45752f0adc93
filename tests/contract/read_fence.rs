//! Who executes the fence between a read and a removal: what was chosen, and by `Auto` those who are met at rest.

use std::thread;

use tidymap::{HashMap, ReadFence};

fn map(read_fence: ReadFence) -> HashMap<u64, u64> {
    let map = HashMap::builder().read_fence(read_fence).build();
    map.insert(1, 1);
    map
}

/// Else there is no barrier for the whole process, and all maps are fenced.
fn has_choice() -> bool {
    !map(ReadFence::Never).stats().read_fence
}

#[test]
fn what_was_chosen_stays() {
    assert!(map(ReadFence::Always).stats().read_fence);
    let never = map(ReadFence::Never);
    let before = never.stats().read_fence;
    thread::scope(|scope| scope.spawn(|| assert!(never.get(&1).is_some())).join().unwrap());
    (0..1000).for_each(|value| drop(never.insert(1, value)));
    assert_eq!(never.stats().read_fence, before);
    if cfg!(all(target_os = "linux", target_arch = "x86_64", not(miri))) {
        assert!(!before, "Linux has the barrier");
    }
}

#[test]
fn a_map_of_one_thread_stays_without() {
    let map = map(ReadFence::Auto);
    (0..10_000).for_each(|value| drop(map.insert(1, value)));
    assert_eq!(map.stats().read_fence, !has_choice());
}

#[test]
fn a_map_that_is_written_all_the_time_makes_only_those_fence_that_rest() {
    let map = map(ReadFence::Auto);
    thread::scope(|scope| scope.spawn(|| assert!(map.get(&1).is_some())).join().unwrap());
    (0..10_000).for_each(|value| drop(map.insert(1, value)));
    assert_eq!(map.stats().read_fence, !has_choice(), "who writes does not rest");
    // Another writes, and finds this thread at rest; its own first use is fenced, and no other.
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..1000).for_each(|value| drop(map.insert(1, value)));
            assert_eq!(map.stats().read_fence, !has_choice());
        });
    });
    // This thread was met at rest. The other one rests now, and is met like that by the next overwriting.
    assert!(map.get(&1).is_some());
    drop(map.insert(1, 0));
    assert!(map.stats().read_fence);
    // Nobody writes any more, and some hundred reads are enough.
    (0..1000).for_each(|_| assert!(map.get(&1).is_some()));
    assert_eq!(map.stats().read_fence, !has_choice());
}
