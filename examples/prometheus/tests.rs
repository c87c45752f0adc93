//! The whole run, small; and its parts.

use std::net::{SocketAddr, TcpListener};

use super::*;
use crate::scrape::Metric;

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

/// Serves, scrapes, and looks whether all is there. The one test that may install the exporter, of which a process has one.
#[test]
fn figures_are_served_scraped_and_drawn() {
    let address = exporter::serve(any_port()).expect("a free port");
    let (site, exporter) = (Site::new(), Exporter::new());
    exporter.record(&site);
    let before = scrape::scrape(address).expect("an answer");
    assert_eq!(before.value("tidymap_entries"), Some(site.logged_in() as f64));
    assert_eq!(before.value(exporter::LOOKUPS), Some(0.0));
    let entries = &before.metrics["tidymap_entries"];
    assert_eq!((entries.kind.as_str(), entries.labels.as_str()), ("gauge", "map=\"sessions\""));
    assert!(before.metrics.values().all(|metric| !metric.help.is_empty() && !metric.kind.is_empty()), "{before:?}");

    thread::scope(|scope| {
        let _closes = site.open(scope, 2);
        while site.lookups() == 0 || site.stats().retired == 0 {
            thread::yield_now();
        }
        exporter.record(&site);
        let meanwhile = scrape::scrape(address).expect("an answer");
        assert!(meanwhile.value(exporter::LOOKUPS) > Some(0.0));
        assert!(meanwhile.value("tidymap_retired_total") > Some(0.0));
    });
    site.settle();
    exporter.record(&site);
    let after = scrape::scrape(address).expect("an answer");
    assert_eq!(faults(&site, &after), Vec::<String>::new());
    assert_ne!(faults(&site, &before), Vec::<String>::new(), "lookups, at least, have been done since");

    let scrapes = vec![(Duration::ZERO, before), (Duration::from_secs(1), after)];
    let svg = dashboard::svg(&scrapes).expect("all figures are there");
    assert!(svg.starts_with("<svg") && svg.contains("Oldest guard"), "{svg}");
    let page = page::page(&scrapes).expect("all figures are there");
    for (name, metric) in scrapes[1].1.metrics.iter().filter(|(name, _)| *name != exporter::LOOKUPS) {
        assert!(page.contains(&format!("| `{name}` | {} | {} |", metric.kind, metric.help)), "{page}");
    }

    // No second exporter, and no address that is taken.
    assert!(exporter::serve(any_port()).is_err());
    let taken = TcpListener::bind(any_port()).expect("a free port");
    assert!(exporter::serve(taken.local_addr().expect("an address")).is_err());
}

#[test]
fn the_text_format_is_read() {
    let text = "# HELP a_total What it is\n# TYPE a_total counter\na_total{map=\"x y\",b=\"{}\"} 17\n\n# TYPE b gauge\nb 0.5\n";
    let scrape = Scrape::parse(text).expect("this is the format");
    let metric = |help: &str, kind: &str, labels: &str, value| Metric {
        help: help.into(),
        kind: kind.into(),
        labels: labels.into(),
        value,
    };
    assert_eq!(scrape.metrics["a_total"], metric("What it is", "counter", "map=\"x y\",b=\"{}\"", 17.0));
    assert_eq!(scrape.metrics["b"], metric("", "gauge", "", 0.5));
    assert_eq!((scrape.value("b"), scrape.value("c"), scrape.metrics.len()), (Some(0.5), None, 2));
    for malformed in ["a", "a x", "a{b=\"c\" 1", "# HELP", "# NONE a b", "a 1\na 2"] {
        assert!(Scrape::parse(malformed).is_err(), "{malformed}");
    }
}

#[test]
fn what_was_not_scraped_is_an_error() {
    let nothing = [(Duration::ZERO, Scrape::default())];
    assert!(dashboard::svg(&nothing).is_err());
    assert!(page::page(&nothing).is_err());
    assert!(page::summary(&[]).is_err());
}

#[test]
fn numbers_are_shown_as_they_are() {
    assert_eq!([0.0, 999.0, 1000.0, 1_234_567.0, 5.125].map(page::number), ["0", "999", "1,000", "1,234,567", "5.12"]);
}

#[test]
fn arguments_are_checked() {
    let parsed = |args: &[&str]| Args::try_parse_from([&["prometheus"], args].concat());
    let args = parsed(&["--seconds", "60", "--docs", "docs"]).expect("these are right");
    assert_eq!((args.listen.port(), args.seconds), (9000, Some(60)));
    for wrong in [&["--listen", "here"][..], &["--seconds", "0"], &["--docs", "docs"], &["more"]] {
        assert_eq!(parsed(wrong).err().expect("these are wrong").exit_code(), 2, "{wrong:?}");
    }
}
