//! What a reader has found is good until its next read.

use tidymap::HashSet;

fn main() {
    let set = HashSet::from([1, 2]);
    let mut reader = set.reader();
    let one = reader.get(&1);
    reader.contains(&2);
    println!("{one:?}");
}
