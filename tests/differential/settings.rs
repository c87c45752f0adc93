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
use crate::state::State;
use crate::steps::Step;
use crate::world::{Key, Map, Payload, Value, World};

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
    run_with::<P, S, Step>(settings, steps, |run, step| run.step(step), |_, work| work());
}

/// [`run`] for whatever comes with the steps: each is in the hands of `each`, and what it does to the map alone in those of `exclusively`.
pub(crate) fn run_with<P: Payload, S: BuildHasher + Clone, T>(
    settings: Settings<S>,
    steps: &[T],
    mut each: impl FnMut(&mut Run<'_, '_, P, S>, &T),
    mut exclusively: impl FnMut(&T, &mut dyn FnMut()),
) {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let hooked = settings.hook.then(Arc::<AtomicU64>::default);
    let mut map = build::<P, S>(&settings, hooked.clone());
    let batch = match settings.reclaim {
        Reclaim::Batched(items) => items as u64,
        _ => 0,
    };
    let mut state = State {
        world: World { keys: &keys, values: &values, values_made: Cell::new(0) },
        batch,
        cap: settings.max_pending.map(|entries| entries.max(1) as u64),
        hooked,
        of_others: 0,
        by_value: 0,
        // In the order in which they are taken.
        fuses: settings.fuses.iter().copied().rev().collect(),
        model: Model::default(),
    };
    let mut steps = steps.iter();
    loop {
        let mut run = Run::new(&map, state);
        let exclusive = steps.find_map(|step| {
            each(&mut run, step);
            Some((step, run.exclusive.take()?))
        });
        let Some((step, call)) = exclusive else {
            state = run.end();
            break;
        };
        let fuses = std::mem::take(&mut run.state.fuses);
        state = run.end();
        state.fuses = fuses;
        let mut spare = Some(build::<P, S>(&settings, state.hooked.clone()));
        exclusively(step, &mut || state.exclusively(&mut map, call, spare.take().expect("it is done once")));
        let mut run = Run::new(&map, state);
        run.check();
        state = run.end();
    }
    let last = state.fuse();
    let is_leaked = !state.model.guards.is_empty();
    drop(state);
    map.try_reclaim();
    if !is_leaked {
        keys.assert_alive(map.pin().keys());
        values.assert_alive(map.pin().values());
    }
    lit(last, || drop(map));
    assert_eq!((keys.live(), values.live()), (0, 0), "left after the map is gone");
}

fn build<'l, P: Payload, S: BuildHasher + Clone>(
    settings: &Settings<S>,
    hooked: Option<Arc<AtomicU64>>,
) -> Map<'l, P, S> {
    let builder = HashMap::<Key<'l>, Value<'l, P>>::builder().hasher(settings.hasher.clone());
    let mut builder = builder.capacity(settings.capacity).reclaim(settings.reclaim);
    if let Some(entries) = settings.max_pending {
        builder = builder.max_pending(entries);
    }
    if let Some(hooked) = hooked {
        builder = builder.on_reclaim(move |reclaimed| {
            hooked.fetch_add(1, Ordering::Relaxed);
            burn();
            drop(reclaimed);
        });
    }
    builder.build()
}
