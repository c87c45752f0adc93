//! Any steps, beside a map of maps of the standard library; after each all that can be seen is the same, and what is alive is what is in the map.

use proptest::prelude::*;

use crate::common::{ConstantHash, GoodHash, LowBitsHash};
use crate::run::{Step, agree};

fn step() -> impl Strategy<Value = Step> {
    let (outer, inner, value) = (0..5_u8, 0..6_u8, 0..8_u8);
    let keys = (outer.clone(), inner.clone());
    let all = (outer.clone(), inner, value.clone());
    let answer = prop_oneof![Just(None), Just(Some(None)), value.prop_map(|value| Some(Some(value)))];
    prop_oneof![
        6 => all.clone().prop_map(|(outer, inner, value)| Step::Insert(outer, inner, value)),
        2 => all.clone().prop_map(|(outer, inner, value)| Step::TryInsert(outer, inner, value)),
        2 => all.clone().prop_map(|(outer, inner, value)| Step::GetOrInsert(outer, inner, value)),
        2 => keys.clone().prop_map(|(outer, inner)| Step::Update(outer, inner)),
        2 => all.clone().prop_map(|(outer, inner, value)| Step::UpdateOrInsert(outer, inner, value)),
        4 => (keys.clone(), answer).prop_map(|((outer, inner), answer)| Step::Compute(outer, inner, answer)),
        8 => keys.clone().prop_map(|(outer, inner)| Step::Remove(outer, inner)),
        2 => keys.prop_map(|(outer, inner)| Step::RemoveIf(outer, inner)),
        2 => outer.prop_map(Step::RemoveOuter),
        1 => (1..5_u8).prop_map(Step::Retain),
        1 => Just(Step::Clear),
        1 => Just(Step::Clone),
        2 => all.prop_map(|(outer, inner, value)| Step::InSession(outer, inner, value)),
    ]
}

proptest! {
    #[test]
    fn agrees_with_maps_of_the_standard_library(steps in prop::collection::vec(step(), 1..60)) {
        agree(GoodHash::default(), &steps);
    }

    #[test]
    fn agrees_with_a_hasher_that_tells_no_keys_apart(steps in prop::collection::vec(step(), 1..60)) {
        agree(ConstantHash, &steps);
    }

    #[test]
    fn agrees_with_a_hasher_of_low_bits(steps in prop::collection::vec(step(), 1..60)) {
        agree(LowBitsHash, &steps);
    }
}
