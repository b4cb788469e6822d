//! What the tests share: running the binary, reading its JSON, finding the real loans.

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil");
pub(crate) const BANKS: [&str; 4] = ["bank-a", "bank-b", "bank-c", "bank-d"];

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

/// Runs the binary, which must end well and print JSON.
pub(crate) fn json(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs the binary, which must fail; returns what it says.
pub(crate) fn failure(args: &[&str]) -> String {
    let output = run(args);
    assert!(!output.status.success(), "{args:?} should fail");
    String::from_utf8(output.stderr).unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The folder with real loans: `COUNTERFOIL_DATA`, or `../shared/data` beside the project.
pub(crate) fn real_loans() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("COUNTERFOIL_DATA").map_or(beside, PathBuf::from);
    let found = folder.join("auto/auto_loans_cents.csv.gz").is_file();
    if !found {
        eprintln!("SKIPPED: no real loans at {}; set COUNTERFOIL_DATA to run this test", folder.display());
    }
    found.then_some(folder)
}

/// A number of a report.
pub(crate) fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// The line of a bank in a report.
pub(crate) fn line<'a>(report: &'a Value, bank: &str) -> &'a Value {
    let lines = report["lines"].as_array().unwrap();
    lines.iter().find(|line| line["bank"] == bank).unwrap_or_else(|| panic!("no line of {bank}"))
}
