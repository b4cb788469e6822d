//! A bank's own side: what it opens on the chain, as lines.
//!
//! The view books batch after batch; a line is what a batch changed in the bank's part of a loan, or in what it paid in.
//! Another kind of event is one more difference in `Before::lines`.

use super::{
    date::Day,
    line::{Component, Currency, Event, Line, Names, RESERVE, Side},
};
use anyhow::{Context as _, Result, ensure};
use counterfoil_ledger::{
    batch::{Header, Sealed, loan_id},
    body::{Body, SealedBody},
    chain::History,
    genesis::Consortium,
    names::{AccountKind, LoanId, MemberId},
    transaction::Transaction,
    view::{LoanView, PartView, View},
};
use std::path::Path;

/// Reads a bank's own lines from a chain; `progress` hears the height and the last one.
///
/// # Errors
/// When the chain cannot be read, or is not the consortium's, or does not open as it should: then it is not the bank's file
/// that has to be looked at first.
pub fn read(
    chain: &Path,
    mut view: View,
    (consortium, me): (&std::sync::Arc<Consortium>, MemberId),
    names: &mut Names,
    mut progress: impl FnMut(u64, u64),
) -> Result<Vec<Line>> {
    let mut history = History::open(chain, consortium.clone()).context(
        "there is no chain here yet; run `counterfoil node` first, or name another node's with --chain",
    )?;
    let (last, mut lines) = (history.last(), Vec::new());
    while let Some(decided) = history.next_block()? {
        for bytes in decided.applied() {
            for sealed in Transaction::batch_of(bytes)?.iter() {
                let before = Before::of(&view, me, sealed);
                view.read(sealed);
                before.lines(&view, (consortium, me), &sealed.batch.content.header, names, &mut lines)?;
            }
        }
        progress(decided.block.header.height, last);
    }
    ensure!(
        view.findings.is_empty(),
        "{} openings on the ledger itself do not agree; see `counterfoil view` before reconciling",
        view.findings.len()
    );
    Ok(lines)
}

/// What a batch is about to change, as it stood before.
struct Before {
    paid_in: u64,
    taken_out: u64,
    parts: Vec<(LoanId, PartView)>,
}

fn part(view: &View, me: MemberId, loan: LoanId) -> PartView {
    view.loans.get(&loan).and_then(|loan| loan.parts.get(&me)).copied().unwrap_or_default()
}

fn total(view: &View, me: MemberId, header: &Header, kind: AccountKind) -> u64 {
    view.totals.get(&(header.servicer, header.product, me, kind)).copied().unwrap_or(0)
}

/// The loans that a batch opens or touches, each once.
fn loans(header: &Header, body: &SealedBody) -> Vec<LoanId> {
    match body {
        Body::Originate { loans, .. } => {
            (0u16..).zip(loans).map(|(index, _)| loan_id(header, index)).collect()
        }
        body => body.touched().into_iter().map(|(loan, _)| loan).collect(),
    }
}

impl Before {
    fn of(view: &View, me: MemberId, sealed: &Sealed) -> Self {
        let content = &sealed.batch.content;
        let parts =
            loans(&content.header, &content.body).into_iter().map(|loan| (loan, part(view, me, loan)));
        let [paid_in, taken_out] = [AccountKind::Settlement, AccountKind::Released]
            .map(|kind| total(view, me, &content.header, kind));
        Self { paid_in, taken_out, parts: parts.collect() }
    }

    /// The lines of what changed.
    fn lines(
        &self,
        view: &View,
        (consortium, me): (&Consortium, MemberId),
        header: &Header,
        names: &mut Names,
        lines: &mut Vec<Line>,
    ) -> Result<()> {
        let terms = consortium.terms(header.product).context("a batch that was applied has a product")?;
        let currency =
            Currency::with_exponent(terms.product.currency()).context("a product has a currency")?.0;
        let day = |days: u32| i32::try_from(days).map(Day);
        let (value, booked) = (day(header.value_date.0)?, Some(day(header.booking_date.0)?));
        let mut add = |loan, event: Event, component, amount: u64| {
            let row = u64::try_from(lines.len()).unwrap_or(u64::MAX).saturating_add(1);
            let side = event.side().unwrap_or(Side::Debit);
            let (key, bucket, account, customer) = (None, None, None, None);
            let line = Line {
                loan,
                event,
                component,
                side,
                amount,
                currency,
                value,
                booked,
                key,
                bucket,
                account,
                customer,
                row,
            };
            lines.extend((amount > 0).then_some(line));
        };
        let reserve = names.name(RESERVE);
        for (event, kind, was) in [
            (Event::Funded, AccountKind::Settlement, self.paid_in),
            (Event::Released, AccountKind::Released, self.taken_out),
        ] {
            add(reserve, event, Component::Principal, total(view, me, header, kind).saturating_sub(was));
        }
        for (id, was) in &self.parts {
            let Some(loan) = view.loans.get(id) else { continue };
            let (name, is) = (name(*id, loan, names), part(view, me, *id));
            let more = |of: fn(&PartView) -> u64| of(&is).saturating_sub(of(was));
            let (lent, raised, lost) =
                (more(|part| part.lent), more(|part| part.capitalised), more(|part| part.written_off));
            let owed = was.outstanding.saturating_add(lent).saturating_add(raised).saturating_sub(lost);
            add(name, Event::Drawn, Component::Principal, lent);
            add(name, Event::Raised, Component::Principal, raised);
            add(name, Event::ChargedOff, Component::Principal, lost);
            add(name, Event::Repaid, Component::Principal, owed.saturating_sub(is.outstanding));
            add(name, Event::Repaid, Component::Interest, more(|part| part.interest));
            // The view adds fees and penalties up.
            add(name, Event::Repaid, Component::Fee, more(|part| part.fees));
            add(name, Event::Recovered, Component::Principal, more(|part| part.proceeds));
            add(name, Event::Cost, Component::Fee, more(|part| part.costs));
        }
        Ok(())
    }
}

/// A loan goes by its reference, and by its id, too.
fn name(id: LoanId, loan: &LoanView, names: &mut Names) -> super::line::Name {
    let id = hex::encode(id.0);
    let name = names.name(loan.reference.as_deref().unwrap_or(&id));
    names.alias(&id, name);
    name
}
