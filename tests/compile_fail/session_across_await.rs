fn spawn(_: impl Future<Output = ()> + Send) {}

fn main() {
    let map = tidymap::HashMap::from([(1, "one")]);
    // This one may.
    spawn(async {
        let session = map.pin_owned();
        std::future::ready(()).await;
        drop(session);
    });
    spawn(async {
        let session = map.pin();
        std::future::ready(()).await;
        drop(session);
    });
}
