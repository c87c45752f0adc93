//! What is due for the tables: whoever has the mutex anyway does a share of it, and readers whose misses have paid for that do, too.
//!
//! The tables are made in [`rebuild`](super::rebuild); here is decided when. None of it runs user code.

use super::Tables;
use super::garbage::{Host, Unlinked};
use super::next::cleared_in_a_step;
use super::shape::{LARGE, LOTS_ALONE, MISS_LOT, READER_SHARES, SMALL, STEP};
use super::table::{Blank, Table};
use super::writer::Lock;
use crate::reclaim::Held;
use crate::sync::Ordering;

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    /// What whoever has had the mutex does for the tables before it lets go: a bounded part of what is due, for each of
    /// the `calls` on behalf of which it had it.
    #[inline(always)]
    pub(super) fn tend(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, calls: usize) {
        if !self.is_tended(guard, lock) {
            self.do_shares(guard, lock, calls);
        }
    }

    /// Is nothing due? Mostly so, and then one share would change nothing.
    #[inline(always)]
    fn is_tended(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>) -> bool {
        let is_idle = lock.next.is_none() && lock.spare.is_none() && !lock.ask_again;
        is_idle && !self.is_spare_due(guard, lock) && !self.is_sparse(guard, lock) && !self.misses_have_paid()
    }

    /// [`tend`](Self::tend), share by share.
    #[inline(never)]
    fn do_shares(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, calls: usize) {
        for _ in 0..calls {
            let is_idle = lock.next.is_none();
            let is_sparse = (lock.ask_again || self.is_sparse(guard, lock)) && self.is_sparse_for_certain(guard, lock);
            if is_sparse && lock.linked() == 0 {
                return self.forget_empty_tables(guard, lock);
            }
            // Without entries in young tables there is nothing to gain, and a reservation to lose.
            let misses_have_paid =
                is_idle && self.misses_have_paid() && self.writer.striping.try_shut(lock) && lock.linked_young() > 0;
            let is_ready = self.prepare_spare(guard, lock, is_idle && misses_have_paid && !is_sparse);
            if is_idle && (is_sparse || (misses_have_paid && is_ready)) {
                if is_sparse {
                    self.drop_spare(guard, lock);
                }
                let keep = lock.reserved && !misses_have_paid;
                // Without memory for the new table the old ones stay.
                let _ = if keep { Ok(()) } else { self.seal(guard, lock) }.and_then(|()| self.begin(guard, lock));
            }
            if lock.next.is_none() && is_ready {
                return;
            }
            // As above.
            let _ = self.advance(guard, lock, STEP);
        }
    }

    /// [`is_sparse`](Self::is_sparse), when it seems so, or has seemed so.
    fn is_sparse_for_certain(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> bool {
        if lock.is_open {
            // While the next table is in the making that matters only if it is to be given up.
            let matters = lock.ask_again || lock.next.is_none() || lock.linked() as isize <= 0;
            if !matters || !self.shut_or_ask(lock) {
                return false;
            }
        }
        lock.ask_again = false;
        self.is_sparse(guard, lock)
    }

    /// Have the tables become too large for what is linked in them?
    #[inline(always)]
    fn is_sparse(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>) -> bool {
        let used = self.state(guard).sealed_slots + lock.dirty_used;
        // Mostly that is all there is to see. While the stripes are open it may only seem so.
        (lock.linked() as isize) * 8 < used as isize && self.is_more_than_small(guard, lock)
    }

    /// Is it worth while to make tables smaller?
    fn is_more_than_small(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>) -> bool {
        let state = self.state(guard);
        // A reserved table is large on purpose.
        let on_purpose = if lock.reserved { state.young[0].bytes() } else { 0 };
        let next = lock.next.as_ref().map(|next| next.table());
        let making = next.into_iter().chain(lock.spare.as_deref().map(Blank::table));
        state.bytes - on_purpose + making.map(Table::bytes).sum::<usize>() > SMALL
    }

    /// Is the dirty table, a large one, so full that the next has to be made ready?
    #[inline(always)]
    fn is_spare_due(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>) -> bool {
        lock.dirty_used >= LARGE && lock.dirty_used > self.state(guard).young[0].size().limit() / 2
    }

    /// Goes on with making the next dirty table ready, if that is a large one and due: because the present one is filling
    /// up, or `soon` by the caller's word. True if there is nothing left to do.
    fn prepare_spare(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, soon: bool) -> bool {
        if let Some(spare) = &mut lock.spare {
            return spare.clear(cleared_in_a_step(STEP));
        }
        if !soon && !self.is_spare_due(guard, lock) {
            return true;
        }
        if !self.writer.striping.try_shut(lock) {
            return false;
        }
        // So large that it can be cleared in the time in which the present one fills up: a bucket is for 3.5 entries.
        let left = self.state(guard).young[0].size().limit().saturating_sub(lock.dirty_used);
        let entries = self.usual(guard, lock).min(left.saturating_mul(3 * cleared_in_a_step(STEP)));
        if entries > LARGE {
            // Without memory for it it is tried again when it is needed.
            lock.spare = self.blank(guard, self.dirty_size(guard, entries)).ok().map(Box::new);
        }
        lock.spare.is_none()
    }

    pub(super) fn drop_spare(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) {
        if let Some(spare) = lock.spare.take() {
            guard.retire(Unlinked::<K, V>::Table(spare.into_table()));
        }
    }

    /// Counts a read that had to look into young tables; goes on with a promotion if one is due and the mutex is free.
    #[inline]
    pub(super) fn count_miss(&self, guard: &Held<'_, G>) {
        if guard.is_leased() {
            // Of the thread that reads.
            return self.count_miss(&guard.another());
        }
        if let Some(misses) = guard.miss(MISS_LOT) {
            self.tell_misses(guard, misses);
        }
    }

    #[cold]
    fn tell_misses(&self, guard: &Held<'_, G>, misses: u32) {
        self.writer.total_misses.fetch_add(u64::from(misses), Ordering::Relaxed);
        self.writer.misses.fetch_add(misses as usize, Ordering::Relaxed);
        // A writer that comes by goes on with it, too: readers do only where none has come for a while.
        if self.writer.lots_alone.fetch_add(1, Ordering::Relaxed) < LOTS_ALONE {
            return;
        }
        // Sealed tables are there while the next read table is made of them.
        let sealed = !self.state(guard).young[1].is_empty();
        if sealed || self.misses_have_paid() {
            if let Some(mut lock) = self.try_lock() {
                self.tend(guard, &mut lock, READER_SHARES);
                self.unlock(guard, lock);
            }
        }
    }

    /// Have there been as many misses as half the entries? Each costs several times what it takes to copy one.
    #[inline(always)]
    fn misses_have_paid(&self) -> bool {
        let misses = self.writer.misses.load(Ordering::Relaxed);
        misses >= MISS_LOT as usize && misses >= self.len() / 2
    }
}
