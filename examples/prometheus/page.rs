//! The page: `--docs` writes it. Names, meanings and figures are those that were scraped.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use crate::exporter::LOOKUPS;
use crate::scrape::Scrape;

/// The folder of the picture, beside the page, and its name.
pub(crate) const PICTURES: &str = "metrics";
pub(crate) const DASHBOARD: &str = "dashboard.svg";

const NAMES_OF_THE_MAP: &str = "tidymap_";

/// The run in one line.
///
/// # Errors
/// If a scrape lacks a figure.
pub(crate) fn summary(scrapes: &[(Duration, Scrape)]) -> Result<String, String> {
    Ok(format!(
        "{} lookups; {} entries removed, {} of them dropped, at most {} held back at a time",
        number(last(scrapes, LOOKUPS)?),
        number(last(scrapes, "tidymap_retired_total")?),
        number(last(scrapes, "tidymap_freed_total")?),
        number(most(scrapes, "tidymap_pending_entries")?),
    ))
}

/// The page.
///
/// # Errors
/// If a scrape lacks a figure.
pub(crate) fn page(scrapes: &[(Duration, Scrape)]) -> Result<String, String> {
    let (time, last) = scrapes.last().ok_or("nothing was scraped")?;
    let mut table = String::from("| name | kind | meaning | most in this run |\n|---|---|---|---:|\n");
    for (name, metric) in last.metrics.iter().filter(|(name, _)| name.starts_with(NAMES_OF_THE_MAP)) {
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| `{name}` | {} | {} | {} |",
            metric.kind,
            metric.help.replace('|', "\\|"),
            number(most(scrapes, name)?)
        );
    }
    Ok(format!(
        "\
# Metrics

Written by `cargo run --release -p tidymap-examples --example prometheus -- --seconds {} --docs docs`, all figures included. Do not edit.

With the feature `metrics`, `Metrics` hands the figures of `HashMap::stats` to the [`metrics`](https://docs.rs/metrics) facade, from which exporters
take them:

```rust
// Once, after the exporter has been installed:
let metrics = tidymap::Metrics::new(\"sessions\");
// Every few seconds:
metrics.record(&sessions.stats());
```

Nothing is added to what the map does. `stats` is what it costs: it visits each thread's record and takes the writer mutex for a moment.

## Names

Each has the label `map`, the name that `Metrics::new` was given.

{table}
## A dashboard

![dashboard](metrics/{DASHBOARD})

A site with some 50,000 sessions: workers look them up, and 10,000 people a second log in and out. Now and then somebody exports all sessions over a slow
line, in one session of the map that stays open for seconds. What is removed meanwhile is held back, and the dashboard says so: the oldest
guard grows old, pending entries and bytes rise, nothing is dropped. When the export ends, it drops what it held back, all at once, and
the memory is back. Lookups go on all the time. How many there are depends on the machine, its caches, and what else
runs there.

On {} processors, in {} seconds: {}.

## Prometheus

```yaml
scrape_configs:
  - job_name: sessions
    scrape_interval: 5s
    static_configs:
      - targets: [\"127.0.0.1:9000\"]
```

Worth an alert: a guard that nobody ends, which is a leak in the making. `HashMap::stats` has the name of its thread.

```yaml
groups:
  - name: tidymap
    rules:
      - alert: TidymapGuardHeld
        expr: tidymap_oldest_guard_seconds > 60 and tidymap_pending_entries > 0
      - alert: TidymapGarbageGrows
        expr: tidymap_pending_bytes > 0.5 * (tidymap_heap_tables_bytes + tidymap_heap_entries_bytes)
        for: 1m
```
",
        time.as_secs(),
        thread::available_parallelism().map_or(1, usize::from),
        time.as_secs(),
        summary(scrapes)?,
    ))
}

fn last(scrapes: &[(Duration, Scrape)], name: &str) -> Result<f64, String> {
    let value = scrapes.last().and_then(|(_, scrape)| scrape.value(name));
    value.ok_or_else(|| format!("{name} was not scraped"))
}

fn most(scrapes: &[(Duration, Scrape)], name: &str) -> Result<f64, String> {
    let values = scrapes.iter().filter_map(|(_, scrape)| scrape.value(name));
    values.reduce(f64::max).ok_or_else(|| format!("{name} was not scraped"))
}

/// With commas between the thousands; small fractions with two digits.
pub(crate) fn number(value: f64) -> String {
    if value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
