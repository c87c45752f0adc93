//! Instruction counts of the hot calls: they do not depend on how busy a machine is. Counted by valgrind's callgrind, and held
//! against the ceilings in `instructions.json`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::Failure;

/// Keys in the map of which the calls are counted.
pub const KEYS: u64 = 1_000;

/// Calls that are counted.
const TIMES: u64 = 20_000;

/// A count may be so many percent above what was stored: tables choose their own order, anew in each process.
const SLACK: u64 = 3;

/// What is counted: nothing outside of it is.
#[inline(never)]
pub fn counted(work: impl FnOnce()) {
    work();
}

/// Instructions of a call, by the name of the call.
type Counts = BTreeMap<String, u64>;

/// Counts all calls, prints them, and fails if one is above its ceiling; or makes the counts the ceilings.
pub fn check(update: bool) -> Result<(), Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
    let mut ceilings: Counts = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let binary = std::env::current_exe()?.with_file_name("hot_calls");
    let mut above = Vec::new();
    println!("{:<34} {:>12} {:>8}", "instructions a call", "counted", "stored");
    for (call, ceiling) in &mut ceilings {
        let counted = count(&binary, call)?;
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
fn count(binary: &Path, call: &str) -> Result<u64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .args(["--toggle-collect=*instructions*counted*"])
        .arg(binary)
        .args([call, &TIMES.to_string()])
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
