//! An element found in a set is not to be kept without what keeps it.

fn main() {
    let set = tidymap::HashSet::from([String::from("one")]);
    let one: &str = set.get("one").unwrap().as_str();
    println!("{one}");
}
