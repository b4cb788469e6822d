//! A bank's extract, plain or gzip, CSV or camt.053, read line by line with a bound on what one line may take, every
//! refusal with its row and column.
//!
//! Which of the two it is, the first character says: XML begins with `<`.

mod camt;
mod table;

use super::{
    cells::Refusal,
    line::{Line, Names},
    mapping::Mapping,
};
use flate2::bufread::MultiGzDecoder;
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Longest row, or piece of XML, that is read: a line of a gigabyte ends here (attack 24).
const MAX_BYTES: u64 = 64 * 1024;
/// What a reader may take ahead of what it parses.
const BUFFER_BYTES: usize = 8 * 1024;

/// Why an extract cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// Not there, or not ours to read.
    #[error("{}: cannot be opened ({source}); check the path", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The bytes cannot be had or decompressed.
    #[error("{}, {place}: cannot be read on ({source}); the file is damaged or cut off, fetch it again", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where.
        place: String,
        /// The system's words.
        source: io::Error,
    },
    /// No bytes at all.
    #[error("{}: the file is empty; it must begin with a line of column names, or be a camt.053", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Something in it that cannot be.
    #[error("{}, {place}: {problem}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Where: row and column, or entry and element.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Whoever took the lines refused one.
    #[error("{}: {problem}", .path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

/// Takes the lines of an extract one by one, and may refuse to go on.
pub type Sink<'a> = &'a mut dyn FnMut(Line) -> Result<(), String>;

/// Reads the lines of an extract, in its order; returns how many. `read_bytes` hears of every bufferful that is read.
///
/// # Errors
/// [`ExtractError`], with the place.
pub fn read(
    path: &Path,
    mapping: &Mapping,
    names: &mut Names,
    read_bytes: impl FnMut(u64) + 'static,
    sink: Sink<'_>,
) -> Result<u64, ExtractError> {
    let open = |source| ExtractError::Open { path: path.to_owned(), source };
    let metered = Metered { inner: File::open(path).map_err(open)?, heard: Box::new(read_bytes) };
    let mut plain = BufReader::with_capacity(BUFFER_BYTES, metered);
    let packed = plain.fill_buf().map_err(open)?.starts_with(&[0x1f, 0x8b]);
    let inner: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) };
    let mut file = BufReader::with_capacity(BUFFER_BYTES, inner);
    let start = file.fill_buf().map_err(open)?;
    if start.is_empty() {
        return Err(ExtractError::Empty { path: path.to_owned() });
    }
    let text = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).trim_ascii_start();
    let is_xml = text.starts_with(b"<");
    let limit = Limit::default();
    let bounded = Bounded { inner: file, taken: 0, limit: limit.clone() };
    let source = Source { path, mapping, names, limit };
    if is_xml { camt::read(source, bounded, sink) } else { table::read(source, bounded, sink) }
}

/// What both formats need besides the bytes.
struct Source<'a> {
    path: &'a Path,
    mapping: &'a Mapping,
    names: &'a mut Names,
    limit: Limit,
}

impl Source<'_> {
    fn refused(&self, place: impl Into<String>, problem: impl Into<String>) -> ExtractError {
        ExtractError::Refused { path: self.path.to_owned(), place: place.into(), problem: problem.into() }
    }

    fn stopped(&self, problem: String) -> ExtractError {
        ExtractError::Stopped { path: self.path.to_owned(), problem }
    }

    /// A refusal of a cell, with what stands in it.
    fn cell(&self, place: String, value: &str, refusal: &Refusal) -> ExtractError {
        let value: String = value.chars().take(40).flat_map(char::escape_debug).collect();
        self.refused(place, format!("`{value}` {}", refusal.problem))
    }
}

/// Up to which byte may be read.
#[derive(Clone, Debug, Default)]
struct Limit(Rc<Cell<u64>>);

impl Limit {
    /// One more piece may begin at `byte`.
    fn from(&self, byte: u64) {
        self.0.set(byte.saturating_add(MAX_BYTES));
    }
}

/// Ends the stream with an error once more bytes were asked for than the piece at hand may take.
struct Bounded<R> {
    inner: R,
    taken: u64,
    limit: Limit,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken > self.limit.0.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.inner.read(buffer)?;
        self.taken = self.taken.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Says how many bytes of the file were read.
struct Metered<R> {
    inner: R,
    heard: Box<dyn FnMut(u64)>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.heard)(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
