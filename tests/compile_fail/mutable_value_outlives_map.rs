fn main() {
    let mut map = tidymap::HashMap::from([(1, String::from("one"))]);
    let value = map.iter_mut().next().unwrap().1;
    drop(map);
    value.clear();
}
