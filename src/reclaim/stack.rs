//! A Treiber stack that is taken as a whole (Treiber 1986; without single pops there is no ABA).
//!
//! Two things are handed from thread to thread by it: garbage that has to wait, and entries that were killed while the writer mutex was taken.
//!
//! A push does not care which node it finds at the head, so it does not notice if that was taken and freed meanwhile, and
//! another one pushed that has got the same memory. For the machine that is the same node. For the language it is another
//! one: a pointer to the first must not be used for the second ("pointer zap", McKenney and others, P1726). So nodes keep the
//! *address* of the next one, and who takes them makes a pointer of it, to whatever node is there then.

use crate::sync::{AtomicPtr, Ordering, const_unless_loom};
use std::ptr::{null_mut, with_exposed_provenance_mut};

struct Node<T> {
    /// The address of the next node, or 0.
    next: usize,
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
        let node = Box::into_raw(Box::new(Node { next: 0, item }));
        // Before anybody can come to it by its address.
        node.expose_provenance();
        let mut head = null_mut::<Node<T>>();
        loop {
            // SAFETY: Q1: a node belongs to its maker until the exchange below publishes it.
            unsafe { (*node).next = head.addr() };
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
        // The node that is there now was exposed when it was pushed, and belongs to what was taken (Q1).
        self.next = if next == 0 { null_mut() } else { with_exposed_provenance_mut(next) };
        Some(item)
    }
}

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A thread that is about to push has seen a node, which is taken meanwhile and freed, and then the next node comes to be at the same
    /// address and is pushed: what the thread has seen is what it finds, and yet another node. Under Miri, which tells them apart.
    #[test]
    fn what_is_pushed_on_a_node_that_was_replaced_by_another_one_at_its_address_is_found() {
        const ITEMS: u64 = if cfg!(miri) { 30 } else { 10_000 };
        let (stack, sum) = (Stack::<u64>::new(), AtomicU64::new(0));
        let (stack, sum) = (&stack, &sum);
        let take = &|| sum.fetch_add(stack.take().sum(), Ordering::Relaxed);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    for item in 1..=ITEMS {
                        stack.push(item);
                        if item % 2 == thread % 2 {
                            take();
                        }
                    }
                });
            }
        });
        take();
        assert_eq!(sum.load(Ordering::Relaxed), 3 * ITEMS * (ITEMS + 1) / 2);
        assert!(stack.is_empty());
    }
}
