//! Nor can a reference to a key outlive its `Ref`.

fn main() {
    let map = tidymap::HashMap::<String, u64>::new();
    let key: &str = map.get("a").unwrap().key();
    println!("{key:?}");
}
