//! A run from the making of its map to the map's end.

use std::cell::Cell;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidymap::{HashMap, Reclaim};

use crate::common::Ledger;
use crate::common::fuse::{Fuse, burn, lit};
use crate::model::Model;
use crate::run::Run;
use crate::steps::Step;
use crate::world::{Key, Payload, Value, World};

/// What kind of map it is, and what the user's code does to it.
pub(crate) struct Settings<S> {
    pub(crate) hasher: S,
    pub(crate) capacity: usize,
    pub(crate) reclaim: Reclaim,
    pub(crate) max_pending: Option<usize>,
    pub(crate) hook: bool,
    /// One after the other for the calls of the map, until there are none left.
    pub(crate) fuses: Vec<Option<Fuse>>,
}

/// Runs the steps on a new map, and drops it.
pub(crate) fn run<P: Payload, S: BuildHasher + Clone>(settings: Settings<S>, steps: &[Step]) {
    run_with::<P, S, Step>(settings, steps, |run, step| run.step(step));
}

/// [`run`] for whatever comes with the steps: each is in the hands of `each`.
pub(crate) fn run_with<P: Payload, S: BuildHasher + Clone, T>(
    settings: Settings<S>,
    steps: &[T],
    mut each: impl FnMut(&mut Run<'_, '_, P, S>, &T),
) {
    let Settings { hasher, capacity, reclaim, max_pending, hook, mut fuses } = settings;
    let (keys, values) = (Ledger::new(), Ledger::new());
    let mut builder = HashMap::<Key<'_>, Value<'_, P>>::builder().hasher(hasher).capacity(capacity).reclaim(reclaim);
    if let Some(entries) = max_pending {
        builder = builder.max_pending(entries);
    }
    let hooked = hook.then(Arc::<AtomicU64>::default);
    if let Some(hooked) = hooked.clone() {
        builder = builder.on_reclaim(move |reclaimed| {
            hooked.fetch_add(1, Ordering::Relaxed);
            burn();
            drop(reclaimed);
        });
    }
    let map = builder.build();
    let batch = match reclaim {
        Reclaim::Batched(items) => items as u64,
        _ => 0,
    };
    let world = World { keys: &keys, values: &values, values_made: Cell::new(0) };
    // In the order in which they are taken.
    fuses.reverse();
    let mut run = Run {
        world,
        map: &map,
        batch,
        hooked,
        of_clones: 0,
        by_value: 0,
        fuses,
        model: Model::default(),
        sessions: Vec::new(),
        kept: Vec::new(),
    };
    for step in steps {
        each(&mut run, step);
    }
    run.check_contents();
    while !run.sessions.is_empty() {
        run.step(&Step::Close(0));
    }
    while !run.kept.is_empty() {
        run.step(&Step::LetGo(0));
    }
    run.check_contents();
    let last = run.fuses.pop().flatten();
    drop(run);
    map.try_reclaim();
    keys.assert_alive(map.pin().keys());
    values.assert_alive(map.pin().values());
    lit(last, || drop(map));
    assert_eq!((keys.live(), values.live()), (0, 0), "left after the map is gone");
}
