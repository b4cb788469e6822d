use super::*;
use crate::reconcile::line::{Component, Event, Side};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

/// The lines of a file with these bytes, with a mapping.
fn lines_of(bytes: &[u8], toml: &str) -> Result<Vec<Line>, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("core");
    std::fs::write(&path, bytes).unwrap();
    let (mapping, mut lines) = (Mapping::read(toml).unwrap(), Vec::new());
    let read = read(&path, &mapping, &mut Names::default(), |_| {}, &mut |line| {
        lines.push(line);
        Ok(())
    });
    let count = read.map_err(|error| error.to_string().replace(&path.display().to_string(), "core"))?;
    assert_eq!(count, lines.len() as u64);
    Ok(lines)
}

fn lines(text: &str) -> Result<Vec<Line>, String> {
    lines_of(text.as_bytes(), "")
}

const HEADER: &str = "loan,event,component,amount,currency,value_date";

#[test]
fn rows_are_lines_however_the_file_is_written() {
    let plain =
        format!("{HEADER}\nL1,repaid,interest,12.34,CNY,2017-05-31\nL1,repaid,principal,5,CNY,2017-05-31\n");
    let expected = lines(&plain).unwrap();
    assert_eq!(
        expected.iter().map(|line| (line.amount, line.row)).collect::<Vec<_>>(),
        [(1234, 2), (500, 3)]
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    for (form, bytes) in [
        ("CRLF", plain.replace('\n', "\r\n").into_bytes()),
        ("BOM", format!("\u{feff}{plain}").into_bytes()),
        ("quotes", plain.replace("L1", "\"L1\"").into_bytes()),
        ("capitals", plain.replace("loan,event", "LOAN,Event").into_bytes()),
        ("blanks", plain.replace(",CNY", ", CNY ").into_bytes()),
        ("no last line feed", plain.trim_end().as_bytes().to_vec()),
        ("gzip", gzip.finish().unwrap()),
    ] {
        assert_eq!(lines_of(&bytes, "").as_ref(), Ok(&expected), "{form}");
    }
}

#[test]
fn a_bank_speaks_its_own_language() {
    let toml = "delimiter = ';'\ndecimal = ','\nthousands = '.'\ndate = 'DD.MM.YYYY'\ncurrency = 'EUR'\n[columns]\n\
        loan = 'Darlehen'\nevent = 'Vorgang'\namount = 'Betrag'\nside = 'S/H'\nvalue_date = 'Valuta'\n\
        [events]\nZI = 'repaid interest'\n[sides]\nH = 'credit'\n";
    let text = "Darlehen;Valuta;Vorgang;S/H;Betrag\n\"D;1\";31.05.2017;ZI;H;1.234,50\n";
    let read = lines_of(text.as_bytes(), toml).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(
        (read[0].event, read[0].component, read[0].side),
        (Event::Repaid, Component::Interest, Side::Credit)
    );
    assert_eq!((read[0].amount, read[0].value.to_string()), (123_450, "2017-05-31".into()));
    let other = lines_of(text.replace("Betrag", "Betr").as_bytes(), toml).unwrap_err();
    assert_eq!(other, "core, row 1: column `Betrag`, which the mapping file names, is missing");
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let row = |cells: &str| format!("{HEADER}\nL1,repaid,interest,1,CNY,2017-05-31\n{cells}\n");
    for (text, said) in [
        (String::new(), "the file is empty"),
        ("loan,event\n".into(), "row 1: column `amount` is missing"),
        (format!("{HEADER},loan\n"), "row 1: column `loan` is there twice"),
        (HEADER.replace(",currency", ""), "row 1: column `currency` is missing"),
        (row("L1,repaid,interest,12.345,CNY,2017-05-31"), "row 3, column amount: `12.345` has 3 decimals"),
        (row("L1,repaid,interest,-0,CNY,2017-05-31"), "row 3, column amount: `-0` is a negative zero"),
        (row("L1,repaid,interest,184467440737095516.16,CNY,2017-05-31"), "row 3, column amount"),
        (row("L1,repaid,interest,\"1,234\",CNY,2017-05-31"), "row 3, column amount: `1,234` has a separator"),
        (row("L1,repaid,interest,1,XXY,2017-05-31"), "row 3, column currency: `XXY`"),
        (row("L1,repaid,interest,1,CNY,31.05.2017"), "row 3, column value_date: `31.05.2017`"),
        (row("L1,paid,interest,1,CNY,2017-05-31"), "row 3, column event: `paid`"),
        (row("L1,repaid,interest,1,CNY"), "row 3: has 5 values, but there are 6 columns"),
        (row(",repaid,interest,1,CNY,2017-05-31"), "row 3, column loan"),
        (
            row("L\u{1b}[31m,re\u{1b}[1mpaid,interest,1,CNY,2017-05-31"),
            "row 3, column event: `re\\u{1b}[1mpaid`",
        ),
        (row(&format!("\"{}", "a\n".repeat(1 << 19))), "row 3: longer than 64 KiB"),
    ] {
        let error = lines(&text).unwrap_err();
        assert!(error.contains(said) && error.len() < 400, "{error}");
    }
    let latin = [HEADER.as_bytes(), b"\nL\xfc1,repaid,interest,1,CNY,2017-05-31\n"].concat();
    assert_eq!(lines_of(&latin, "").unwrap_err(), "core, row 2: is not UTF-8; save the file as UTF-8");
}

#[test]
fn a_line_without_end_takes_no_memory_however_it_is_packed() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    (0..256).for_each(|_| gzip.write_all(&[b'a'; 1 << 16]).unwrap());
    let packed = gzip.finish().unwrap();
    assert!(lines_of(&packed, "").unwrap_err().contains("row 1: longer than 64 KiB"));
    let cut = &packed[..packed.len() / 2];
    assert!(lines_of(cut, "").unwrap_err().contains("row 1"));
}

