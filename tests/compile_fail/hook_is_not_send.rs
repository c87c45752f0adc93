//! The hook is called by whatever thread reclaims.

fn main() {
    let count = std::rc::Rc::new(1);
    let _ = tidymap::HashMap::<u64, u64>::builder().on_reclaim(move |_| println!("{count}"));
}
