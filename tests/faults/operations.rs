//! All that a map can do and in which it calls its user's code, one call or a few at a time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use tidymap::{Compute, Operation};

use crate::hostile::{Call, Captive, Key, Ledgers, Map, Pairs, call};

pub(crate) type Act<const WORDS: usize> = fn(&Map<WORDS>, &'static Ledgers);

/// On a map that has the keys from 0 to 11, and not those from 20 on.
pub(crate) fn operations<const WORDS: usize>() -> Vec<(&'static str, Act<WORDS>)> {
    one_shot().into_iter().chain(single_flight()).chain(in_sessions()).chain(on_all()).collect()
}

/// Some that are there, some twice, and some that are not.
fn keys(ledgers: &'static Ledgers) -> Vec<Key> {
    [3, 4, 5, 3, 20, 6, 7].map(|key| ledgers.key(key)).into()
}

fn one_shot<const WORDS: usize>() -> [(&'static str, Act<WORDS>); 21] {
    [
        ("get", |map, l| drop(map.get(&l.key(5)))),
        ("get, absent", |map, l| drop(map.get(&l.key(21)))),
        ("contains_key", |map, l| _ = map.contains_key(&l.key(5))),
        ("get_cloned", |map, l| drop(map.get_cloned(&l.key(5)))),
        ("read", |map, l| {
            let captive = Captive;
            // What a closure has captured goes before it returns: what it returns is leaked by the compiler, else.
            map.read(&l.key(5), move |_, value| {
                captive.call();
                drop(captive);
                value.clone()
            });
        }),
        ("insert, overwriting", |map, l| drop(map.insert(l.key(5), l.value(1)))),
        ("insert, new", |map, l| drop(map.insert(l.key(20), l.value(1)))),
        ("try_insert", |map, l| {
            drop(map.try_insert(l.key(20), l.value(1)));
            drop(map.try_insert(l.key(5), l.value(1)));
        }),
        ("get_or_insert_with", |map, l| {
            for key in [5, 20] {
                let captive = Captive;
                let make = move || {
                    captive.call();
                    drop(captive);
                    l.value(1)
                };
                drop(map.get_or_insert_with(l.key(key), make));
            }
        }),
        ("update", |map, l| {
            let captive = Captive;
            let next = move |old: &_| {
                captive.call();
                let expected = l.value(5);
                let number = u64::from(*old == expected);
                drop(expected);
                l.value(number)
            };
            drop(map.update(&l.key(5), next));
        }),
        ("update_or_insert_with", |map, l| {
            for key in [5, 20] {
                let (captive, another) = (Captive, Captive);
                let update = move |_: &_| {
                    captive.call();
                    l.value(1)
                };
                let make = move || {
                    another.call();
                    drop(another);
                    l.value(2)
                };
                drop(map.update_or_insert_with(l.key(key), update, make));
            }
        }),
        ("compute, inserting and overwriting", |map, l| {
            for key in [5, 20] {
                let captive = Captive;
                let next = |_: Option<(&_, &_)>| {
                    captive.call();
                    Operation::<_, ()>::Insert(l.value(1))
                };
                drop(map.compute(l.key(key), next));
            }
        }),
        ("compute, removing", |map, l| {
            for key in [5, 20] {
                let captive = Captive;
                let next = move |_: Option<(&_, &_)>| {
                    captive.call();
                    Operation::<_, ()>::Remove
                };
                drop(map.compute(l.key(key), next));
            }
        }),
        ("compute, giving up", |map, l| {
            let captive = Captive;
            let next = move |_: Option<(&_, &_)>| {
                captive.call();
                Operation::Abort(7)
            };
            assert!(matches!(map.compute(l.key(5), next), Compute::Aborted(7)));
        }),
        ("compare_exchange", |map, l| {
            drop(map.compare_exchange(&l.key(5), &l.value(5), l.value(1)));
            drop(map.compare_exchange(&l.key(5), &l.value(5), l.value(1)));
        }),
        ("remove", |map, l| drop(map.remove(&l.key(5)))),
        ("remove_if", |map, l| {
            for answer in [false, true] {
                let captive = Captive;
                let wanted = move |_: &_, _: &_| {
                    captive.call();
                    answer
                };
                drop(map.remove_if(&l.key(5), wanted));
            }
        }),
        ("remove_entry", |map, l| {
            drop(map.remove_entry(&l.key(5)));
            if let Some(removed) = map.remove_entry(&l.key(6)) {
                drop(removed.try_into_owned());
            }
        }),
        ("remove_owned", |map, l| drop(map.remove_owned(&l.key(5)))),
        ("insert_many, in two groups", |map, l| _ = map.insert_many(Pairs(0..70, l))),
        ("remove_many", |map, l| _ = map.remove_many(keys(l).iter().inspect(|_| call(Call::NextOfIterator)))),
    ]
}

/// Whatever happens, the flight has ended: `assert_whole` looks.
fn single_flight<const WORDS: usize>() -> [(&'static str, Act<WORDS>); 4] {
    [
        ("get_or_init", |map, l| {
            for key in [5, 20, 20] {
                let captive = Captive;
                let init = move || {
                    captive.call();
                    drop(captive);
                    l.value(1)
                };
                drop(map.get_or_init(l.key(key), init));
            }
        }),
        ("get_or_init, too late", |map, l| {
            let captive = Captive;
            let init = move || {
                captive.call();
                drop(captive);
                drop(map.insert(l.key(20), l.value(2)));
                l.value(1)
            };
            drop(map.get_or_init(l.key(20), init));
        }),
        ("try_get_or_init, failing, with another flight in it", |map, l| {
            let captive = Captive;
            let init = move || {
                captive.call();
                drop(captive);
                Err(map.get_or_init(l.key(21), || l.value(1)))
            };
            drop(map.try_get_or_init(l.key(20), init));
        }),
        ("get_or_init_async, cancelled, and to its end", |map, l| {
            let captive = Captive;
            let computing = || {
                let mut polls = 0;
                poll_fn(move |_| {
                    polls += 1;
                    if polls == 1 { Poll::Pending } else { Poll::Ready(l.value(1)) }
                })
            };
            let poll = |future: Pin<&mut dyn Future<Output = _>>| future.poll(&mut Context::from_waker(Waker::noop()));
            let mut cancelled = Box::pin(map.get_or_init_async(l.key(20), async move {
                captive.call();
                computing().await
            }));
            assert!(poll(cancelled.as_mut()).is_pending());
            let mut waiting = Box::pin(map.get_or_init_async(l.key(20), computing()));
            assert!(poll(waiting.as_mut()).is_pending());
            drop(cancelled);
            assert!(poll(waiting.as_mut()).is_pending());
            assert!(poll(waiting.as_mut()).is_ready());
        }),
    ]
}

fn in_sessions<const WORDS: usize>() -> [(&'static str, Act<WORDS>); 9] {
    [
        ("a session that reads", |map, l| {
            let session = map.pin();
            let _ = (session.get(&l.key(5)).is_some(), session.get_key_value(&l.key(20)).is_some());
        }),
        ("a session that writes", |map, l| {
            let session = map.pin();
            session.insert(l.key(5), l.value(1));
            session.insert(l.key(20), l.value(1));
            session.remove(&l.key(6));
            session.get_or_insert(l.key(21), l.value(1));
            let _ = session.try_insert(l.key(7), l.value(1));
            let _ = session.compare_exchange(&l.key(7), &l.value(7), l.value(1));
        }),
        ("a session with closures", |map, l| {
            let session = map.pin();
            let captives = [Captive, Captive, Captive];
            session.update(&l.key(5), |_| {
                captives[0].call();
                l.value(1)
            });
            let removed = session.remove_if(&l.key(6), |_, _| {
                captives[1].call();
                true
            });
            assert!(removed.is_ok());
            let [.., last] = captives;
            session.compute(l.key(7), move |_| {
                last.call();
                Operation::<_, ()>::Remove
            });
        }),
        ("a session that is refreshed", |map, l| {
            let mut session = map.pin();
            (0..4).for_each(|key| _ = session.remove(&l.key(key)));
            session.refresh();
            session.remove(&l.key(5));
        }),
        ("sessions within sessions", |map, l| {
            let outer = map.pin();
            outer.remove(&l.key(1));
            let inner = map.pin();
            inner.remove(&l.key(2));
            drop(outer);
            inner.remove(&l.key(3));
        }),
        ("a session with many keys", |map, l| {
            let session = map.pin();
            session.insert_many(Pairs(8..20, l).chain(Pairs(10..14, l)));
            let keys = keys(l);
            assert!(session.get_many(&keys).flatten().count() > 4);
            session.remove_many(&keys);
        }),
        ("a session that clears", |map, _| map.pin().clear()),
        ("a Ref that others have removed", |map, l| {
            let held = map.get(&l.key(5));
            let _ = thread::scope(|scope| scope.spawn(|| drop(map.remove(&l.key(5)))).join());
            drop(held);
        }),
        ("reclaim of what others have left", |map, l| {
            let held = map.get(&l.key(5));
            let overwrite = || (0..4).for_each(|key| drop(map.insert(l.key(key), l.value(1))));
            let _ = thread::scope(|scope| scope.spawn(overwrite).join());
            drop(held);
            map.try_reclaim();
            assert_eq!(map.reclaim(), Ok(()));
        }),
    ]
}

fn on_all<const WORDS: usize>() -> [(&'static str, Act<WORDS>); 7] {
    [
        ("retain", |map, _| {
            let captive = Captive;
            map.retain(move |key, _| {
                captive.call();
                *key.0 % 3 != 0
            });
        }),
        ("retain in a session", |map, _| {
            let captive = Captive;
            map.pin().retain(move |key, _| {
                captive.call();
                *key.0 % 3 != 0
            });
        }),
        ("clear", |map, _| map.clear()),
        ("clone", |map, _| drop(map.clone())),
        ("extend", |map, l| {
            let mut clone = map.clone();
            clone.extend(Pairs(10..25, l));
        }),
        ("eq", |map, _| _ = *map == map.clone()),
        ("fmt", |map, _| assert!(!format!("{map:?}").is_empty())),
    ]
}
