//! P1 and P2: what goes on while another thread holds the writer mutex.

use std::sync::mpsc;
use std::sync::{Barrier, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use tidymap::HashMap;

use crate::support::stall_at_allocation;

/// A writer that is caught in the allocation of a table, with the mutex in its hands.
static CAUGHT: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
static RELEASE: Mutex<Option<mpsc::Receiver<()>>> = Mutex::new(None);

#[test]
fn p1_p2_reads_overwrites_and_removals_do_not_wait_for_a_writer() {
    let map = HashMap::new();
    for key in 0..1000 {
        map.insert(key, key);
    }
    map.shrink_to_fit();
    // Some in the dirty table, so that misses have to look there, too.
    for key in 1000..1010 {
        map.insert(key, key);
    }
    let (release, released) = mpsc::channel();
    *RELEASE.lock().unwrap() = Some(released);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            stall_at_allocation(1 << 20, || {
                CAUGHT.wait();
                let released = RELEASE.lock().unwrap().take().expect("caught once");
                // If the others had to wait for us, nobody would release us: do not hang, but fail.
                released.recv_timeout(Duration::from_secs(60)).expect("nothing waits for the writer");
            });
            map.reserve(1_000_000);
        });
        CAUGHT.wait();
        // P1: hits and misses, more than a thread needs to try a promotion; iteration.
        for key in 0..4000 {
            assert_eq!(map.get(&key).map(|value| *value), (key < 1010).then_some(key));
        }
        let session = map.pin();
        assert_eq!(session.iter().count(), 1010);
        assert!(session.get(&5000).is_none());
        drop(session);
        // P2: overwrites and removals of existing keys, in both tables.
        for key in [1, 2, 1005, 1006] {
            assert_eq!(map.insert(key, 0).map(|old| *old), Some(key));
            assert_eq!(map.update(&key, |value| value + 1).map(|new| *new), Some(1));
            assert!(map.compare_exchange(&key, &1, 2).is_ok());
        }
        for key in [1, 1005, 500] {
            assert!(map.remove(&key).is_some());
            assert!(map.get(&key).is_none());
        }
        assert_eq!(map.len(), 1007);
        // The writer will complete this one, and drop it: nobody else gets it.
        let removed = map.remove_entry(&501).unwrap().try_into_owned().unwrap_err();
        assert_eq!((removed.key(), removed.value()), (&501, &501));
        drop(removed);
        release.send(()).unwrap();
        writer.join().unwrap();
    });
    // What was removed while the mutex was taken has been unlinked and dropped by its holder.
    let stats = map.stats();
    assert_eq!((stats.read_len + stats.dirty_len, stats.pending.entries), (1006, 0));
}

/// Who has the mutex may be linking a key: one that the copy has passed over, and others find before its moment.
#[cfg(feature = "arc-swap")]
#[test]
fn c2_a_copy_waits_for_who_may_be_linking_a_key() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CAUGHT: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
    static RELEASED: AtomicBool = AtomicBool::new(false);
    let map: HashMap<u64, u64> = (0..1000).map(|key| (key, key)).collect();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            stall_at_allocation(1 << 20, || {
                CAUGHT.wait();
                // Time enough for the copy to be made, if it does not wait.
                thread::sleep(Duration::from_millis(50));
                RELEASED.store(true, Ordering::SeqCst);
            });
            map.reserve(1_000_000);
        });
        CAUGHT.wait();
        assert!(map.publish().is_exact());
        assert!(RELEASED.load(Ordering::SeqCst), "it has not waited");
        writer.join().unwrap();
    });
}
