//! What people write: amounts, months, products, members, genesis and configuration.

use crate::{
    input::Input,
    world::{PRODUCT, world},
};
use counterfoil::{
    home::{Home, read_genesis, write_genesis},
    import::Period,
};
use counterfoil_ledger::genesis::Consortium;
use counterfoil_policy::{Product, format_amount, format_grouped, parse_amount};
use std::{fs, path::Path};

/// The first byte says which text the rest is.
#[must_use]
pub fn any_text(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (choice, exponent) = (input.byte() % 6, input.byte() % 6);
    let bytes = input.rest();
    // Files may hold any bytes; the other texts come from arguments and from TOML, which are UTF-8.
    match (choice, std::str::from_utf8(bytes)) {
        (0, Ok(text)) => amount(text, exponent),
        (1, Ok(text)) => product(text),
        (2, Ok(text)) => month(text),
        (3, _) => configuration(bytes),
        (4, _) => genesis(bytes),
        (5, _) => member(bytes),
        _ => false,
    }
}

fn amount(text: &str, exponent: u8) -> bool {
    let Ok(minor) = parse_amount(text, exponent) else { return false };
    let printed = format_amount(minor, exponent);
    assert_eq!(parse_amount(&printed, exponent), Ok(minor), "{text}");
    assert_eq!(format_grouped(minor, exponent).replace(',', ""), printed, "{text}");
    // Leading zeros and left-out decimals apart, there is one spelling.
    let whole = text.split('.').next().unwrap_or_default().trim_start_matches('0');
    let said = printed.split('.').next().unwrap_or_default();
    assert_eq!(if whole.is_empty() { "0" } else { whole }, said, "{text}");
    true
}

fn month(text: &str) -> bool {
    let Ok(period) = text.parse::<Period>() else { return false };
    assert_eq!(period.to_string(), text, "two spellings of one month");
    assert!(period.next() > period && period.next().days() > period.days(), "{text}");
    true
}

fn product(text: &str) -> bool {
    let Ok(product) = Product::parse(text) else { return false };
    let printed = product.print();
    let again = Product::parse(&printed).expect("what is printed is a product");
    assert_eq!((&again, again.hash(), again.print()), (&product, product.hash(), printed), "{text}");
    let banks: Vec<&str> = product.weights().keys().map(String::as_str).collect();
    let lenders = &banks[..banks.len().min(usize::from(product.parts()))];
    if let Ok(shares) = product.shares(lenders) {
        assert_eq!(shares.iter().sum::<u32>(), u32::from(product.share_units()), "{text}");
    }
    for rule in product.rules() {
        assert!(rule.bits(product.cap(), product.parts()).is_some(), "{text}");
    }
    true
}

fn configuration(bytes: &[u8]) -> bool {
    with_folder(|folder| {
        let home = Home::at(folder);
        fs::write(folder.join("node.toml"), bytes).expect("the folder is ours");
        let Ok(file) = home.node_file() else { return false };
        home.write_node_file(&file).expect("what was read can be written");
        assert_eq!(home.node_file().expect("what was written can be read"), file);
        true
    })
}

/// No genesis is taken with a member that did not sign: its record, key by key, is one that exists.
fn genesis(bytes: &[u8]) -> bool {
    with_folder(|folder| {
        let path = folder.join("genesis.toml");
        fs::write(&path, bytes).expect("the folder is ours");
        let Ok(consortium) = read_genesis(&path) else { return false };
        check(&consortium);
        true
    })
}

/// A member's file goes into a genesis with a product of its own name alone, and comes out of it the same.
fn member(bytes: &[u8]) -> bool {
    with_folder(|folder| {
        let paths = ["member.toml", "product.toml", "genesis.toml"].map(|name| folder.join(name));
        let product = PRODUCT.replace("bank-b = 6\n", "").replace("parts = 2", "parts = 1");
        let product = product.replace("\"regulator\"", "");
        fs::write(&paths[0], bytes).expect("the folder is ours");
        fs::write(&paths[1], product).expect("the folder is ours");
        let Ok(made) = write_genesis("fuzz", &paths[..1], &paths[1..2], &paths[2]) else { return false };
        check(&made);
        let read = read_genesis(&paths[2]).expect("what was written is a genesis");
        assert_eq!((read.id(), read.genesis()), (made.id(), made.genesis()));
        true
    })
}

fn check(consortium: &Consortium) {
    let known = &world().consortium.genesis().members;
    let members = &consortium.genesis().members;
    assert!(members.iter().all(|member| known.contains(member)), "a member that nobody signed");
}

fn with_folder<T>(work: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    work(folder.path())
}
