//! A product: the terms under which banks lend together, read from text, canonical in bytes.

use crate::{
    amount::format_amount,
    error::{PolicyError, Problem, ShareError},
    rule::{Quantity, Rule},
    split::{gcd, split},
    terms::Terms,
};
use borsh::BorshSerialize;
use std::{collections::BTreeMap, fmt::Write as _};

/// Version byte of the canonical form.
const VERSION: u8 = 1;
/// Version byte of the canonical form of a product with terms, which follow the rest.
const VERSION_WITH_TERMS: u8 = 2;
/// Domain of [`Product::hash`].
const HASH_CONTEXT: &str = "counterfoil/1 product";

mod file;

/// A product that has passed every check. The fields are in the order of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Product {
    name: String,
    currency: String,
    exponent: u8,
    width: u8,
    cap: u64,
    parts: u8,
    share_units: u16,
    min_servicer_share: u8,
    auditors: Vec<String>,
    weights: BTreeMap<String, u32>,
    /// Written by [`Product::to_bytes`], or not at all: products without terms keep their bytes.
    #[borsh(skip)]
    terms: Option<Terms>,
}

impl Product {
    /// Reads a product file.
    ///
    /// # Errors
    /// [`PolicyError`] with line, column, the offending key or value and the remedy: for text that is not TOML, keys
    /// that are unknown, missing or doubled, values out of range, and products that contradict themselves.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        file::read(text)
    }

    /// Name of the product.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// ISO 4217 code.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Decimals of the currency.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Bits of an amount: 32 or 64.
    #[must_use]
    pub fn width(&self) -> u8 {
        self.width
    }

    /// Largest principal of one loan, in minor units.
    #[must_use]
    pub fn cap(&self) -> u64 {
        self.cap
    }

    /// Positions per loan, empty ones included.
    #[must_use]
    pub fn parts(&self) -> u8 {
        self.parts
    }

    /// What the shares of a loan sum to.
    #[must_use]
    pub fn share_units(&self) -> u16 {
        self.share_units
    }

    /// Percent of the principal that the servicer must fund.
    #[must_use]
    pub fn min_servicer_share(&self) -> u8 {
        self.min_servicer_share
    }

    /// Members whose view key opens every amount, in the order of their handles.
    #[must_use]
    pub fn auditors(&self) -> &[String] {
        &self.auditors
    }

    /// The banks and their weights.
    #[must_use]
    pub fn weights(&self) -> &BTreeMap<String, u32> {
        &self.weights
    }

    /// How its loans are computed, where the product says so.
    #[must_use]
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// The canonical bytes: a version byte and the borsh form, the same for every spelling of the same product. Version 1 has no
    /// terms, version 2 has them at the end.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.terms {
            None => borsh::to_vec(&(VERSION, self)),
            Some(terms) => borsh::to_vec(&(VERSION_WITH_TERMS, self, terms)),
        }
        .expect("writing to memory does not fail")
    }

    /// BLAKE3 of the canonical bytes, in its own domain.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        blake3::derive_key(HASH_CONTEXT, &self.to_bytes())
    }

    /// The product as canonical TOML; [`Product::parse`] reads it back to the same product.
    #[must_use]
    pub fn print(&self) -> String {
        // Names are of [a-z0-9-] and the currency of [A-Z], so nothing needs escaping.
        let auditors: Vec<String> = self.auditors.iter().map(|name| format!("\"{name}\"")).collect();
        let mut text = format!(
            "name = \"{}\"\ncurrency = \"{}\"\nwidth = {}\ncap = \"{}\"\nparts = {}\nshare_units = {}\n\
             min_servicer_share = {}\nauditors = [{}]\n\n[weights]\n",
            self.name,
            self.currency,
            self.width,
            format_amount(self.cap, self.exponent),
            self.parts,
            self.share_units,
            self.min_servicer_share,
            auditors.join(", "),
        );
        for (name, weight) in &self.weights {
            let _ = writeln!(text, "{name} = {weight}"); // writing to a string does not fail
        }
        text + &self.terms.as_ref().map_or_else(String::new, Terms::print)
    }

    /// The integer shares of a loan's banks, servicer first, summing to [`Product::share_units`]: the weights by largest
    /// remainder, ties to the earlier bank.
    ///
    /// # Errors
    /// [`ShareError`] when there are no participants or too many, one is unknown or named twice, one would get nothing, or
    /// the servicer less than it must fund.
    pub fn shares(&self, participants: &[&str]) -> Result<Vec<u32>, ShareError> {
        let servicer = participants.first().ok_or(ShareError::Empty)?;
        if participants.len() > usize::from(self.parts) {
            return Err(ShareError::TooMany { count: participants.len(), parts: self.parts });
        }
        let mut weights = Vec::with_capacity(participants.len());
        for (i, &name) in participants.iter().enumerate() {
            let weight =
                self.weights.get(name).ok_or_else(|| ShareError::Unknown { name: name.to_owned() })?;
            if participants.iter().take(i).any(|&earlier| earlier == name) {
                return Err(ShareError::Twice { name: name.to_owned() });
            }
            weights.push(*weight);
        }
        let shares = self.apportion(&weights);
        if let Some((_, name)) = shares.iter().zip(participants).find(|&(&share, _)| share == 0) {
            return Err(ShareError::Nothing { name: (*name).to_owned() });
        }
        let share = shares.first().copied().unwrap_or(0);
        if !self.suffices(share) {
            let (units, min) = (self.share_units, self.min_servicer_share);
            return Err(ShareError::ServicerTooSmall { name: (*servicer).to_owned(), share, units, min });
        }
        Ok(shares)
    }

    /// What must hold of every loan. Both are statements about whole minor units, so the servicer's least share is
    /// rounded down: `share(0) >= ⌊N·principal/100⌋`.
    ///
    /// With `g = gcd(100, N)` that is `(100/g)·share(0) − (N/g)·principal > −100/g`, and `>= 1 − 100/g` since the left is
    /// whole. For N = 0 it says nothing that the share's own range proof does not, and is left out.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let cap = i64::try_from(self.cap).unwrap_or(i64::MAX); // at most 63 bits: checked when read
        let mut rules = vec![Rule {
            name: "principal within cap".to_owned(),
            terms: vec![(-1, Quantity::Principal)],
            constant: cap,
        }];
        let percent = u32::from(self.min_servicer_share);
        if percent > 0 {
            let divisor = gcd(100, percent);
            let reduced = |n: u32| i64::from(n.checked_div(divisor).unwrap_or(n));
            rules.push(Rule {
                name: format!("servicer keeps {percent} %"),
                terms: vec![
                    (reduced(100), Quantity::Share(0)),
                    (reduced(percent).saturating_neg(), Quantity::Principal),
                ],
                constant: reduced(100).saturating_sub(1),
            });
        }
        rules
    }

    /// Weights, at least one and none zero, as shares.
    fn apportion(&self, weights: &[u32]) -> Vec<u32> {
        let parts = split(u64::from(self.share_units), weights);
        parts.into_iter().map(|part| u32::try_from(part).unwrap_or(u32::MAX)).collect() // at most share_units
    }

    /// Whether a servicer with this share funds enough.
    fn suffices(&self, share: u32) -> bool {
        let asked = u64::from(self.min_servicer_share).saturating_mul(u64::from(self.share_units));
        u64::from(share).saturating_mul(100) >= asked
    }

    /// No rule's value may need more than 64 bits or come near the group order.
    fn check_rules(&self) -> Result<(), Problem> {
        let fits = |rule: &Rule| {
            rule.bits(self.cap, self.parts).is_some() && rule.reach(self.width, self.parts).is_some()
        };
        let wide = self.rules().into_iter().find(|rule| !fits(rule));
        wide.map_or(Ok(()), |rule| Err(Problem::RuleTooWide { rule: rule.name }))
    }

    /// Some bank must be able to service a loan that it shares: the heaviest one, beside the lightest.
    fn check_servicer(&self) -> Result<(), Problem> {
        let mut weights: Vec<u32> = self.weights.values().copied().collect();
        weights.sort_unstable();
        let (Some(&lightest), Some(&heaviest)) = (weights.first(), weights.last()) else {
            return Err(Problem::NoWeights);
        };
        let most = self.apportion(&[heaviest, lightest]).first().copied().unwrap_or(0);
        if self.parts > 1 && !self.suffices(most) {
            return Err(Problem::NoServicer { min: self.min_servicer_share, most, units: self.share_units });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow in a test fails the test")]
mod tests;
