//! The figures of a map for Prometheus: the sessions of a busy site, and what a dashboard shows of them.
//!
//! Requests look sessions up without stopping, people log in and out, and now and then somebody exports all sessions over a slow
//! line: one guard that stays for seconds, and holds back what is removed meanwhile. The figures are served over HTTP.
//! With `--docs`, they are also scraped from there, and drawn.
//!
//! ```text
//! cargo run --release -p tidymap-examples --example prometheus
//! cargo run --release -p tidymap-examples --example prometheus -- --seconds 60 --docs docs
//! cargo test -p tidymap-examples --example prometheus
//! ```
//!
//! After `--seconds` it ends, with status 1 if a lookup was answered wrongly, or if what was scraped last is not how the map is then:
//! at rest, and nothing held back.
//!
//! - [`site`]: the map, and what goes on in it;
//! - [`exporter`]: how its figures come to be served; [`scrape`]: how they are fetched;
//! - [`dashboard`], [`page`]: how they are shown.

mod dashboard;
mod exporter;
mod page;
mod scrape;
mod site;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::exporter::Exporter;
use crate::scrape::Scrape;
use crate::site::Site;

/// Serves the figures of a map of sessions to Prometheus.
#[derive(Parser)]
#[command(name = "prometheus")]
struct Args {
    /// Where to serve them; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,

    /// How long to run [default: until stopped]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: Option<u64>,

    /// Scrape the figures meanwhile, and write metrics.md and a picture of them to this folder
    #[arg(long, value_name = "DIR", requires = "seconds")]
    docs: Option<PathBuf>,
}

const SCRAPED_EVERY: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            faults.iter().for_each(|fault| eprintln!("error: {fault}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the site, and tells what was wrong in the end.
fn run(args: &Args) -> Result<Vec<String>, Box<dyn Error>> {
    if let Some(folder) = &args.docs {
        // Now, and not after a minute.
        fs::create_dir_all(folder.join(page::PICTURES)).map_err(|error| about(folder, error))?;
    }
    let address = exporter::serve(args.listen)?;
    println!("http://{address}/metrics");
    let (site, exporter) = (Site::new(), Exporter::new());
    let mut scrapes = thread::scope(|scope| {
        let _closes = site.open(scope, spare_processors());
        scope.spawn(|| exporter.record_while_open(&site));
        match args.seconds {
            Some(seconds) => watch(address, Duration::from_secs(seconds)),
            None => loop {
                thread::park();
            },
        }
    })?;
    site.settle();
    exporter.record(&site);
    let last = scrape::scrape(address)?;
    let faults = faults(&site, &last);
    scrapes.push((args.seconds.map_or(Duration::ZERO, Duration::from_secs), last));
    println!("{}", page::summary(&scrapes)?);
    if let Some(folder) = &args.docs {
        write(folder, &scrapes)?;
    }
    Ok(faults)
}

/// What was scraped, and how long after the start.
type Scrapes = Vec<(Duration, Scrape)>;

/// Scrapes again and again for so long.
fn watch(address: SocketAddr, time: Duration) -> Result<Scrapes, Box<dyn Error>> {
    let start = Instant::now();
    let mut scrapes = Vec::new();
    // Between two recordings, so that it is always as many of them from one scrape to the next.
    let mut next = exporter::RECORDED_EVERY / 2;
    while next < time {
        thread::sleep(next.saturating_sub(start.elapsed()));
        scrapes.push((start.elapsed(), scrape::scrape(address)?));
        next += SCRAPED_EVERY;
    }
    thread::sleep(time.saturating_sub(start.elapsed()));
    Ok(scrapes)
}

/// What is wrong with the site, which is closed, and with what was scraped after that.
fn faults(site: &Site, last: &Scrape) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |what: &str, is: Option<f64>, should_be: f64| {
        if is != Some(should_be) {
            let is = is.map_or("nothing".to_owned(), |is| is.to_string());
            faults.push(format!("{what}: {is}, not {should_be}"));
        }
    };
    check("wrong answers", Some(site.wrong_answers() as f64), 0.0);
    for (name, should_be) in [
        (exporter::LOOKUPS, site.lookups() as f64),
        ("tidymap_entries", site.logged_in() as f64),
        ("tidymap_pending_entries", 0.0),
        ("tidymap_pending_bytes", 0.0),
        ("tidymap_live_guards", 0.0),
        ("tidymap_oldest_guard_seconds", 0.0),
    ] {
        check(name, last.value(name), should_be);
    }
    faults
}

fn write(folder: &Path, scrapes: &Scrapes) -> Result<(), Box<dyn Error>> {
    let picture = folder.join(page::PICTURES).join(page::DASHBOARD);
    fs::write(&picture, dashboard::svg(scrapes)?).map_err(|error| about(&picture, error))?;
    let file = folder.join("metrics.md");
    fs::write(&file, page::page(scrapes)?).map_err(|error| about(&file, error))?;
    Ok(())
}

/// Says which file an error is about.
fn about(path: &Path, error: std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// How many readers leave a processor for the others.
fn spare_processors() -> usize {
    thread::available_parallelism().map_or(1, |processors| (processors.get() - 1).max(1))
}
