//! Elements of two sets are kept by both sessions.

use tidymap::HashSet;

fn main() {
    let (a, b) = (HashSet::from([1]), HashSet::from([2]));
    let session = a.pin();
    let union: Vec<&u32> = {
        let other = b.pin();
        session.union(&other).collect()
    };
    println!("{union:?}");
}
