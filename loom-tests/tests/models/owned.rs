//! Sessions that belong to no thread: opened by one, used by others, ended by any.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, filled, long, play};
use tidymap::{HashMap, OwnedPinned};

type Session = OwnedPinned<'static, u64, Value, std::hash::BuildHasherDefault<loom_tests::AsIs>>;

/// An owned session, which keeps its map: threads of a model cannot borrow.
struct Wanderer {
    session: ManuallyDrop<Session>,
    _map: Arc<Map<Value>>,
}

impl Wanderer {
    fn of(map: &Arc<Map<Value>>) -> Wanderer {
        let session = map.pin_owned();
        // SAFETY: the map lives until `_map` is dropped, which is after the session.
        let session = unsafe { std::mem::transmute::<OwnedPinned<'_, _, _, _>, Session>(session) };
        Wanderer { session: ManuallyDrop::new(session), _map: map.clone() }
    }

    fn reads(&self) -> bool {
        self.session.get(&1).map(Value::number).is_some()
    }
}

impl Drop for Wanderer {
    fn drop(&mut self) {
        // SAFETY: dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.session) };
    }
}

/// One thread opens a session, another one reads in it and ends it, while a third removes what it reads: the last one to have seen it drops it, and
/// nobody needs to call anything.
#[test]
pub(crate) fn opened_here_and_ended_there_against_a_remover() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1]);
        let remover = play("remover", {
            let map = map.clone();
            move || assert!(map.remove(&1).is_some())
        });
        let wanderer = Wanderer::of(&map);
        let user = play("user", move || {
            if wanderer.reads() {
                let value = wanderer.session.get(&1);
                assert!(value.is_none_or(|value| value.number() == 1));
            }
        });
        user.join().unwrap();
        remover.join().unwrap();
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        ledger.dropped_by()
    });
    assert_eq!(outcomes, BTreeSet::from([BTreeSet::from(["remover"]), BTreeSet::from(["user"])]));
}

/// Two threads share a session; one removes what the other one reads. It stays good until the session ends, and is dropped then.
#[test]
fn shared_by_a_reader_and_a_remover() {
    let outcomes = explore(5, || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1]);
        let shared = Arc::new(Wanderer::of(&map));
        let remover = play("remover", {
            let shared = shared.clone();
            move || {
                let removed = shared.session.remove(&1).map(Value::number);
                assert_eq!(removed, Some(1));
            }
        });
        let value = shared.session.get(&1);
        let found = value.is_some();
        remover.join().unwrap();
        assert_eq!(ledger.live(), 1, "the session is open");
        assert!(value.is_none_or(|value| value.number() == 1));
        drop(shared);
        assert_eq!(ledger.live(), 0);
        (found, ledger.dropped_by())
    });
    let found = |found| (found, BTreeSet::from(["main"]));
    assert_eq!(outcomes, BTreeSet::from([found(true), found(false)]));
}

/// A session ends while another one is opened: what is removed then waits for the second.
#[test]
fn one_ends_while_another_is_opened() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1]);
        let first = Wanderer::of(&map);
        let ender = play("ender", move || drop(first));
        let second = Wanderer::of(&map);
        assert!(second.reads());
        let removed = map.remove(&1).map(|value| value.number());
        assert_eq!(removed, Some(1));
        assert_eq!(ledger.live(), 1, "the second is open");
        ender.join().unwrap();
        assert_eq!(ledger.live(), 1, "the second is open");
        drop(second);
        assert_eq!(ledger.live(), 0);
        ledger.dropped_by()
    });
    assert_eq!(outcomes, BTreeSet::from([BTreeSet::from(["main"])]));
}
