//! A Treiber stack that is taken as a whole (Treiber 1986; without single pops there is no ABA).
//!
//! Three things are handed from thread to thread by it: garbage that has to wait, garbage that is saved up, and entries that
//! were killed while the writer mutex was taken.

use crate::sync::{AtomicPtr, Ordering, const_unless_loom};
use std::ptr::null_mut;

struct Node<T> {
    next: *mut Node<T>,
    item: T,
}

#[derive(Debug)]
pub(crate) struct Stack<T> {
    head: AtomicPtr<Node<T>>,
}

// SAFETY: Send and Sync: items go from thread to thread by value; nobody shares one.
unsafe impl<T: Send> Send for Stack<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Stack<T> {}

impl<T> Stack<T> {
    const_unless_loom! {
        pub(crate) fn new() -> Stack<T> {
            Stack { head: AtomicPtr::new(null_mut()) }
        }
    }

    /// Lock-free; one allocation.
    pub(crate) fn push(&self, item: T) {
        let node = Box::into_raw(Box::new(Node { next: null_mut(), item }));
        let mut head = null_mut();
        loop {
            // SAFETY: Q1: a node belongs to its maker until the exchange below publishes it.
            unsafe { (*node).next = head };
            // ORDERING: Release publishes the node to the Acquire of `take`.
            match self.head.compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => head = current,
            }
        }
    }

    /// Is there nothing? A look without an ordering of its own.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed).is_null()
    }

    /// Takes all items, the last first.
    pub(crate) fn take(&self) -> Taken<T> {
        // ORDERING: Acquire pairs with the Release of `push`; Release so that what the taker did before comes before later
        // pushes.
        Taken { next: self.head.swap(null_mut(), Ordering::AcqRel) }
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// What was taken off a stack.
pub(crate) struct Taken<T> {
    next: *mut Node<T>,
}

impl<T> Iterator for Taken<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: Q1: who takes the head away owns all that hangs on it.
        let Node { next, item } = *unsafe { Box::from_raw(self.next) };
        self.next = next;
        Some(item)
    }
}

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