#[test]
fn whoever_takes_the_lines_may_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("core.csv");
    std::fs::write(&path, format!("{HEADER}\nL1,repaid,interest,1,CNY,2017-05-31\n")).unwrap();
    let stopped =
        read(&path, &Mapping::default(), &mut Names::default(), |_| {}, &mut |_| Err("enough".into()));
    assert!(matches!(stopped, Err(ExtractError::Stopped { problem, .. }) if problem == "enough"));
    let nothing =
        read(&dir.path().join("no"), &Mapping::default(), &mut Names::default(), |_| {}, &mut |_| Ok(()));
    assert!(matches!(nothing, Err(ExtractError::Open { .. })));
}

/// A statement with these entries.
fn statement(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id>\
         <Bal><Amt Ccy=\"CNY\">99.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

/// An entry of the loan domain.
fn entry(amount: &str, side: &str, code: &str, more: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><BookgDt><Dt>2017-06-01</Dt></BookgDt>\
         <ValDt><DtTm>2017-05-31T10:00:00Z</DtTm></ValDt><AcctSvcrRef>E-1</AcctSvcrRef><BkTxCd><Domn><Cd>LDAS</Cd><Fmly>\
         <Cd>SYDN</Cd><SubFmlyCd>{code}</SubFmlyCd></Fmly></Domn></BkTxCd>{more}</Ntry>"
    )
}

const LOAN: &str = "<NtryDtls><TxDtls><Refs><EndToEndId>L&amp;1</EndToEndId></Refs></TxDtls></NtryDtls>";

