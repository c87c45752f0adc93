//! A key-value service over HTTP whose handlers share a map: `cargo run -p tidymap-examples --example axum -- 127.0.0.1:8080`, and then
//! `curl -X PUT --data hello http://127.0.0.1:8080/greeting`.
//!
//! What is deleted is dropped when the last response that shows it has been made.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

type Store = Arc<tidymap::HashMap<String, String>>;

/// The value, or 404. Copied out: nothing of the map is held while the response is on its way.
async fn read(State(store): State<Store>, Path(key): Path<String>) -> Result<String, StatusCode> {
    store.get_cloned(&key).ok_or(StatusCode::NOT_FOUND)
}

async fn write(State(store): State<Store>, Path(key): Path<String>, body: String) -> StatusCode {
    match store.insert(key, body) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::CREATED,
    }
}

async fn delete(State(store): State<Store>, Path(key): Path<String>) -> StatusCode {
    match store.remove(&key) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

/// All keys and values, a line each. Its session may go from thread to thread, and lives while others write.
async fn list(State(store): State<Store>) -> String {
    let session = store.pin_owned();
    let mut lines = Vec::new();
    for (key, value) in &session.iter().collect::<Vec<_>>() {
        lines.push(format!("{key}={value}\n"));
        if lines.len() % 100 == 0 {
            // Others first: a list may be long.
            tokio::task::yield_now().await;
        }
    }
    lines.sort();
    lines.concat()
}

fn service(store: Store) -> Router {
    Router::new().route("/", get(list)).route("/{key}", get(read).put(write).delete(delete)).with_state(store)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    let address: SocketAddr = listener.local_addr()?;
    println!("http://{address}/");
    axum::serve(listener, service(Store::default())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked by a client that knows nothing of the map.
    #[test]
    fn over_http() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = Store::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = |path: &str| format!("http://{}/{path}", listener.local_addr().unwrap());
        let (all, greeting, other) = (at(""), at("greeting"), at("other"));
        runtime.spawn(axum::serve(listener, service(store.clone())).into_future());

        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let text = |url: &str| {
            let mut response = agent.get(url).call().unwrap();
            (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
        };
        assert_eq!(text(&greeting).0, 404);
        assert_eq!(agent.put(&greeting).send("hello").unwrap().status(), 201);
        assert_eq!(agent.put(&greeting).send("hello again").unwrap().status(), 204);
        assert_eq!(text(&greeting), (200, "hello again".to_owned()));
        std::thread::scope(|scope| {
            for client in 0..4 {
                let (agent, other) = (&agent, &other);
                scope.spawn(move || (0..50).for_each(|_| drop(agent.put(other).send(&client.to_string()).unwrap())));
            }
            for _ in 0..50 {
                assert!(text(&all).1.contains("greeting=hello again\n"));
            }
        });
        assert_eq!(agent.delete(&greeting).call().unwrap().status(), 204);
        assert_eq!((text(&greeting).0, store.len()), (404, 1));
        assert_eq!(store.reclaim().map(|()| store.stats().pending.entries), Ok(0));
    }
}
