//! Instruction counts of the hot calls: they do not depend on how busy a machine is. Counted by valgrind's callgrind, and held
//! against the ceilings in `stored.json`.
//!
//! ```text
//! cargo instructions              fails where a count is above its ceiling
//! cargo instructions --update     makes the counts the ceilings
//! ```

mod calls;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Calls that are counted.
const TIMES: u64 = 20_000;

/// A count may be so many percent above what was stored: tables choose their own order, anew in each process, and in another checkout
/// the compiler divides the same code otherwise.
const SLACK: u64 = 3;

/// Instructions of a call, by the name of the call.
type Counts = BTreeMap<String, u64>;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => check(false),
        ["--update"] => check(true),
        // What runs under valgrind: this program itself.
        ["--call", call] => calls::run(call, TIMES),
        _ => Err("usage: cargo instructions [--update]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Counts all calls, prints them, and fails if one is above its ceiling; or makes the counts the ceilings.
fn check(update: bool) -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stored.json");
    let mut ceilings: Counts = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let mut above = Vec::new();
    println!("{:<34} {:>12} {:>8}", "instructions a call", "counted", "stored");
    for (call, ceiling) in &mut ceilings {
        let counted = count(call)?;
        println!("{call:<34} {counted:>12} {ceiling:>8}");
        if update {
            *ceiling = counted;
        } else if counted * 100 > *ceiling * (100 + SLACK) {
            above.push(call.clone());
        }
    }
    if update {
        std::fs::write(&path, serde_json::to_string_pretty(&ceilings)? + "\n")?;
    }
    if above.is_empty() { Ok(()) } else { Err(format!("more instructions than before: {}", above.join("; ")).into()) }
}

/// Instructions of one call, with its share of the loop.
fn count(call: &str) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .args(["--toggle-collect=*instructions*calls*counted*"])
        .arg(std::env::current_exe()?)
        .args(["--call", call])
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{call}: {}\n{told}", output.status).into());
    }
    let counted = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<u64>().ok());
    match counted {
        Some(counted) if counted > TIMES => Ok((counted + TIMES / 2) / TIMES),
        _ => Err(format!("{call}: valgrind has counted nothing\n{told}").into()),
    }
}
