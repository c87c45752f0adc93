//! A map cannot be taken for one of keys that live less long: others may look at what is inserted then.

fn shorten<'m>(map: &'m tidymap::HashMap<&'static str, u64>, _: &'m str) -> &'m tidymap::HashMap<&'m str, u64> {
    map
}

fn main() {
    shorten(&tidymap::HashMap::new(), &String::new());
}
