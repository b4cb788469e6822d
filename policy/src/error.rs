//! What can be wrong with a product file, and with the banks of a loan: where, what, and what to do about it.

use crate::{ageing::AgeingError, amount::AmountError, waterfall::OrderError};

/// A product file that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct PolicyError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at that place of a product file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML, or a key given twice.
    #[error("{message} at `{found}`; the file is TOML, with every key once")]
    Syntax {
        /// The parser's words.
        message: String,
        /// The text at that place.
        found: String,
    },
    /// Larger than any product file needs to be.
    #[error("the file has {bytes} bytes; a product file has at most {limit}")]
    TooLong {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A key that must be there is not.
    #[error("`{key}` is missing; add for example {example}")]
    Missing {
        /// The key.
        key: &'static str,
        /// A line that would do.
        example: &'static str,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}`; {}", suggestion(.nearest))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The known key that is spelt most like it.
        nearest: Option<&'static str>,
    },
    /// A value of the wrong kind.
    #[error("`{key}` is {found} but must be {expected}")]
    Kind {
        /// The key.
        key: String,
        /// What it should be, with an example.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A whole number outside of its range.
    #[error("`{key}` is {value}; choose a whole number from {least} to {most}")]
    Range {
        /// The key.
        key: String,
        /// The value as written.
        value: String,
        /// Smallest allowed.
        least: u64,
        /// Largest allowed.
        most: u64,
    },
    /// A word that is not in the list.
    #[error("`{key}` is `{value}`; choose one of {choices}")]
    Choice {
        /// The key.
        key: &'static str,
        /// The word as written.
        value: String,
        /// All words there are.
        choices: String,
    },
    /// A list of the wrong length.
    #[error("`{key}` has {count} entries; it needs {needed}")]
    Length {
        /// The key.
        key: &'static str,
        /// Entries found.
        count: usize,
        /// Entries needed.
        needed: usize,
    },
    /// An order that leaves a component out.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// Days that do not make buckets or classes.
    #[error("`{key}`: {error}")]
    Ageing {
        /// The key.
        key: &'static str,
        /// What is wrong with them.
        error: AgeingError,
    },
    /// Neither of the two widths.
    #[error("`width` is {value}; choose 32 (micro-loans) or 64")]
    Width {
        /// The value as written.
        value: String,
    },
    /// A name outside of the alphabet.
    #[error("`{value}` cannot be a name; use 1 to 32 of a-z, 0-9 and -")]
    Name {
        /// The name as written.
        value: String,
    },
    /// Not a currency that amounts can be counted in.
    #[error(
        "`{value}` is not an ISO 4217 currency with minor units; write its three capital letters, such as CNY"
    )]
    Currency {
        /// The code as written.
        value: String,
    },
    /// The cap is not an amount of the currency.
    #[error("`cap`: {0}")]
    Cap(#[from] AmountError),
    /// Nothing could be lent.
    #[error("`cap` is zero; no loan could be made, raise it")]
    CapZero,
    /// The cap does not fit into the width.
    #[error("`cap` is {value} minor units, which do not fit in {bits} bits; lower it{}", if *.bits < 63 { " or choose width = 64" } else { "" })]
    CapTooLarge {
        /// In minor units.
        value: u64,
        /// Bits there are for it.
        bits: u8,
    },
    /// A rule's value could exceed what one range proof can show.
    #[error("the rule `{rule}` could exceed 64 bits with this cap; lower the cap")]
    RuleTooWide {
        /// The rule's name.
        rule: String,
    },
    /// The same auditor again.
    #[error("auditor `{name}` is listed twice; remove one")]
    AuditorTwice {
        /// The auditor.
        name: String,
    },
    /// Too many names in a list.
    #[error("`{key}` has {count} names; at most {limit} are allowed")]
    TooMany {
        /// The key.
        key: &'static str,
        /// Names found.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// No bank at all.
    #[error("`weights` is empty; name every bank with a whole number, such as bank-a = 30")]
    NoWeights,
    /// More positions per loan than banks.
    #[error("`parts` is {parts} but only {banks} banks have a weight; lower `parts` to {banks} or add banks")]
    PartsWithoutBanks {
        /// Positions per loan.
        parts: u8,
        /// Banks with a weight.
        banks: usize,
    },
    /// The rules contradict the weights: no loan could satisfy both.
    #[error(
        "the servicer must fund {min} %, but with these weights no bank funds more than {most} of {units} units of a loan it shares; lower `min_servicer_share` or change `weights`"
    )]
    NoServicer {
        /// Percent asked for.
        min: u8,
        /// The largest share that any bank can have beside another, in share units.
        most: u32,
        /// Share units of a whole loan.
        units: u16,
    },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"))
}

/// Why banks cannot share a loan under a product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Nobody.
    #[error("nobody takes part in the loan; name the servicer first, then its partners")]
    Empty,
    /// More banks than positions.
    #[error("{count} banks take part, but a loan of this product has {parts} positions; leave some out")]
    TooMany {
        /// Banks named.
        count: usize,
        /// Positions per loan.
        parts: u8,
    },
    /// A bank that the product does not know.
    #[error("`{name}` has no weight in this product; add it to [weights] or leave it out")]
    Unknown {
        /// The bank.
        name: String,
    },
    /// The same bank again.
    #[error("`{name}` is named twice; name every bank once")]
    Twice {
        /// The bank.
        name: String,
    },
    /// So little weight that it would get nothing.
    #[error(
        "the weight of `{name}` rounds to no share at all beside these banks; raise it or leave the bank out"
    )]
    Nothing {
        /// The bank.
        name: String,
    },
    /// The servicer would hold too little.
    #[error(
        "`{name}` services the loan and must fund {min} %, but gets {share} of {units} units beside these banks; leave a partner out or change the weights"
    )]
    ServicerTooSmall {
        /// The servicer.
        name: String,
        /// Its share in units.
        share: u32,
        /// Units of a whole loan.
        units: u16,
        /// Percent that it must fund.
        min: u8,
    },
}
