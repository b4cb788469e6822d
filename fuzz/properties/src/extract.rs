//! A bank's extract, CSV or camt.053: what can be read agrees with itself, and is the same when it is written and read again.

use counterfoil::reconcile::{
    Period, export,
    extract::{ExtractError, read},
    line::{Line, Names},
    mapping::Mapping,
    reconcile,
};
use std::{fs, path::Path};

/// The file, plain or gzip, in the standard form. An extract without lines is not accepted.
#[must_use]
pub fn any_extract(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("extract");
    fs::write(&path, bytes).expect("the folder is ours");
    let mut names = Names::default();
    let Ok(lines) = lines_of(&path, &mut names) else { return false };
    let report = reconcile(lines.clone(), &mut names, Period::default(), None, |names, sink| {
        read(&path, &Mapping::default(), names, |_| {}, sink)
    });
    let report = report.expect("what was read once can be read again");
    assert!(
        report.breaks.iter().all(|item| matches!(item.cause, "account" | "customer")),
        "{}",
        report.to_text(9)
    );
    let mut written = Vec::new();
    export::write(&mut written, &lines, &names).expect("memory takes it");
    fs::write(&path, written).expect("the folder is ours");
    let again = lines_of(&path, &mut names).expect("what was written can be read");
    let without_rows = |lines: &[Line]| lines.iter().map(|line| Line { row: 0, ..*line }).collect::<Vec<_>>();
    assert_eq!(without_rows(&again), without_rows(&lines));
    !lines.is_empty()
}

fn lines_of(path: &Path, names: &mut Names) -> Result<Vec<Line>, ExtractError> {
    let mut lines = Vec::new();
    read(path, &Mapping::default(), names, |_| {}, &mut |line| {
        lines.push(line);
        Ok(())
    })?;
    Ok(lines)
}
