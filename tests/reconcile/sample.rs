//! A seeded pair of books: a bank's own lines, and the extract of a core system that holds the same.
//!
//! Loans live through all that lines can say: draw-down, accrual, payments with fees and penalties, status changes,
//! returned payouts, reversals, suspense, write-off, recovery, costs, a sale of the share; top-ups of the reserve beside.

use counterfoil::reconcile::{
    date::Day,
    line::{Component, Currency, Event, Line, Name, Names, RESERVE, Side},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};

/// A random source with a seed.
pub(crate) struct Random(ChaCha20Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A number from `low` up to, not including, `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next_u64() % (high - low)
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.between(0, many) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.between(0, last as u64 + 1)).unwrap();
            items.swap(last, other);
        }
    }
}

/// One loan, or the reserve, as both sides have it.
pub(crate) struct LoanBook {
    pub(crate) own: Vec<Line>,
    pub(crate) rows: Vec<Line>,
    /// Whether a break was put into it.
    pub(crate) is_marked: bool,
}

/// Both books.
pub(crate) struct Books {
    pub(crate) names: Names,
    /// The reserve first.
    pub(crate) loans: Vec<LoanBook>,
}

impl Books {
    /// Books of at least so many lines that agree.
    pub(crate) fn generate(seed: u64, lines: usize) -> Self {
        let mut books = Self { names: Names::default(), loans: Vec::new() };
        let mut random = Random::new(seed);
        let reserve = books.reserve(&mut random);
        books.add(reserve);
        let mut count = books.loans[0].own.len();
        while count < lines {
            let loan = books.loan(&mut random);
            count += loan.len();
            books.add(loan);
        }
        let mut number = 0;
        for loan in &mut books.loans {
            for line in &mut loan.own {
                number += 1;
                line.row = number;
            }
        }
        books
    }

    fn add(&mut self, rows: Vec<Line>) {
        // The ledger's lines say nothing of accounts and customers; every third loan's rows have no keys.
        let own = rows.iter().map(|row| Line { account: None, customer: None, ..*row }).collect();
        let mut rows = rows;
        if self.loans.len() % 3 == 1 {
            rows.iter_mut().for_each(|row| row.key = None);
        }
        self.loans.push(LoanBook { own, rows, is_marked: false });
    }

    fn reserve(&mut self, random: &mut Random) -> Vec<Line> {
        let mut life = Life::new(self.names.name(RESERVE), &mut self.names, "reserve");
        for week in 0..150 {
            life.day = START + week * 7;
            life.event(Event::Funded, &[(Component::Principal, random.between(100_000_000, 900_000_000))]);
        }
        life.lines
    }

    fn loan(&mut self, random: &mut Random) -> Vec<Line> {
        let number = self.loans.len();
        let name = self.names.name(&format!("L{number:06}"));
        let mut life = Life::new(name, &mut self.names, &number.to_string());
        let [current, late] = ["current", "1-30"].map(|bucket| self.names.name(bucket));
        life.day = START + i32::try_from(random.between(0, 600)).unwrap();
        let (principal, months) = (random.between(1_000_000, 9_000_000), random.between(8, 13));
        if number.is_multiple_of(11) {
            let returned = life.event(Event::Drawn, &[(Component::Principal, principal)]);
            life.day += 2;
            life.reverse(&returned);
            life.day += 1;
        }
        life.event(Event::Drawn, &[(Component::Principal, principal)]);
        life.status(current);
        let mut due = principal;
        for month in 0..months {
            life.day += 29;
            let interest = random.between(3_000, 90_000);
            life.event(Event::Accrued, &[(Component::Interest, interest)]);
            life.day += 1;
            let part = if month + 1 == months { due } else { random.between(50_000, principal / months) };
            due -= part;
            let mut parts = vec![(Component::Principal, part), (Component::Interest, interest)];
            parts.extend(random.one_in(3).then(|| (Component::Fee, random.between(500, 5_000))));
            parts.extend(random.one_in(8).then(|| (Component::Penalty, random.between(500, 5_000))));
            let paid = life.event(Event::Repaid, &parts);
            if month == 3 && number.is_multiple_of(7) {
                life.day += 3;
                life.reverse(&paid);
                life.day += 2;
                life.event(Event::Repaid, &parts);
            }
            if month == 4 && number.is_multiple_of(5) {
                life.event(Event::Cost, &[(Component::Fee, random.between(300, 2_900))]);
            }
        }
        life.day += 12;
        match number % 4 {
            0 => {
                life.status(late);
                life.day += 20;
                life.event(Event::ChargedOff, &[(Component::Principal, random.between(10_000, 90_000))]);
                life.day += 40;
                life.event(Event::Recovered, &[(Component::Principal, random.between(3_000, 9_000))]);
            }
            1 => {
                let parts = [random.between(50_000, 90_000), random.between(500, 5_000)];
                life.event(
                    Event::Transferred,
                    &[(Component::Principal, parts[0]), (Component::Interest, parts[1])],
                );
            }
            2 => {
                let amount = random.between(5_000, 60_000);
                life.event(Event::Suspense, &[(Component::Principal, amount)]);
                life.day += 4;
                let at = life.lines.len();
                life.event(Event::Suspense, &[(Component::Principal, amount)]);
                life.lines[at].side = Side::Debit;
            }
            _ => {}
        }
        life.lines
    }
}

/// 2017-01-01.
const START: i32 = 17_167;

struct Life {
    loan: Name,
    customer: Name,
    account: Name,
    day: i32,
    lines: Vec<Line>,
}

impl Life {
    fn new(loan: Name, names: &mut Names, number: &str) -> Self {
        let customer = names.name(&format!("C{number}"));
        let account = names.name(&format!("CN-{number}"));
        Self { loan, customer, account, day: START, lines: Vec::new() }
    }

    fn event(&mut self, event: Event, parts: &[(Component, u64)]) -> Vec<Line> {
        let begin = self.lines.len();
        let key = blake3::hash(&[&self.loan_bytes()[..], &begin.to_le_bytes()].concat());
        for (component, amount) in parts {
            self.lines.push(Line {
                loan: self.loan,
                event,
                component: *component,
                side: event.side().unwrap(),
                amount: *amount,
                currency: Currency::with_exponent("CNY").unwrap().0,
                value: Day(self.day),
                booked: Some(Day(self.day + i32::from(self.day % 3 == 0))),
                key: Some(*key.as_bytes()),
                bucket: None,
                account: Some(self.account),
                customer: Some(self.customer),
                row: 0,
            });
        }
        self.lines[begin..].to_vec()
    }

    fn loan_bytes(&self) -> [u8; 32] {
        *blake3::hash(format!("{:?}", self.loan).as_bytes()).as_bytes()
    }

    fn reverse(&mut self, undone: &[Line]) {
        let begin = self.lines.len();
        let parts: Vec<_> = undone.iter().map(|line| (line.component, line.amount)).collect();
        // A reversal has no usual side: it is opposite to what it undoes.
        self.event(Event::Repaid, &parts);
        for (line, undone) in self.lines[begin..].iter_mut().zip(undone) {
            (line.event, line.side) = (Event::Reversed, undone.side.opposite());
        }
    }

    fn status(&mut self, bucket: Name) {
        self.event(Event::Status, &[(Component::Principal, 0)]);
        self.lines.last_mut().unwrap().bucket = Some(bucket);
    }
}
