//! A value could be replaced by one that does not live as long.

fn shorten<'s, 'm>(
    all: tidymap::IterMut<'m, u32, &'static str>,
) -> tidymap::IterMut<'m, u32, &'s str> {
    all
}

fn main() {
    let mut map = tidymap::HashMap::from([(1, "one")]);
    shorten(map.iter_mut());
}
