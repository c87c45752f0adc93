//! How the figures come to be served.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use metrics::{Counter, Unit};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
use tidymap::Metrics;

use crate::site::Site;

/// The one metric that is not the map's.
pub(crate) const LOOKUPS: &str = "sessions_lookups_total";

pub(crate) const RECORDED_EVERY: Duration = Duration::from_millis(250);

/// Serves all metrics of the program over HTTP, and tells where: if the port is 0, one is found.
///
/// # Errors
/// If the address cannot be had, or if the metrics are served already.
pub(crate) fn serve(listen: SocketAddr) -> Result<SocketAddr, BuildError> {
    let mut attempts = 0;
    loop {
        let address = if listen.port() == 0 { free_port_of(listen) } else { listen };
        attempts += 1;
        match PrometheusBuilder::new().with_http_listener(address).install() {
            // Somebody else may have taken the free port.
            Err(BuildError::FailedToCreateHTTPListener(_)) if listen.port() == 0 && attempts < 10 => {}
            result => return result.map(|()| address),
        }
    }
}

/// The exporter does not tell the port that it got, so one is chosen for it.
fn free_port_of(listen: SocketAddr) -> SocketAddr {
    TcpListener::bind(listen).and_then(|listener| listener.local_addr()).unwrap_or(listen)
}

/// Hands the site's figures to whoever serves them.
pub(crate) struct Exporter {
    sessions: Metrics,
    lookups: Counter,
}

impl Exporter {
    /// To be made after [`serve`] has been called.
    pub(crate) fn new() -> Exporter {
        metrics::describe_counter!(LOOKUPS, Unit::Count, "Lookups, as the workers count them");
        Exporter { sessions: Metrics::new("sessions"), lookups: metrics::counter!(LOOKUPS) }
    }

    pub(crate) fn record(&self, site: &Site) {
        self.sessions.record(&site.stats());
        self.lookups.absolute(site.lookups());
    }

    pub(crate) fn record_while_open(&self, site: &Site) {
        let start = Instant::now();
        let mut next = Duration::ZERO;
        while site.is_open() {
            self.record(site);
            next += RECORDED_EVERY;
            thread::sleep(next.saturating_sub(start.elapsed()));
        }
    }
}
