//! A registry of sessions that closes the socket when its session is removed.
//!
//! A value's destructor is as good as a call of `close`, if it is known when it runs. Here it is: before [`remove`](crate::HashMap::remove) returns, or with the
//! last guard that was looking at it (R1, R2).
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use tidymap::HashMap;
//!
//! /// Dropping it closes the connection.
//! struct Session {
//!     user: String,
//!     stream: TcpStream,
//! }
//!
//! let sessions: HashMap<u64, Session> = HashMap::new();
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let mut client = TcpStream::connect(listener.local_addr()?)?;
//! let (stream, _) = listener.accept()?;
//! sessions.insert(7, Session { user: "alice".into(), stream });
//!
//! // Any thread may use it where it is; a socket can be written through a shared reference.
//! let session = sessions.get(&7).expect("it is there");
//! assert_eq!(session.user, "alice");
//! (&session.stream).write_all(b"hello")?;
//! drop(session);
//!
//! // Logged out: the socket is closed when this returns, and the client reads to the end.
//! drop(sessions.remove(&7));
//! let mut received = String::new();
//! client.read_to_string(&mut received)?;
//! assert_eq!(received, "hello");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! If closing takes long, or may fail, it is not for a destructor. Then take the session out by value: [`remove_owned`](crate::HashMap::remove_owned) waits until nobody looks at it;
//! or let [`on_reclaim`](crate::Builder::on_reclaim) send each session to a thread that closes them.
//!
//! ```
//! use std::sync::mpsc;
//! use tidymap::{HashMap, Reclaimed};
//!
//! # struct Session { user: String }
//! # impl Session { fn log_out(self) -> String { self.user } }
//! let (sender, closing) = mpsc::channel();
//! let sessions = HashMap::builder().on_reclaim(move |gone| _ = sender.send(gone)).build();
//! let closer = std::thread::spawn(move || {
//!     let mut closed = Vec::new();
//!     for gone in closing {
//!         if let Reclaimed::Removed(_, session) | Reclaimed::Overwritten(session) = gone {
//!             closed.push(Session::log_out(session));
//!         }
//!     }
//!     closed
//! });
//! sessions.insert(7, Session { user: "alice".into() });
//! sessions.insert(8, Session { user: "bob".into() });
//! sessions.remove(&7);
//! drop(sessions); // what is left goes the same way
//! assert_eq!(closer.join().unwrap(), ["alice", "bob"]);
//! ```
