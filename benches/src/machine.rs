//! On what it was measured.

use std::collections::BTreeMap;
use std::process::Command;

use crate::Failure;

/// The processor, the system, the compiler, and the versions of the peers.
pub fn describe() -> Result<BTreeMap<String, String>, Failure> {
    let mut machine = BTreeMap::new();
    let mut tell = |what: &str, how: String| machine.insert(what.to_owned(), how);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    tell("processor", processor.map_or("unknown", |(_, name)| name).to_owned());
    tell("cores", std::thread::available_parallelism().map_or(0, usize::from).to_string());
    tell("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    tell("compiler", first_line("rustc", &["--version"])?);
    tell("peers", peers()?);
    Ok(machine)
}

fn first_line(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// The versions that this was built with.
fn peers() -> Result<String, Failure> {
    let lock = include_str!("../../Cargo.lock");
    let manifest = include_str!("../Cargo.toml");
    let peers = manifest.lines().skip_while(|line| *line != "# The peers.").skip(1);
    let names = peers.take_while(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let mut versions = Vec::new();
    for (name, requirement) in names {
        // Some are there twice, because others depend on an older one.
        let wanted = requirement.trim_matches('"');
        let found = lock.split("[[package]]").find_map(|package| {
            let version = package.split_once(&format!("name = \"{name}\"\nversion = \""))?.1.split('"').next()?;
            version.starts_with(wanted.rsplit_once('.')?.0).then_some(version)
        });
        versions.push(format!("{name} {}", found.ok_or(format!("no {name} in Cargo.lock"))?));
    }
    Ok(versions.join(", "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_peer_has_a_version() {
        let peers = super::peers().unwrap();
        for peer in ["arc-swap 1.9", "hashbrown 0.17", "papaya 0.2", "scc 3."] {
            assert!(peers.contains(peer), "{peers}");
        }
    }
}
