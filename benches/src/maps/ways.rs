//! The ways to read each map.

use std::sync::{Arc, RwLock};

use arc_swap::{ArcSwap, Cache};
use evmap::handles::ReadHandle;

use super::peers::*;
use super::{FixedState, Key, MapOf, Protection, Read, Value, Way};

/// A way: its name, the map, how the call is written, its protection, what a reader keeps, how it is opened, and a read.
macro_rules! way {
    ($(#[$doc:meta])* $way:ident: $peer:ty, $call:literal, $protection:ident,
     $reader:ty, |$map:ident| $open:expr, |$this:ident, $key:ident| $read:expr) => {
        $(#[$doc])*
        pub enum $way {}

        impl Way for $way {
            type Peer = $peer;
            const CALL: &'static str = $call;
            const PROTECTION: Protection = Protection::$protection;
            type Reader<'m, K: Key, V: Value> = Reading<$way, $reader>;

            fn open<K: Key, V: Value>($map: &MapOf<Self, K, V>) -> Self::Reader<'_, K, V> {
                Reading($open, std::marker::PhantomData)
            }
        }

        impl<'m, K: Key, V: Value> Read<K, V> for Reading<$way, $reader> {
            #[inline(always)]
            fn read(&mut self, $key: &K::Query) -> Option<u64> {
                let $this = &mut self.0;
                $read
            }
        }
    };
}

/// What a reader of a way keeps.
pub struct Reading<W, T>(T, std::marker::PhantomData<W>);

way!(TidyGet: Tidy, "get()", OneShot, &'m MapOf<TidyGet, K, V>, |map| map,
    |map, key| map.get(key).map(|value| value.number()));
way!(TidyFencedGet: TidyFenced, "get(), with a fence", OneShot, &'m MapOf<TidyFencedGet, K, V>, |map| map,
    |map, key| map.get(key).map(|value| value.number()));
way!(TidyPin: Tidy, "pin() for many", Session, tidymap::Pinned<'m, K, V, FixedState>, |map| map.pin(),
    |session, key| session.get(key).map(V::number));
way!(TidyReader: Tidy, "reader()", Handle, tidymap::Reader<'m, K, V, FixedState>, |map| map.reader(),
    |reader, key| reader.get(key).map(V::number));
way!(TidyView: Tidy, "view()", Handle, tidymap::View<K, V, FixedState>, |map| map.view(),
    |view, key| view.get(key).map(V::number));
way!(PapayaGet: Papaya, "pin().get()", OneShot, &'m MapOf<PapayaGet, K, V>, |map| map,
    |map, key| map.pin().get(key).map(V::number));
way!(PapayaPin: Papaya, "pin() for many", Session,
    papaya::HashMapRef<'m, K, V, FixedState, papaya::LocalGuard<'m>>, |map| map.pin(),
    |session, key| session.get(key).map(V::number));
way!(IndexPeek: Index, "peek_with()", OneShot, &'m MapOf<IndexPeek, K, V>, |map| map,
    |map, key| map.peek_with(key, |_, value| value.number()));
way!(IndexGuard: Index, "peek() under a guard", Session, (&'m MapOf<IndexGuard, K, V>, scc::Guard),
    |map| (map, scc::Guard::new()), |this, key| this.0.peek(key, &this.1).map(V::number));
way!(SccMapRead: SccMap, "read_sync()", OneShot, &'m MapOf<SccMapRead, K, V>, |map| map,
    |map, key| map.read_sync(key, |_, value| value.number()));
way!(DashGet: Dash, "get()", OneShot, &'m MapOf<DashGet, K, V>, |map| map,
    |map, key| map.get(key).map(|value| value.number()));
way!(FlurryGet: Flurry, "pin().get()", OneShot, &'m MapOf<FlurryGet, K, V>, |map| map,
    |map, key| map.pin().get(key).map(V::number));
way!(FlurryPin: Flurry, "pin() for many", Session, flurry::HashMapRef<'m, K, V, FixedState>, |map| map.pin(),
    |session, key| session.get(key).map(V::number));
way!(SkipGet: Skip, "get()", OneShot, &'m MapOf<SkipGet, K, V>, |map| map,
    |map, key| map.get(key).map(|entry| entry.value().number()));
way!(LockedRead: Locked, "read().get()", OneShot, &'m RwLock<hashbrown::HashMap<K, V, FixedState>>, |map| map,
    |map, key| map.read().unwrap().get(key).map(V::number));
way!(CopiedLoad: Copied, "load().get()", OneShot, &'m ArcSwap<hashbrown::HashMap<K, V, FixedState>>, |map| map,
    |map, key| map.load().get(key).map(V::number));
way!(CopiedCache: Copied, "Cache", Handle,
    Cache<&'m ArcSwap<hashbrown::HashMap<K, V, FixedState>>, Arc<hashbrown::HashMap<K, V, FixedState>>>,
    |map| Cache::new(map), |cache, key| cache.load().get(key).map(V::number));
way!(EvRead: Ev, "ReadHandle::get_one()", Handle, ReadHandle<K, V, (), FixedState>,
    |map| map.reader(), |handle, key| handle.get_one(key).map(|value| value.number()));
way!(PlainGet: Plain, "get()", Unshared, &'m hashbrown::HashMap<K, V, FixedState>, |map| map,
    |map, key| map.get(key).map(V::number));
