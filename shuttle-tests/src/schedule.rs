//! The scheduler of the fuzz target: its choices are bytes of the input.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Runs one execution, told by bytes who goes on, and for how long. When it has been told nothing more, whoever runs goes on until it
/// waits or yields, and then the next one.
#[derive(Debug)]
pub struct Told {
    /// The next one last.
    bytes: Vec<u8>,
    /// Steps until the next choice.
    left: u32,
    is_done: bool,
}

impl Told {
    /// The scheduler that these bytes tell.
    pub fn new(mut bytes: Vec<u8>) -> Told {
        bytes.reverse();
        Told { bytes, left: 0, is_done: false }
    }
}

impl Scheduler for Told {
    fn new_execution(&mut self) -> Option<Schedule> {
        (!std::mem::replace(&mut self.is_done, true)).then(|| Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let ids: Vec<TaskId> = runnable.iter().map(|task| task.id()).collect();
        let [first, _, ..] = ids[..] else { return ids.first().copied() };
        let goes_on = current.filter(|current| !is_yielding && ids.contains(current));
        if let Some(current) = goes_on.filter(|_| self.left > 0 || self.bytes.is_empty()) {
            self.left = self.left.saturating_sub(1);
            return Some(current);
        }
        // Somebody else, in the order of their numbers, beginning after the one that ran.
        let after = ids.iter().copied().find(|id| Some(*id) > current).unwrap_or(first);
        let Some(byte) = self.bytes.pop() else { return Some(after) };
        let others: Vec<TaskId> = ids.into_iter().filter(|id| Some(*id) != current).collect();
        // Mostly a few steps, which is where races are; now and then many, which is a call or two.
        let steps = u32::from(byte >> 2);
        self.left = if steps < 48 { steps } else { (steps - 45) * 16 };
        Some(others[usize::from(byte & 3) % others.len()])
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