#[test]
fn a_statement_is_lines() {
    let details = "<NtryDtls><TxDtls><Refs><EndToEndId>L2</EndToEndId></Refs><Amt Ccy=\"CNY\">80.00</Amt><RltdPties>\
        <Dbtr><Pty><Nm>C2</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE00</IBAN></Id></DbtrAcct></RltdPties></TxDtls>\
        <TxDtls><Refs><EndToEndId>L2</EndToEndId></Refs><Amt Ccy=\"CNY\">20.00</Amt><BkTxCd><Domn><Cd>LDAS</Cd><Fmly>\
        <Cd>SYDN</Cd><SubFmlyCd>INTR</SubFmlyCd></Fmly></Domn></BkTxCd></TxDtls></NtryDtls>";
    let reversed =
        entry("5.00", "DBIT", "PPAY", LOAN).replace("</CdtDbtInd>", "</CdtDbtInd><RvslInd>true</RvslInd>");
    let text = statement(
        &[entry("12.34", "DBIT", "DDWN", LOAN), entry("100.00", "CRDT", "PPAY", details), reversed].concat(),
    );
    let read = lines(&text).unwrap();
    let said: Vec<_> =
        read.iter().map(|line| (line.event, line.component, line.side, line.amount, line.row)).collect();
    assert_eq!(
        said,
        [
            (Event::Drawn, Component::Principal, Side::Debit, 1234, 1),
            (Event::Repaid, Component::Principal, Side::Credit, 8000, 2),
            (Event::Repaid, Component::Interest, Side::Credit, 2000, 2),
            (Event::Reversed, Component::Principal, Side::Debit, 500, 3),
        ]
    );
    let first = read[0];
    assert_eq!(
        (first.value.to_string(), first.booked.unwrap().to_string()),
        ("2017-05-31".into(), "2017-06-01".into())
    );
    assert!(first.key.is_some() && read[1].account.is_some() && read[1].customer.is_some());
    assert!(read[0].loan == read[3].loan && read[0].loan != read[1].loan);
    assert_eq!(lines(&format!("\u{feff}{text}")).unwrap().len(), 4);
}

#[test]
fn a_statement_that_cannot_be_is_refused_with_its_place() {
    let one = |amount: &str, code: &str| statement(&entry(amount, "CRDT", code, LOAN));
    let whole = one("1.00", "PPAY");
    let deep = format!("{}{}", "<a>".repeat(5), "</a>".repeat(5));
    for (text, said) in [
        (one("1.234", "PPAY"), "entry 1, element Amt: `1.234` has 3 decimals"),
        (one("1.00", "XXXX"), "entry 1, element BkTxCd: `LDAS/SYDN/XXXX` is no event"),
        (one("1.00", "PPAY").replace("CRDT</CdtDbtInd><Bo", "X</CdtDbtInd><Bo"), "element CdtDbtInd: `X`"),
        (whole.replace("BkToCstmrStmt", "BkToCstmrAcctRpt"), "only camt.053"),
        (whole.replace("<Document", "<!DOCTYPE d [<!ENTITY a \"b\">]><Document"), "document type"),
        (whole.replace("L&amp;1", "L&a;1"), "entity"),
        (whole.replace("</Document>", ""), "is not closed"),
        (whole.replace("</Stmt>", "</Stmnt>"), "is not XML"),
        (whole.replace("L&amp;1", &"x".repeat(1 << 17)), "longer than 64 KiB"),
        (whole.replace("L&amp;1", &"&amp;".repeat(1 << 17)), "longer than 64 KiB"),
        (whole.replace("L&amp;1", &deep.repeat(7).replace("</a><a>", "<a><a>")), "entry 1"),
        (
            statement(&entry(
                "1.00",
                "CRDT",
                "PPAY",
                &LOAN.replace("</TxDtls>", "</TxDtls><TxDtls></TxDtls>"),
            )),
            "several details",
        ),
    ] {
        let error = lines(&text).unwrap_err();
        assert!(error.contains(said) && error.len() < 600, "{said}: {error}");
    }
    let mapped =
        lines_of(one("1.00", "XXXX").as_bytes(), "[events]\n\"LDAS/SYDN/XXXX\" = \"recovered\"").unwrap();
    assert_eq!(mapped[0].event, Event::Recovered);
}
