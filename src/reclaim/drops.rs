//! Destructors are the user's code: each may panic, and none may keep another from running.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs destructors and keeps the first panic for the end.
#[derive(Default)]
pub(crate) struct Panics {
    first: Option<Box<dyn Any + Send>>,
}

impl Panics {
    /// Runs `drop`; a panic in it is kept.
    pub(crate) fn run(&mut self, drop: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(drop)) {
            self.keep(panic);
        }
    }

    /// Takes over the panic of another, if it has one.
    pub(crate) fn absorb(&mut self, other: Panics) {
        if let Some(panic) = other.first {
            self.keep(panic);
        }
    }

    /// Ends them here.
    pub(crate) fn ignore(self) {
        if let Some(panic) = self.first {
            give_up(panic);
        }
    }

    fn keep(&mut self, panic: Box<dyn Any + Send>) {
        match &self.first {
            None => self.first = Some(panic),
            Some(_) => give_up(panic),
        }
    }

    /// Goes on with the first panic, if there was one; not if the thread is unwinding already, which would abort it.
    #[inline]
    pub(crate) fn resume(self) {
        if let Some(panic) = self.first {
            resume(panic);
        }
    }
}

#[cold]
fn resume(panic: Box<dyn Any + Send>) {
    if std::thread::panicking() {
        give_up(panic);
    } else {
        resume_unwind(panic);
    }
}

/// Drops a panic's payload, whose own destructor may panic as well; the payload of that is leaked.
fn give_up(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
        std::mem::forget(again);
    }
}
