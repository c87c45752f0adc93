//! A map that may still drop a value cannot outlive what the value borrows.

fn main() {
    let map = tidymap::HashMap::<u64, &String>::new();
    {
        let text = String::from("short-lived");
        map.insert(1, &text);
        map.remove(&1);
    }
    println!("{}", map.len());
}
