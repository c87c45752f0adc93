use std::sync::atomic::{AtomicUsize, Ordering::*};
use tidymap::HashMap;
static LIVE: AtomicUsize = AtomicUsize::new(0);
struct D(u64);
impl D {
    fn new(n: u64) -> D {
        LIVE.fetch_add(1, SeqCst);
        D(n)
    }
}
impl Drop for D {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, SeqCst);
    }
}
#[test]
fn smoke() {
    let map = HashMap::new();
    for i in 0..10000u64 {
        assert!(map.insert(i, D::new(i)).is_none());
    }
    for i in 0..10000u64 {
        assert_eq!(map.get(&i).unwrap().0, i);
    }
    for i in 0..10000u64 {
        assert_eq!(map.insert(i, D::new(i + 1)).unwrap().0, i);
    }
    assert_eq!(LIVE.load(SeqCst), 10000);
    println!("{:?}", map.stats());
    assert_eq!(map.pin().iter().count(), 10000);
    for i in 0..10000u64 {
        assert_eq!(map.remove(&i).unwrap().0, i + 1);
        assert_eq!(LIVE.load(SeqCst) as u64, 9999 - i);
    }
    println!("{:?}", map.stats());
    std::thread::scope(|s| {
        for t in 0..4u64 {
            let map = &map;
            s.spawn(move || {
                for r in 0..20000u64 {
                    let k = (r * 7 + t) % 50;
                    match r % 3 {
                        0 => {
                            map.insert(k, D::new(k));
                        }
                        1 => {
                            if let Some(v) = map.get(&k) {
                                assert_eq!(v.0, k);
                            }
                        }
                        _ => {
                            map.remove(&k);
                        }
                    }
                }
            });
        }
    });
    println!("{:?}", map.stats());
    assert_eq!(LIVE.load(SeqCst), map.len());
    drop(map);
    assert_eq!(LIVE.load(SeqCst), 0);
}
