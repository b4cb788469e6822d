use super::*;

#[test]
fn a_mapping_says_what_is_different() {
    let text = "delimiter = ';'\ndecimal = ','\nthousands = '.'\nunits = 'minor'\ndate = 'DD.MM.YYYY'\n\
        currency = 'EUR'\npositive = 'debit'\n[columns]\nloan = 'Darlehen'\n[events]\nZI = 'repaid interest'\n\
        AU = 'drawn'\n[sides]\nS = 'debit'\n[components]\nK = 'principal'\n[buckets]\n1 = 'current'";
    let mapping = Mapping::read(text).unwrap();
    assert_eq!(mapping.column(Column::Loan), ("Darlehen", true));
    assert_eq!(mapping.column(Column::Amount), ("amount", false));
    assert_eq!(mapping.event("ZI"), Some((Event::Repaid, Some(Component::Interest))));
    assert_eq!(mapping.event("AU"), Some((Event::Drawn, None)));
    assert_eq!(mapping.event("Charged-off"), Some((Event::ChargedOff, None)));
    assert_eq!(mapping.event("XX"), None);
    assert_eq!((mapping.side("S"), mapping.side("CREDIT")), (Some(Side::Debit), Some(Side::Credit)));
    assert_eq!((mapping.component("K"), mapping.bucket("1")), (Some(Component::Principal), "current"));
    assert!(mapping.is_minor && mapping.currency.is_some() && mapping.positive == Positive::Debit);
}

#[test]
fn what_a_mapping_cannot_say() {
    for (text, said) in [
        ("delimter = ';'", "unknown field `delimter`"),
        ("delimiter = ';;'", "one character"),
        ("delimiter = '→'", "ASCII"),
        ("decimal = '1'", "one character"),
        ("decimal = ','\nthousands = ','", "one meaning"),
        ("date = 'YY-MM-DD'", "date pattern"),
        ("currency = 'ABC'", "ISO 4217"),
        ("currency = 'XAU'", "ISO 4217"),
        ("[columns]\nlaon = 'x'", "is no column; there are loan"),
        ("[events]\nA = 'paid'", "`events.A`: `paid` is not one of funded"),
        ("[events]\nA = 'repaid principle'", "is not one of principal"),
        ("[sides]\nA = 'left'", "is not one of debit"),
        ("loan = ", "line 1"),
    ] {
        let error = Mapping::read(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}
