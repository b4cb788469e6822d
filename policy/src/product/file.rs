//! Reads a product file: raw TOML values to checked ones, every refusal with its place.

use super::Product;
use crate::{
    amount::parse_amount,
    error::{PolicyError, Problem},
    terms,
    text::{Source, Value},
};
use iso_currency::Currency;
use std::collections::BTreeMap;
use toml::de::DeTable;

/// Most positions per loan.
const MAX_PARTS: u8 = 16;
/// Most banks with a weight.
const MAX_BANKS: usize = 256;
/// Most auditors: each costs one handle per movement.
const MAX_AUDITORS: usize = 16;
/// Percent of the principal that the servicer funds where the file does not say.
const DEFAULT_MIN_SERVICER_SHARE: u8 = 30;
/// Largest cap: a rule's constant is a signed 64-bit number.
const MAX_CAP_BITS: u8 = 63;
/// Every key there is.
const KEYS: [&str; 10] = [
    "name",
    "currency",
    "width",
    "cap",
    "parts",
    "share_units",
    "min_servicer_share",
    "auditors",
    "weights",
    "terms",
];

/// The product of a text that is one.
pub(super) fn read(text: &str) -> Result<Product, PolicyError> {
    let source = Source::new(text)?;
    let table = source.table()?;
    source.only(&table, &KEYS)?;
    let product = File { source, table: &table }.product()?;
    product.check_rules().map_err(|problem| source.refuse(span_of(&table, "cap"), problem))?;
    product.check_servicer().map_err(|problem| source.refuse(span_of(&table, "weights"), problem))?;
    Ok(product)
}

/// A parsed file whose keys are all known.
struct File<'a, 'i> {
    source: Source<'i>,
    table: &'a DeTable<'i>,
}

impl File<'_, '_> {
    fn product(&self) -> Result<Product, PolicyError> {
        let name = self.required("name", "name = \"micro-loan\"")?;
        let name = self
            .source
            .name(self.source.string("name", name, "text such as \"micro-loan\"")?, name.span())?;
        let (currency, exponent) = self.currency()?;
        let width = self.width()?;
        let cap = self.cap(exponent, width)?;
        let weights = self.weights()?;
        Ok(Product {
            name,
            currency,
            exponent,
            width,
            cap,
            parts: self.parts(weights.len())?,
            share_units: self.number("share_units", "share_units = 100", 1, 100)?,
            min_servicer_share: self
                .find("min_servicer_share")
                .map_or(Ok(DEFAULT_MIN_SERVICER_SHARE), |value| {
                    self.source.number("min_servicer_share", value, 0, 100)
                })?,
            auditors: self.auditors()?,
            weights,
            terms: self.find("terms").map(|value| terms::read(self.source, value)).transpose()?,
        })
    }

    fn currency(&self) -> Result<(String, u8), PolicyError> {
        let value = self.required("currency", "currency = \"CNY\"")?;
        let code = self.source.string("currency", value, "text such as \"CNY\"")?;
        Currency::from_code(code)
            .and_then(|currency| Some((currency.code().to_owned(), u8::try_from(currency.exponent()?).ok()?)))
            .ok_or_else(|| {
                let value_text = code.chars().take(40).collect();
                self.source.refuse(value.span(), Problem::Currency { value: value_text })
            })
    }

    fn width(&self) -> Result<u8, PolicyError> {
        let value = self.required("width", "width = 32")?;
        let width: u64 = self.source.number("width", value, 0, u64::MAX)?;
        match width {
            32 => Ok(32),
            64 => Ok(64),
            _ => Err(self.source.refuse(value.span(), Problem::Width { value: width.to_string() })),
        }
    }

    fn cap(&self, exponent: u8, width: u8) -> Result<u64, PolicyError> {
        let value = self.required("cap", "cap = \"50000.00\"")?;
        let text = self.source.string("cap", value, "text in the currency's units, such as \"50000.00\"")?;
        let refuse = |problem| self.source.refuse(value.span(), problem);
        let cap = parse_amount(text, exponent).map_err(|error| refuse(Problem::Cap(error)))?;
        let bits = width.min(MAX_CAP_BITS);
        match cap {
            0 => Err(refuse(Problem::CapZero)),
            cap if cap.checked_shr(u32::from(bits)) == Some(0) => Ok(cap),
            cap => Err(refuse(Problem::CapTooLarge { value: cap, bits })),
        }
    }

    fn parts(&self, banks: usize) -> Result<u8, PolicyError> {
        let parts = self.number("parts", "parts = 4", 1, u64::from(MAX_PARTS))?;
        if usize::from(parts) > banks {
            let span = span_of(self.table, "parts");
            return Err(self.source.refuse(span, Problem::PartsWithoutBanks { parts, banks }));
        }
        Ok(parts)
    }

    fn auditors(&self) -> Result<Vec<String>, PolicyError> {
        let list = self.required("auditors", "auditors = [\"regulator\"]")?;
        let expected = "a list of names such as [\"regulator\"]";
        let values =
            list.get_ref().as_array().ok_or_else(|| self.source.wrong_kind("auditors", list, expected))?;
        let mut auditors = Vec::new();
        for value in values.iter() {
            let name = self.source.name(self.source.string("auditors", value, expected)?, value.span())?;
            if auditors.contains(&name) {
                return Err(self.source.refuse(value.span(), Problem::AuditorTwice { name }));
            }
            auditors.push(name);
        }
        self.at_most("auditors", auditors.len(), MAX_AUDITORS)?;
        Ok(auditors)
    }

    fn weights(&self) -> Result<BTreeMap<String, u32>, PolicyError> {
        let value =
            self.required("weights", "[weights] and below it a line per bank, such as bank-a = 30")?;
        let expected = "a table: [weights] and below it a line per bank, such as bank-a = 30";
        let table =
            value.get_ref().as_table().ok_or_else(|| self.source.wrong_kind("weights", value, expected))?;
        let mut weights = BTreeMap::new();
        for (key, weight) in table.iter() {
            let name = self.source.name(key.get_ref(), key.span())?;
            let weight = self.source.number(&name, weight, 1, u64::from(u32::MAX))?;
            weights.insert(name, weight);
        }
        if weights.is_empty() {
            return Err(self.source.refuse(span_of(self.table, "weights"), Problem::NoWeights));
        }
        self.at_most("weights", weights.len(), MAX_BANKS)?;
        Ok(weights)
    }

    fn at_most(&self, key: &'static str, count: usize, limit: usize) -> Result<(), PolicyError> {
        if count <= limit {
            return Ok(());
        }
        Err(self.source.refuse(span_of(self.table, key), Problem::TooMany { key, count, limit }))
    }

    fn number<T: TryFrom<u64>>(
        &self,
        key: &'static str,
        example: &'static str,
        least: u64,
        most: u64,
    ) -> Result<T, PolicyError> {
        self.source.number(key, self.required(key, example)?, least, most)
    }

    fn find(&self, key: &str) -> Option<&Value<'_>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn required(&self, key: &'static str, example: &'static str) -> Result<&Value<'_>, PolicyError> {
        self.find(key).ok_or_else(|| self.source.refuse(0..0, Problem::Missing { key, example }))
    }
}

/// Where a key's value stands; the beginning of the file when it is not there.
fn span_of(table: &DeTable<'_>, key: &str) -> std::ops::Range<usize> {
    table.iter().find(|(name, _)| name.get_ref() == key).map_or(0..0, |(name, _)| name.span())
}
