//! Reads the section: raw TOML values to checked ones, every refusal with its place.

use super::{Buckets, Classes, Method, Order, Rules, Terms, Waterfall};
use crate::{
    calendar::Roll,
    day::MonthEnd,
    day_count::{DayCount, Rounding},
    error::{PolicyError, Problem},
    schedule::{AccrueTo, Kind},
    text::{Source, Value},
    waterfall::{Component, Direction},
};
use toml::de::DeTable;

/// Every key of the section.
const KEYS: [&str; 9] = [
    "schedule",
    "day_count",
    "rounding",
    "roll",
    "accrue_to",
    "month_end",
    "buckets",
    "classes",
    "waterfall",
];
/// Every key of an order, and the table that only the outer one has.
const RULE_KEYS: [&str; 5] = ["direction", "past_due", "due", "in_advance", "non_accrual"];

/// The terms of a value that is a table of them.
pub(crate) fn read(source: Source<'_>, value: &Value<'_>) -> Result<Terms, PolicyError> {
    let section = Section::new(source, "terms", value, &KEYS)?;
    Ok(Terms {
        method: Method {
            kind: section.required(
                "schedule",
                "schedule = \"annuity\"",
                &Kind::ALL.map(|it| (it.name(), it)),
            )?,
            day_count: section.required(
                "day_count",
                "day_count = \"ACT/365F\"",
                &DayCount::ALL.map(|it| (it.name(), it)),
            )?,
            rounding: section.choice("rounding", &Rounding::ALL.map(|it| (it.name(), it)))?,
            roll: section.choice("roll", &Roll::ALL.map(|it| (it.name(), it)))?,
            accrue_to: section.choice("accrue_to", &AccrueTo::ALL.map(|it| (it.name(), it)))?,
            month_end: section.choice("month_end", &MonthEnd::ALL.map(|it| (it.name(), it)))?,
        },
        waterfall: section.waterfall()?,
        buckets: section.buckets()?,
        classes: section.classes()?,
    })
}

/// A table whose keys are all known.
struct Section<'a, 'i> {
    source: Source<'i>,
    table: &'a DeTable<'i>,
    value: &'a Value<'i>,
}

impl<'a, 'i> Section<'a, 'i> {
    fn new(
        source: Source<'i>,
        key: &'static str,
        value: &'a Value<'i>,
        keys: &[&'static str],
    ) -> Result<Self, PolicyError> {
        let table = value.get_ref().as_table();
        let table = table
            .ok_or_else(|| source.wrong_kind(key, value, "a table, such as [terms] and lines below it"))?;
        source.only(table, keys)?;
        Ok(Self { source, table, value })
    }

    /// A word out of a list.
    fn word<T: Copy>(
        &self,
        key: &'static str,
        value: &Value<'_>,
        words: &[(&'static str, T)],
    ) -> Result<T, PolicyError> {
        let written = self.source.string(key, value, "a word in quotes")?;
        words.iter().find(|(word, _)| *word == written).map(|&(_, meaning)| meaning).ok_or_else(|| {
            let choices = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            let value_text = written.chars().take(40).collect();
            self.source.refuse(value.span(), Problem::Choice { key, value: value_text, choices })
        })
    }

    /// A word that may be left out, which means the first of the list.
    fn choice<T: Copy + Default>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<T, PolicyError> {
        self.find(key).map_or(Ok(T::default()), |value| self.word(key, value, words))
    }

    /// A word that must be there.
    fn required<T: Copy>(
        &self,
        key: &'static str,
        example: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<T, PolicyError> {
        let missing = || self.source.refuse(self.value.span(), Problem::Missing { key, example });
        self.word(key, self.find(key).ok_or_else(missing)?, words)
    }

    fn waterfall(&self) -> Result<Waterfall, PolicyError> {
        let Some(value) = self.find("waterfall") else { return Ok(Waterfall::default()) };
        let outer = Section::new(self.source, "waterfall", value, &RULE_KEYS)?;
        let non_accrual = outer.find("non_accrual").map(|value| {
            let [keys @ .., _] = &RULE_KEYS;
            Section::new(self.source, "non_accrual", value, keys)?.rules()
        });
        Ok(Waterfall { accruing: outer.rules()?, non_accrual: non_accrual.transpose()? })
    }

    fn rules(&self) -> Result<Rules, PolicyError> {
        Ok(Rules {
            direction: self.choice("direction", &Direction::ALL.map(|it| (it.name(), it)))?,
            past_due: self.order("past_due")?.unwrap_or_default(),
            due: self.order("due")?.unwrap_or_default(),
            in_advance: self.order("in_advance")?,
        })
    }

    fn order(&self, key: &'static str) -> Result<Option<Order>, PolicyError> {
        let Some(value) = self.find(key) else { return Ok(None) };
        let words = Component::ALL.map(|it| (it.name(), it));
        let components = self
            .list(key, value, "a list such as [\"penalty\", \"fee\", \"interest\", \"principal\"]")?
            .iter()
            .map(|value| self.word(key, value, &words))
            .collect::<Result<Vec<_>, _>>()?;
        let components = <[Component; 4]>::try_from(components).map_err(|components| {
            self.source.refuse(value.span(), Problem::Length { key, count: components.len(), needed: 4 })
        })?;
        let order = Order::new(components)
            .map_err(|error| self.source.refuse(value.span(), Problem::Order(error)))?;
        Ok(Some(order))
    }

    fn buckets(&self) -> Result<Buckets, PolicyError> {
        let Some(value) = self.find("buckets") else { return Ok(Buckets::default()) };
        let bounds = self.days("buckets", value)?;
        Buckets::new(&bounds)
            .map_err(|error| self.source.refuse(value.span(), Problem::Ageing { key: "buckets", error }))
    }

    fn classes(&self) -> Result<Classes, PolicyError> {
        let Some(value) = self.find("classes") else { return Ok(Classes::default()) };
        let bounds = <[u16; 4]>::try_from(self.days("classes", value)?).map_err(|bounds| {
            let problem = Problem::Length { key: "classes", count: bounds.len(), needed: 4 };
            self.source.refuse(value.span(), problem)
        })?;
        Classes::new(bounds)
            .map_err(|error| self.source.refuse(value.span(), Problem::Ageing { key: "classes", error }))
    }

    /// A list of days past due.
    fn days(&self, key: &'static str, value: &Value<'_>) -> Result<Vec<u16>, PolicyError> {
        self.list(key, value, "a list of days such as [0, 30, 60, 90]")?
            .iter()
            .map(|value| self.source.number(key, value, 0, u64::from(u16::MAX)))
            .collect()
    }

    fn list<'v>(
        &self,
        key: &'static str,
        value: &'v Value<'i>,
        expected: &'static str,
    ) -> Result<&'v [Value<'i>], PolicyError> {
        value
            .get_ref()
            .as_array()
            .map(|list| &**list)
            .ok_or_else(|| self.source.wrong_kind(key, value, expected))
    }

    fn find(&self, key: &str) -> Option<&'a Value<'i>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}
