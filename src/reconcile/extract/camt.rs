//! camt.053, the ISO 20022 statement of account (`camt.053.001.08` and its relatives), as a stream.
//!
//! A line is a transaction's details (`TxDtls`), or an entry (`Ntry`) without any. The loan is the end-to-end id, the
//! event's key the servicer's reference of the account, the kind the bank transaction code: domain LDAS with DDWN, PPAY,
//! INTR, FEES …; others get their meaning under `[events]` of the mapping file, as `"LDAS/SYDN/RIMB"`. Of the rest of the
//! message nothing is read. Depth and texts are bounded; a document type, with which entities grow, is refused.

use super::{Bounded, ExtractError, MAX_BYTES, Sink, Source};
use crate::reconcile::{
    cells::Cells,
    date::Pattern,
    line::{Component, Event as Kind},
    mapping::{Column, Mapping},
};
use quick_xml::{
    Error, Reader,
    events::{BytesStart, Event},
};
use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read},
};

/// How deep elements may lie in one another; the message needs 14.
const MAX_DEPTH: usize = 32;
/// What sub-families of the loan domain mean, whatever the family.
const CODES: [(&str, Kind, Component); 9] = [
    ("DDWN", Kind::Drawn, Component::Principal),
    ("PPAY", Kind::Repaid, Component::Principal),
    ("INTR", Kind::Repaid, Component::Interest),
    ("FEES", Kind::Repaid, Component::Fee),
    ("CHRG", Kind::Cost, Component::Fee),
    ("TAXE", Kind::Cost, Component::Fee),
    ("RNEW", Kind::Raised, Component::Principal),
    ("DAJT", Kind::Raised, Component::Principal),
    ("CAJT", Kind::Raised, Component::Principal),
];
/// Families of the loan domain: syndicated, consumer, fixed term, notice, mortgage.
const FAMILIES: [&str; 5] = ["SYDN", "CSLN", "FTLN", "NTLN", "MGLN"];

/// What an entry or its details say, by the path below them.
type Fields = BTreeMap<String, String>;

/// Reads all entries of all statements.
pub(super) fn read<R: Read>(
    source: Source<'_>,
    bounded: Bounded<R>,
    sink: Sink<'_>,
) -> Result<u64, ExtractError> {
    source.limit.from(0);
    let mut reader = Reader::from_reader(BufReader::with_capacity(super::BUFFER_BYTES, bounded));
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = true;
    let mapping = mapping(source.mapping);
    let mut state = State {
        source,
        mapping,
        sink,
        path: Vec::new(),
        text: String::new(),
        entry: Entry::default(),
        lines: 0,
    };
    let mut buffer = Vec::new();
    loop {
        state.source.limit.from(reader.buffer_position());
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => state.begin(&element)?,
            Ok(Event::End(_)) => state.end()?,
            Ok(Event::Text(text)) => state.say(&text.xml10_content())?,
            Ok(Event::CData(text)) => state.say(&text.xml10_content())?,
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten().or_else(|| named(&reference));
                let Some(character) = character else {
                    return Err(state.refused("has an entity that is not XML's own; write the character"));
                };
                state.say(character.encode_utf8(&mut [0; 4]))?;
            }
            Ok(Event::DocType(_)) => {
                return Err(state.refused("has a document type; such files are not read"));
            }
            Ok(Event::Eof) => return state.finish(),
            Ok(_) => {}
            Err(error) => return Err(state.broken(&error)),
        }
        buffer.clear();
    }
}

/// The codes of a bank with the standard ones, and how ISO 20022 writes amounts and days.
fn mapping(given: &Mapping) -> Mapping {
    let mut mapping = given.clone();
    (mapping.decimal, mapping.thousands, mapping.is_minor, mapping.dates) =
        ('.', None, false, Pattern::default());
    for family in FAMILIES {
        let codes = CODES.map(|(code, event, component)| (format!("LDAS/{family}/{code}"), event, component));
        let codes: Vec<_> =
            codes.iter().map(|(code, event, component)| (code.as_str(), *event, *component)).collect();
        mapping.standard_events(&codes);
    }
    mapping
}

