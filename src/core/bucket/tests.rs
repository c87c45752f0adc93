use super::*;

fn bucket(meta: Meta) -> Bucket<u64> {
    Bucket { meta: AtomicU64::new(meta.0), entries: [const { AtomicPtr::new(std::ptr::null_mut()) }; SLOTS] }
}

#[test]
fn matching_finds_every_slot_of_a_tag_and_no_unused_one() {
    for tag in (0x80..=0xFFu8).step_by(if cfg!(miri) { 100 } else { 1 }) {
        for other in [0, tag & !LINKED, LINKED | !tag, tag ^ 1, tag ^ 0x40] {
            for pattern in (0..1 << SLOTS).step_by(if cfg!(miri) { 5 } else { 1 }) {
                let has = |slot: usize| pattern >> slot & 1 == 1;
                let meta = (0..SLOTS).fold(Meta(OVERFLOW + 7 * USED_ONE), |meta, slot| {
                    meta.with_tag(slot, if has(slot) { tag } else { other })
                });
                for matching in [Meta::matching, Meta::matching_portable] {
                    let found: Vec<usize> = matching(meta, tag).collect();
                    for slot in 0..SLOTS {
                        let close = meta.tag(slot) ^ tag == 1;
                        assert!(found.contains(&slot) == has(slot) || (found.contains(&slot) && close));
                    }
                }
                assert!(meta.overflows());
            }
        }
    }
}

#[test]
fn the_linked_slots_are_found_and_so_are_those_of_a_tag_linked_or_not() {
    for used in 0..=SLOTS {
        for pattern in (0..1 << used).step_by(if cfg!(miri) { 7 } else { 1 }) {
            let linked = |slot: usize| pattern >> slot & 1 == 1;
            // Two tags that differ in the last bit, by turns. Unlinked, the first looks like a slot that has never been used.
            let tag_of = |slot: usize| LINKED | (slot % 2) as u8;
            let meta = (0..used).fold(Meta(used as u64 * USED_ONE + OVERFLOW), |meta, slot| {
                meta.with_tag(slot, if linked(slot) { tag_of(slot) } else { tag_of(slot) & !LINKED })
            });
            // Between others: full ones, and such as have never been used.
            for (before, after) in [(0, 0), (1, 0), (0, 1), (3, 4), (7, 0)] {
                let full = Meta(MARKS + OVERFLOW + SLOTS as u64 * USED_ONE);
                let metas = [vec![full; before], vec![meta], vec![Meta(0); after]].concat();
                let others = (0..before).rev().flat_map(|bucket| (0..SLOTS).rev().map(move |slot| (bucket, slot)));
                let all = (0..used).rev().filter(|slot| linked(*slot)).map(|slot| (before, slot)).chain(others);
                let buckets: Vec<_> = metas.into_iter().map(bucket).collect();
                let found = Linked::of(&buckets);
                assert_eq!(found.buckets(), before + usize::from(pattern != 0));
                assert_eq!(found.collect::<Vec<_>>(), all.collect::<Vec<_>>(), "{pattern:b} after {before}");
            }
            for (tag, first) in [(LINKED, 0), (LINKED | 1, 1), (LINKED | 2, used)] {
                for matching in [Meta::matching, Meta::matching_portable] {
                    let found: Vec<usize> = meta.for_hashes_by(matching, tag).collect();
                    assert_eq!(found, (first..used).step_by(2).collect::<Vec<_>>(), "{used} {pattern:b} {tag:x}");
                }
            }
        }
    }
}

#[test]
fn slots_are_used_in_order_and_a_tag_of_nothing_but_the_mark_is_a_tag() {
    let bucket = bucket(Meta(0));
    for slot in 0..SLOTS {
        let writers = if slot % 2 == 0 { Writers::One } else { Writers::Several };
        assert_eq!((bucket.meta().used(), bucket.meta().first_unused()), (slot, Some(slot)));
        bucket.link(slot, LINKED, std::ptr::null_mut(), writers);
        assert!(is_linked(bucket.meta().tag(slot)));
        bucket.unlink(slot, writers);
        assert!(!is_linked(bucket.meta().tag(slot)));
        assert_eq!(linked_tag(bucket.meta().tag(slot)), LINKED);
        assert_eq!(bucket.meta().matching(LINKED).count(), 0);
    }
    assert!(!bucket.meta().overflows());
    bucket.set_overflow(Writers::One);
    assert_eq!((bucket.meta().used(), bucket.meta().first_unused()), (SLOTS, None));
    assert!(bucket.meta().overflows());
}
