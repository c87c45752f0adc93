//! Fetches the figures as Prometheus does, and reads its text format.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What one answer held. This program serves one map, so a name stands for one figure.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Scrape {
    /// By name.
    pub(crate) metrics: BTreeMap<String, Metric>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Metric {
    pub(crate) help: String,
    pub(crate) kind: String,
    /// As they were written.
    pub(crate) labels: String,
    pub(crate) value: f64,
}

impl Scrape {
    /// The figure of this name, if there is one.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).map(|metric| metric.value)
    }

    /// Reads the text format: a line that begins with `# HELP` or `# TYPE`, or a name, labels in braces, and a value.
    ///
    /// # Errors
    /// On a line that is none of these, and on a name with two values.
    pub(crate) fn parse(text: &str) -> Result<Scrape, String> {
        let (mut helps, mut kinds) = (BTreeMap::new(), BTreeMap::new());
        let mut metrics = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let malformed = || format!("not a metric: {line}");
            if let Some(comment) = line.strip_prefix("# ") {
                let (what, comment) = comment.split_once(' ').ok_or_else(malformed)?;
                let (name, comment) = comment.split_once(' ').ok_or_else(malformed)?;
                match what {
                    "HELP" => helps.insert(name, comment),
                    "TYPE" => kinds.insert(name, comment),
                    _ => return Err(malformed()),
                };
                continue;
            }
            let (series, value) = line.rsplit_once(' ').ok_or_else(malformed)?;
            let (name, labels) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').ok_or_else(malformed)?),
                None => (series, ""),
            };
            let of_name = |comments: &BTreeMap<_, &str>| comments.get(name).copied().unwrap_or_default().to_owned();
            let metric = Metric {
                help: of_name(&helps),
                kind: of_name(&kinds),
                labels: labels.to_owned(),
                value: value.parse().map_err(|_| malformed())?,
            };
            if metrics.insert(name.to_owned(), metric).is_some() {
                return Err(format!("a second value: {line}"));
            }
        }
        Ok(Scrape { metrics })
    }
}

/// # Errors
/// If there is no answer within seconds, or one that is not understood.
pub(crate) fn scrape(address: SocketAddr) -> Result<Scrape, Box<dyn Error>> {
    let patience = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    // With version 1.0 the answer comes in one piece, and ends with the connection.
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("not an answer of HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("{address} answers {status}").into());
    }
    Ok(Scrape::parse(body)?)
}