fn named(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[derive(Default)]
struct Entry {
    number: u64,
    fields: Fields,
    details: Option<Fields>,
    /// How many details were read, and how many of them had no amount of their own.
    count: u64,
    without_amount: u64,
}

struct State<'a, 's> {
    source: Source<'a>,
    mapping: Mapping,
    sink: Sink<'s>,
    path: Vec<String>,
    text: String,
    entry: Entry,
    lines: u64,
}

impl State<'_, '_> {
    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), ExtractError> {
        if self.path.len() >= MAX_DEPTH {
            return Err(self.refused("lies too deep; a statement has at most 32 levels"));
        }
        let name = element.local_name().into_inner().to_owned();
        self.path.push(name);
        self.text.clear();
        if self.path.len() == 2 && self.path.last().is_none_or(|name| name != "BkToCstmrStmt") {
            return Err(self.refused("is no statement; only camt.053 (BkToCstmrStmt) is read"));
        }
        match self.path.last().map(String::as_str) {
            Some("Ntry") => {
                let number = self.entry.number.saturating_add(1);
                self.entry = Entry { number, ..Entry::default() };
            }
            Some("TxDtls") => self.entry.details = Some(Fields::new()),
            Some("Amt") => {
                let currency = element.try_get_attribute("Ccy").ok().flatten();
                let currency = currency.map(|attribute| attribute.value.into_owned());
                if let (Some(currency), Some(path)) = (currency, self.below()) {
                    self.note(format!("{path}/@Ccy"), currency);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> Result<(), ExtractError> {
        self.text.push_str(text);
        if u64::try_from(self.text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
            return Err(self.refused("has a text longer than 64 KiB"));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.text);
        if let (Some(path), false) = (self.below(), text.trim().is_empty()) {
            self.note(path, text.trim().to_owned());
        }
        match self.path.pop().as_deref() {
            Some("TxDtls") => {
                let mut fields = self.entry.details.take().unwrap_or_default();
                self.entry.count = self.entry.count.saturating_add(1);
                if !fields.contains_key("Amt") {
                    self.entry.without_amount = self.entry.without_amount.saturating_add(1);
                }
                if self.entry.without_amount > 0 && self.entry.count > 1 {
                    return Err(self.refused("has several details, one of them without an amount of its own"));
                }
                for (path, text) in &self.entry.fields {
                    // Details without an amount have the entry's, and what they do not say the entry says.
                    if !fields.contains_key(path) {
                        fields.insert(path.clone(), text.clone());
                    }
                }
                self.line(&fields)
            }
            Some("Ntry") if self.entry.count == 0 => {
                let fields = std::mem::take(&mut self.entry.fields);
                self.line(&fields)
            }
            _ => Ok(()),
        }
    }

    /// The path below the innermost details or entry; `None` outside, and for these themselves.
    fn below(&self) -> Option<String> {
        let from = self.path.iter().rposition(|name| name == "TxDtls" || name == "Ntry")?;
        let below = self.path.get(from.saturating_add(1)..)?;
        (!below.is_empty()).then(|| below.join("/"))
    }

    fn note(&mut self, path: String, text: String) {
        let fields = self.entry.details.as_mut().unwrap_or(&mut self.entry.fields);
        // The message gives each of the elements that are read once; of others, which may be many, one will do.
        if fields.len() < 256 {
            fields.entry(path).or_insert(text);
        }
    }

    fn line(&mut self, fields: &Fields) -> Result<(), ExtractError> {
        let said =
            |paths: &[&str]| paths.iter().find_map(|path| fields.get(*path)).map_or("", String::as_str);
        let is_credit = said(&["CdtDbtInd"]) == "CRDT";
        let is_reversal = matches!(said(&["RvslInd"]), "true" | "1");
        let code = match said(&["BkTxCd/Domn/Cd"]) {
            "" => said(&["BkTxCd/Prtry/Cd"]).to_owned(),
            domain => {
                format!(
                    "{domain}/{}/{}",
                    said(&["BkTxCd/Domn/Fmly/Cd"]),
                    said(&["BkTxCd/Domn/Fmly/SubFmlyCd"])
                )
            }
        };
        let event = match self.mapping.event(&code) {
            Some((_, component)) if is_reversal => {
                format!("reversed {}", component.unwrap_or(Component::Principal))
            }
            _ => code,
        };
        // The other party of a credit is who pays, of a debit who is paid.
        let party = if is_credit { "Dbtr" } else { "Cdtr" };
        let [iban, other, name, plain] = ["Acct/Id/IBAN", "Acct/Id/Othr/Id", "/Pty/Nm", "/Nm"]
            .map(|rest| format!("RltdPties/{party}{rest}"));
        let cells = Cells::new(|column| match column {
            Column::Loan => said(&["Refs/EndToEndId", "NtryRef"]),
            Column::Event => &event,
            Column::Side => match said(&["CdtDbtInd"]) {
                "CRDT" => "credit",
                "DBIT" => "debit",
                text => text,
            },
            Column::Amount => said(&["Amt"]),
            Column::Currency => said(&["Amt/@Ccy"]),
            Column::Value => day(said(&["ValDt/Dt", "ValDt/DtTm"])),
            Column::Booked => day(said(&["BookgDt/Dt", "BookgDt/DtTm"])),
            Column::Key => said(&["Refs/AcctSvcrRef", "AcctSvcrRef"]),
            Column::Account => said(&[&iban, &other]),
            Column::Customer => said(&[&name, &plain]),
            Column::Component | Column::Debit | Column::Credit | Column::Bucket => "",
        });
        let number = self.entry.number;
        let line = cells.line(&self.mapping, self.source.names, number).map_err(|refusal| {
            let place = format!("entry {number}, element {}", element(refusal.column));
            self.source.cell(place, cells.text(refusal.column), &refusal)
        })?;
        if let Some(line) = line {
            (self.sink)(line).map_err(|problem| self.source.stopped(problem))?;
            self.lines = self.lines.saturating_add(1);
        }
        Ok(())
    }

    fn finish(&self) -> Result<u64, ExtractError> {
        if self.path.is_empty() {
            return Ok(self.lines);
        }
        Err(self.refused("is not closed; the file is cut off, fetch it again"))
    }

    fn refused(&self, problem: &str) -> ExtractError {
        let path = self.path.iter().map(|name| name.chars().take(40).collect::<String>());
        let place = format!("entry {}, element {}", self.entry.number, path.collect::<Vec<_>>().join("/"));
        self.source.refused(place, problem)
    }

    fn broken(&self, error: &Error) -> ExtractError {
        match error {
            Error::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
                self.refused("has a text or tag longer than 64 KiB")
            }
            Error::Io(source) => ExtractError::Read {
                path: self.source.path.to_owned(),
                place: format!("entry {}", self.entry.number),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Error::Encoding(_) => self.refused("is not UTF-8; save the file as UTF-8"),
            error => self.refused(&format!("is followed by what is not XML ({error})")),
        }
    }
}

/// The day of a day or time.
fn day(text: &str) -> &str {
    text.split_once('T').map_or(text, |(day, _)| day)
}

/// Where a column stands in the message.
fn element(column: Column) -> &'static str {
    match column {
        Column::Loan => "NtryDtls/TxDtls/Refs/EndToEndId",
        Column::Event | Column::Component => "BkTxCd",
        Column::Side | Column::Debit | Column::Credit => "CdtDbtInd",
        Column::Amount => "Amt",
        Column::Currency => "Amt/@Ccy",
        Column::Value => "ValDt",
        Column::Booked => "BookgDt",
        Column::Key => "AcctSvcrRef",
        Column::Bucket | Column::Account | Column::Customer => "NtryDtls/TxDtls/RltdPties",
    }
}
