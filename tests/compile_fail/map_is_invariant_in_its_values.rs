//! Nor for one of values that live less long.

fn shorten<'m>(map: &'m tidymap::HashMap<u64, &'static str>, _: &'m str) -> &'m tidymap::HashMap<u64, &'m str> {
    map
}

fn main() {
    shorten(&tidymap::HashMap::new(), &String::new());
}
