//! A CSV file, plain or gzip, read row by row with a bound on what one row may take, every refusal with its place.
//!
//! A row is the line on which it begins, counting the header as 1: what an editor shows.

use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Longest row that is read, line breaks inside quotes included.
const MAX_ROW_BYTES: u64 = 64 * 1024;
/// What the reader may take ahead of the row that it parses.
const BUFFER_BYTES: usize = 8 * 1024;

/// Why a file is not imported. Nothing of it is.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not there, or not ours to read.
    #[error("{}: cannot be opened ({source}); check the path, or let the program generate a portfolio from a seed", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The bytes cannot be had or decompressed.
    #[error("{}, row {row}: cannot be read on ({source}); the file is damaged or cut off, fetch it again", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The row.
        row: u64,
        /// The system's words.
        source: io::Error,
    },
    /// No bytes at all.
    #[error("{}: the file is empty; it must begin with a line of column names", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A column that is needed is missing, or there twice.
    #[error("{}, row 1: column `{column}` {problem}", .path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// A row that cannot be.
    #[error("{}, row {row}: {problem}", .path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row.
        row: u64,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A value that cannot be.
    #[error("{}, row {row}, column {column}: `{value}` {problem}", .path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The row.
        row: u64,
        /// The column's name.
        column: String,
        /// The value, shortened.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// There is nobody to lend with.
    #[error("the product has no partners beside the servicer; name them under [weights] in its file")]
    Partners,
}

/// Ends the stream with an error once more bytes were asked for than the row at hand may take.
struct Bounded<R> {
    inner: R,
    taken: u64,
    limit: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken > self.limit.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.inner.read(buffer)?;
        self.taken = self.taken.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// An open file with the columns that are wanted, by name, wherever they stand.
pub(super) struct Table {
    path: PathBuf,
    names: Vec<String>,
    places: Vec<usize>,
    reader: csv::Reader<Bounded<Box<dyn Read>>>,
    limit: Rc<Cell<u64>>,
    record: StringRecord,
    row: u64,
}

impl Table {
    /// Opens the file and finds the columns. gzip is told by its first two bytes.
    pub(super) fn open(path: &Path, names: Vec<String>) -> Result<Self, ImportError> {
        let inner = decompressed(path)?;
        let limit = Rc::new(Cell::new(MAX_ROW_BYTES));
        let bounded = Bounded { inner, taken: 0, limit: Rc::clone(&limit) };
        // Ended by the line feed alone, and the return before it dropped in `text`: otherwise the reader, which takes the
        // return for the end, counts rows of such files one short.
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .terminator(csv::Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(bounded);
        let record = StringRecord::new();
        let places = Vec::with_capacity(names.len());
        let mut table = Self { path: path.to_owned(), names, places, reader, limit, record, row: 1 };
        if !table.advance()? {
            return Err(ImportError::Empty { path: path.to_owned() });
        }
        for name in &table.names {
            let columns = table.record.iter().enumerate();
            let mut found = columns.filter(|(_, column)| column.strip_suffix('\r').unwrap_or(column) == name);
            let refuse =
                |problem| ImportError::Column { path: path.to_owned(), column: name.clone(), problem };
            let place = found.next().ok_or_else(|| refuse("is missing; name it in the first line"))?.0;
            if found.next().is_some() {
                return Err(refuse("is there twice; remove one"));
            }
            table.places.push(place);
        }
        Ok(table)
    }

    /// Reads the next row; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, ImportError> {
        let begin = self.reader.position().byte();
        self.limit.set(begin.saturating_add(MAX_ROW_BYTES));
        self.row = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(more) => {
                self.row = self.record.position().map_or(self.row, csv::Position::line);
                Ok(more)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    /// The value in the i-th of the columns that were asked for.
    pub(super) fn text(&self, column: usize) -> &str {
        let place = self.places.get(column).copied().unwrap_or(usize::MAX);
        let text = self.record.get(place).unwrap_or("");
        let last = place.saturating_add(1) == self.record.len();
        if last { text.strip_suffix('\r').unwrap_or(text) } else { text }
    }

    /// The line on which the current row begins, from 1.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// A refusal of the value in a column of the current row.
    pub(super) fn cell(&self, column: usize, problem: impl Into<String>) -> ImportError {
        let value = self.text(column).chars().take(40).flat_map(char::escape_debug).collect();
        let column = self.names.get(column).cloned().unwrap_or_default();
        ImportError::Cell { path: self.path.clone(), row: self.row, column, value, problem: problem.into() }
    }

    /// A refusal of the current row.
    pub(super) fn refuse(&self, problem: impl Into<String>) -> ImportError {
        ImportError::Row { path: self.path.clone(), row: self.row, problem: problem.into() }
    }

    fn broken(&self, error: csv::Error) -> ImportError {
        let path = self.path.clone();
        // A row whose end was not found has no position of its own: it began where the reader stood.
        let row = error.position().map_or(self.row, csv::Position::line);
        let problem = match error.into_kind() {
            csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
                "longer than 64 KiB; look for a quote that is not closed or for missing line breaks"
                    .to_owned()
            }
            csv::ErrorKind::Io(source) => return ImportError::Read { path, row, source },
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!(
                    "has {len} values, but there are {expected_len} columns; look for a separator or a quote in a value"
                )
            }
            csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".to_owned(),
            _ => "is not CSV".to_owned(),
        };
        ImportError::Row { path, row, problem }
    }
}

fn decompressed(path: &Path) -> Result<Box<dyn Read>, ImportError> {
    let file = File::open(path).map_err(|source| ImportError::Open { path: path.to_owned(), source })?;
    let mut plain = BufReader::new(file);
    let start = plain.fill_buf().map_err(|source| ImportError::Open { path: path.to_owned(), source })?;
    let packed = start.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) })
}
