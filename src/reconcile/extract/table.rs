//! CSV. A row is the line on which it begins, counting the header as 1: what an editor shows.

use super::{BUFFER_BYTES, Bounded, ExtractError, Sink, Source};
use crate::reconcile::{cells::Cells, mapping::Column};
use csv::{Position, StringRecord};
use std::io::{self, Read};

/// Where each of [`Column::ALL`] stands in a row, if it does.
type Places = [Option<usize>; Column::ALL.len()];

/// Reads all rows.
pub(super) fn read<R: Read>(
    source: Source<'_>,
    bounded: Bounded<R>,
    sink: Sink<'_>,
) -> Result<u64, ExtractError> {
    source.limit.from(0);
    // Ended by the line feed alone, and the return before it trimmed: otherwise the reader, which takes the return for the
    // end, counts rows of such files one short.
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(source.mapping.delimiter)
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(bounded);
    let mut record = StringRecord::new();
    if !advance(&source, &mut reader, &mut record)? {
        return Err(ExtractError::Empty { path: source.path.to_owned() });
    }
    let places = places(&source, &record)?;
    let mut lines: u64 = 0;
    while advance(&source, &mut reader, &mut record)? {
        let row = record.position().map_or(0, Position::line);
        let cell = |column: Column| {
            let place = places.get(column.place()).copied().flatten();
            place.and_then(|place| record.get(place)).unwrap_or("")
        };
        let cells = Cells::new(cell);
        let read = cells.line(source.mapping, source.names, row).map_err(|refusal| {
            let place = format!("row {row}, column {}", source.mapping.column(refusal.column).0);
            source.cell(place, cells.text(refusal.column), &refusal)
        })?;
        if let Some(line) = read {
            sink(line).map_err(|problem| source.stopped(problem))?;
            lines = lines.saturating_add(1);
        }
    }
    Ok(lines)
}

fn advance<R: Read>(
    source: &Source<'_>,
    reader: &mut csv::Reader<R>,
    record: &mut StringRecord,
) -> Result<bool, ExtractError> {
    let begin = reader.position().clone();
    source.limit.from(begin.byte());
    reader.read_record(record).map_err(|error| broken(source, begin.line(), error))
}

/// Finds the columns in the first line. Those that the mapping names must be there, and what no line can do without.
fn places(source: &Source<'_>, header: &StringRecord) -> Result<Places, ExtractError> {
    let mut places = [None; Column::ALL.len()];
    for (place, (column, _)) in places.iter_mut().zip(Column::ALL) {
        let (name, is_mapped) = source.mapping.column(column);
        let is_it =
            |cell: &str| if is_mapped { cell.trim() == name } else { cell.trim().eq_ignore_ascii_case(name) };
        let mut found = header.iter().enumerate().filter(|(_, cell)| is_it(cell)).map(|(place, _)| place);
        *place = found.next();
        if found.next().is_some() {
            return Err(source.refused("row 1", format!("column `{name}` is there twice; remove one")));
        }
        if place.is_none() && is_mapped {
            return Err(
                source.refused("row 1", format!("column `{name}`, which the mapping file names, is missing"))
            );
        }
    }
    let is_there = |column: Column| places.get(column.place()).is_some_and(Option::is_some);
    let both = is_there(Column::Debit) && is_there(Column::Credit);
    for (column, is_enough) in [
        (Column::Loan, is_there(Column::Loan)),
        (Column::Event, is_there(Column::Event)),
        (Column::Amount, is_there(Column::Amount) || both),
        (Column::Value, is_there(Column::Value) || is_there(Column::Booked)),
        (Column::Currency, is_there(Column::Currency) || source.mapping.currency.is_some()),
    ] {
        if !is_enough {
            let problem = format!(
                "column `{}` is missing; name it so, or say under [columns] of a mapping file (--map) what it is called",
                column.standard()
            );
            return Err(source.refused("row 1", problem));
        }
    }
    Ok(places)
}

fn broken(source: &Source<'_>, begin: u64, error: csv::Error) -> ExtractError {
    // A row whose end was not found has no position of its own: it began where the reader stood.
    let place = format!("row {}", error.position().map_or(begin, Position::line));
    let problem = match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            "longer than 64 KiB; look for a quote that is not closed or for missing line breaks".to_owned()
        }
        csv::ErrorKind::Io(error) => {
            return ExtractError::Read { path: source.path.to_owned(), place, source: error };
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "has {len} values, but there are {expected_len} columns; look for a separator or a quote in a value, or set \
             `delimiter` in the mapping file"
        ),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".to_owned(),
        _ => "is not CSV".to_owned(),
    };
    source.refused(place, problem)
}
