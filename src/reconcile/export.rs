//! Lines as CSV in the standard form: what `reconcile` reads without a mapping file.

use super::{
    line::{Line, Names},
    mapping::Column,
};
use counterfoil_policy::format_amount;
use std::io;

/// The columns that are written.
const COLUMNS: [Column; 12] = [
    Column::Loan,
    Column::Event,
    Column::Component,
    Column::Side,
    Column::Amount,
    Column::Currency,
    Column::Value,
    Column::Booked,
    Column::Key,
    Column::Bucket,
    Column::Account,
    Column::Customer,
];

/// Writes lines with a header.
///
/// # Errors
/// When the writer fails.
pub fn write<'a>(
    writer: impl io::Write,
    lines: impl IntoIterator<Item = &'a Line>,
    names: &Names,
) -> Result<(), csv::Error> {
    let mut out = csv::Writer::from_writer(writer);
    out.write_record(COLUMNS.map(Column::standard))?;
    for line in lines {
        let text = |name| Option::map_or(name, "", |name| names.text(name));
        out.write_record([
            names.text(line.loan),
            &line.event.to_string(),
            &line.component.to_string(),
            &line.side.to_string(),
            &format_amount(line.amount, line.currency.exponent()),
            line.currency.code(),
            &line.value.to_string(),
            &line.booked.map(|day| day.to_string()).unwrap_or_default(),
            &line.key.map(hex::encode).unwrap_or_default(),
            text(line.bucket),
            text(line.account),
            text(line.customer),
        ])?;
    }
    out.flush()?;
    Ok(())
}
