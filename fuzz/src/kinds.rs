//! What the targets do with a step.

use std::hash::BuildHasher;

use arbitrary::Arbitrary;

use crate::common::fuse::Fuse;
use crate::memory::{Failure, fail, has_failed};
use crate::run::Run;
use crate::steps::Step;
use crate::world::Payload;

/// A step of some target.
pub trait Kind {
    #[expect(private_interfaces, private_bounds, reason = "targets name their kind, and call nothing of it")]
    fn go<P: Payload, S: BuildHasher + Clone>(&self, run: &mut Run<'_, '_, P, S>);

    /// What the step does to the map alone, when the run on it has ended for that.
    fn alone(&self, work: &mut dyn FnMut()) {
        work();
    }
}

/// Of the target `differential`: every answer, and after each step what is alive, and the map's figures.
#[derive(Arbitrary, Debug)]
pub struct Plain(Step);

impl Kind for Plain {
    #[expect(private_interfaces, private_bounds, reason = "as above")]
    fn go<P: Payload, S: BuildHasher + Clone>(&self, run: &mut Run<'_, '_, P, S>) {
        run.step(&self.0);
    }
}

/// Of the target `panics`: the same, with panics in the user's code (F1, R5).
#[derive(Arbitrary, Debug)]
pub struct Hostile {
    /// For the calls of the step that come first.
    fuses: [Option<Fuse>; 2],
    step: Step,
}

impl Kind for Hostile {
    #[expect(private_interfaces, private_bounds, reason = "as above")]
    fn go<P: Payload, S: BuildHasher + Clone>(&self, run: &mut Run<'_, '_, P, S>) {
        run.state.fuses = self.fuses.to_vec();
        run.step(&self.step);
    }
}

/// Of the target `allocation`: the same, with tables for which there is no memory (F2).
#[derive(Arbitrary, Debug)]
pub struct Starved {
    failure: Option<Failure>,
    step: Step,
}

impl Kind for Starved {
    #[expect(private_interfaces, private_bounds, reason = "as above")]
    fn go<P: Payload, S: BuildHasher + Clone>(&self, run: &mut Run<'_, '_, P, S>) {
        run.state.fuses.clear();
        match (self.failure, &self.step) {
            (None, step) => run.step(step),
            (Some(failure), Step::TryReserve(Some(additional))) => try_reserve(run, failure, usize::from(*additional)),
            (Some(failure), step) => {
                // A call that cannot go on without memory ends the process. Here it ends like one in which user code panics: what
                // can be done later, or not at all, must not lead there, and up to there nothing may be half done.
                run.state.fuses = vec![Some(Fuse { first: u32::MAX, again: None }); 512];
                fail(Some(failure));
                run.step(step);
                fail(None);
            }
        }
    }

    fn alone(&self, work: &mut dyn FnMut()) {
        fail(self.failure);
        work();
        fail(None);
    }
}

/// It says so if there is no memory, and the map is as it was.
fn try_reserve<P: Payload, S: BuildHasher + Clone>(run: &mut Run<'_, '_, P, S>, failure: Failure, additional: usize) {
    // Like each call with the mutex it goes on with the tables, and a promotion takes the room that is left of a reservation. Half of
    // the time nothing is left to go on with: these calls reserve nothing.
    let is_settled = additional % 8 == 0;
    if is_settled {
        (0..256).for_each(|_| run.map.try_reserve(0).expect("there is memory"));
    }
    let capacity = run.map.capacity();
    fail(Some(failure));
    let reserved = run.map.try_reserve(additional);
    let was_short = has_failed();
    fail(None);
    match reserved {
        Ok(()) => assert!(run.map.capacity() >= run.map.len() + additional),
        Err(error) => {
            assert!(was_short, "there was memory: {error}");
            assert!(error.to_string().contains("the allocator has no"), "{error}");
            assert!(run.map.capacity() == capacity || !is_settled && run.map.capacity() >= run.map.len(), "as it was");
        }
    }
    run.check();
    run.check_contents();
    run.step(&Step::TryReserve(Some(additional as u16)));
}
