//! A value that may be changed is seen by nobody else.

fn main() {
    let mut map = tidymap::HashMap::from([(1, String::from("one"))]);
    let value = map.get_mut(&1).unwrap();
    let same = map.get(&1);
    value.clear();
    println!("{same:?}");
}
