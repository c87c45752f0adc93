//! What the histories of a test were worth.

use std::collections::HashMap;
use std::fmt;
use std::mem::Discriminant;

use crate::history::{Movement, Recorded};
use crate::model::{Call, Operation};

#[derive(Default)]
pub(crate) struct Seen {
    histories: u64,
    operations: usize,
    /// Those that met one of another thread on the same key.
    met: usize,
    movement: Movement,
    kinds: HashMap<Discriminant<Call>, usize>,
}

impl Seen {
    pub(crate) fn add(&mut self, recorded: &Recorded) {
        self.histories += 1;
        self.operations += recorded.operations.len();
        self.met += met(&recorded.operations);
        self.movement.promotions += recorded.movement.promotions;
        self.movement.growths += recorded.movement.growths;
        for operation in &recorded.operations {
            *self.kinds.entry(std::mem::discriminant(&operation.call)).or_default() += 1;
        }
    }

    /// Fails if the tables lay still, if threads hardly ever met, or if a kind of call is missing.
    pub(crate) fn assert_enough(&self) {
        if cfg!(miri) {
            return;
        }
        let moved = self.movement.promotions.min(self.movement.growths);
        assert!(2 * moved >= self.histories, "the tables lie still: {self}");
        assert!(self.met >= self.operations / 20, "threads do not meet: {self}");
        assert!(self.kinds.len() >= Call::KINDS - 1, "kinds of calls are missing: {self}");
    }
}

/// How many calls began before another one on the same key had returned.
fn met(history: &[Operation]) -> usize {
    let mut by_key: Vec<&Operation> = history.iter().collect();
    by_key.sort_unstable_by_key(|operation| (operation.key, operation.invoked));
    let (mut met, mut key, mut until) = (0, usize::MAX, 0);
    for operation in by_key {
        if operation.key != key {
            (key, until) = (operation.key, 0);
        }
        met += usize::from(operation.invoked < until);
        until = until.max(operation.returned);
    }
    met
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { histories, operations, met, movement, kinds } = self;
        write!(
            f,
            "{histories} histories of {operations} calls of {} kinds, of which {met} met another on ",
            kinds.len()
        )?;
        write!(f, "their key; {} promotions, tables grew {} times", movement.promotions, movement.growths)
    }
}
