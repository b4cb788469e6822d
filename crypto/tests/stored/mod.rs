//! Reading stored vectors: the folder `vectors` of whichever crate's test this is part of (the ledger's takes it in by path).

use serde_json::Value;
use std::{fs, path::Path};

pub(crate) const FAILED: &str =
    "a stored vector no longer holds: mend the code, never the vector (see the head of the test)";

pub(crate) fn vector(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{name}.json"));
    let text = fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; stored vectors are never removed", path.display()));
    serde_json::from_slice(&text).unwrap()
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

pub(crate) fn list(value: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    value.as_array().unwrap().iter()
}
