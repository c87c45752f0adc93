use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use equivalent::Equivalent;

use super::super::bucket::between_stores;
use super::super::{Core, Hash, Limits};

/// Looks for a key. When it meets another one it says so, and waits.
struct StopsAtOther {
    key: u64,
    met: Sender<()>,
    goes_on: Receiver<()>,
}

impl Equivalent<u64> for StopsAtOther {
    fn equivalent(&self, key: &u64) -> bool {
        if *key != self.key {
            self.met.send(()).expect("somebody is waiting for this");
            self.goes_on.recv().expect("somebody says so");
        }
        *key == self.key
    }
}

/// A reader has seen the tags of two keys with one hash, and compares the first, when the second is removed and inserted again. It
/// comes to that one's slot when the pointer is there already, and the tag is not.
#[test]
fn c1_a_slot_used_again_shows_its_entry_to_all_at_the_same_time() {
    let (hash, core) = (Hash::new(1), Arc::new(Core::<u64, u64>::new(Limits::NONE, None)));
    let get = move |core: &Core<u64, u64>, key: &u64| core.get(&core.guard(), hash, key).map(|pair| *pair.value);
    core.insert(&core.guard(), hash, 1, 10);
    core.insert(&core.guard(), hash, 2, 20);
    let ((met, has_met), (go_on, goes_on)) = (channel(), channel());
    let reader = {
        let core = core.clone();
        let key = StopsAtOther { key: 2, met, goes_on };
        std::thread::spawn(move || core.get(&core.guard(), hash, &key).map(|pair| *pair.value))
    };
    has_met.recv().expect("the reader meets the first key");
    assert!(matches!(core.remove_if(&core.guard(), hash, &2, |_| true), Ok(Some(_))));
    let (say, said) = channel();
    let same = core.clone();
    between_stores::set(move || {
        go_on.send(()).expect("the reader waits");
        let early = reader.join().expect("the reader reads");
        say.send((early, get(&same, &2))).expect("the test waits");
    });
    assert!(core.insert(&core.guard(), hash, 2, 21).is_none());
    let (early, later) = said.try_recv().expect("the slot was used again");
    assert_eq!((early, later), (None, None), "what one has seen, all see who come later");
    assert_eq!(get(&core, &2), Some(21));
}

#[test]
fn c3_the_length_is_that_of_a_moment_whoever_comes_and_goes() {
    const ROUNDS: usize = if cfg!(miri) { 200 } else { 100_000 };
    let core = Core::<u64, u64>::new(Limits::NONE, None);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..ROUNDS as u64 {
                let (guard, hash) = (core.guard(), Hash::new(round % 2));
                core.insert(&guard, hash, round % 2, round);
                assert!(matches!(core.remove_if(&guard, hash, &(round % 2), |_| true), Ok(Some(_))));
            }
        });
        while !writer.is_finished() {
            assert!(core.len() <= 1, "there was one entry at a time");
        }
    });
    assert_eq!(core.len(), 0);
}
