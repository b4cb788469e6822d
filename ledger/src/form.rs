//! From one form of a body to another: wire bytes to points, openings to wire bytes.

use crate::body::{
    Body, Movement, NewLoan, NewPart, Portion, Posting, Split, Touched, TouchedLoan, TouchedPart,
    WrittenLoan, WrittenPart,
};

/// How the two leaves of a body are turned.
pub trait Turn<C, P> {
    /// What stands for a commitment afterwards.
    type C;
    /// What stands for a handle or key afterwards.
    type P;
    /// Why it cannot be turned.
    type Error;
    /// Turns a commitment.
    ///
    /// # Errors
    /// When it is not what it claims to be.
    fn commitment(&mut self, from: &C) -> Result<Self::C, Self::Error>;
    /// Turns a handle or key.
    ///
    /// # Errors
    /// When it is not what it claims to be.
    fn handle(&mut self, from: &P) -> Result<Self::P, Self::Error>;
}

impl<C, P> Body<C, P> {
    /// The body in another form.
    ///
    /// # Errors
    /// The first error of `turn`.
    pub fn turn<T: Turn<C, P>>(&self, turn: &mut T) -> Result<Body<T::C, T::P>, T::Error> {
        Ok(match self {
            Self::Fund { postings } => Body::Fund { postings: all(postings, turn, posting)? },
            Self::Originate { reserves, loans, postings } => Body::Originate {
                reserves: all(reserves, turn, commitment)?,
                loans: all(loans, turn, new_loan)?,
                postings: all(postings, turn, posting)?,
            },
            Self::Repay(events) => Body::Repay(touched(events, turn)?),
            Self::Draw { reserves, touched: events } => {
                Body::Draw { reserves: all(reserves, turn, commitment)?, touched: touched(events, turn)? }
            }
            Self::Reschedule(events) => Body::Reschedule(touched(events, turn)?),
            Self::WriteOff { loans, postings } => Body::WriteOff {
                loans: all(loans, turn, written_loan)?,
                postings: all(postings, turn, posting)?,
            },
            Self::Recover { reserves, touched: events } => {
                Body::Recover { reserves: all(reserves, turn, commitment)?, touched: touched(events, turn)? }
            }
            Self::Collect { written_off, touched: events, recovered } => Body::Collect {
                written_off: written_off.clone(),
                touched: touched(events, turn)?,
                recovered: all(recovered, turn, posting)?,
            },
            Self::Reclassify { from, to, loans, postings } => Body::Reclassify {
                from: *from,
                to: *to,
                loans: all(loans, turn, written_loan)?,
                postings: all(postings, turn, posting)?,
            },
            Self::Release { reserves, postings } => Body::Release {
                reserves: all(reserves, turn, commitment)?,
                postings: all(postings, turn, posting)?,
            },
        })
    }
}

fn all<A, B, T, E>(items: &[A], turn: &mut T, one: impl Fn(&A, &mut T) -> Result<B, E>) -> Result<Vec<B>, E> {
    items.iter().map(|item| one(item, turn)).collect()
}

fn posting<C, P, T: Turn<C, P>>(from: &Posting<C, P>, turn: &mut T) -> Result<Posting<T::C, T::P>, T::Error> {
    Ok(Posting {
        amount: turn.commitment(&from.amount)?,
        handles: all(&from.handles, turn, |p, t| t.handle(p))?,
    })
}

fn movement<C, P, T: Turn<C, P>>(
    from: &Movement<C, P>,
    turn: &mut T,
) -> Result<Movement<T::C, T::P>, T::Error> {
    Ok(Movement {
        amount: turn.commitment(&from.amount)?,
        handles: all(&from.handles, turn, |p, t| t.handle(p))?,
    })
}

fn split<C, P, T: Turn<C, P>>(from: &Split<C>, turn: &mut T) -> Result<Split<T::C>, T::Error> {
    Ok(Split { rest: turn.commitment(&from.rest)?, slack: turn.commitment(&from.slack)? })
}

fn new_loan<C, P, T: Turn<C, P>>(
    from: &NewLoan<C, P>,
    turn: &mut T,
) -> Result<NewLoan<T::C, T::P>, T::Error> {
    let part = |from: &NewPart<C, P>, turn: &mut T| {
        Ok(NewPart {
            owner: (turn.handle(&from.owner.0)?, turn.handle(&from.owner.1)?),
            share: turn.commitment(&from.share)?,
            principal: movement(&from.principal, turn)?,
            split: split(&from.split, turn)?,
        })
    };
    Ok(NewLoan { quotient: turn.commitment(&from.quotient)?, parts: all(&from.parts, turn, part)? })
}

fn commitment<C, P, T: Turn<C, P>>(from: &C, turn: &mut T) -> Result<T::C, T::Error> {
    turn.commitment(from)
}

fn touched<C, P, T: Turn<C, P>, const N: usize>(
    from: &Touched<C, P, N>,
    turn: &mut T,
) -> Result<Touched<T::C, T::P, N>, T::Error> {
    Ok(Touched {
        loans: all(&from.loans, turn, touched_loan)?,
        postings: each(&from.postings, turn, |postings, turn| all(postings, turn, posting))?,
    })
}

fn touched_loan<C, P, T: Turn<C, P>, const N: usize>(
    from: &TouchedLoan<C, P, N>,
    turn: &mut T,
) -> Result<TouchedLoan<T::C, T::P, N>, T::Error> {
    let portion = |from: &Portion<C, P>, turn: &mut T| {
        Ok(Portion { movement: movement(&from.movement, turn)?, split: split(&from.split, turn)? })
    };
    let part = |from: &TouchedPart<C, P, N>, turn: &mut T| {
        Ok(TouchedPart {
            balance: turn.commitment(&from.balance)?,
            share: turn.commitment(&from.share)?,
            legs: each(&from.legs, turn, portion)?,
        })
    };
    Ok(TouchedLoan {
        loan: from.loan,
        quotients: each(&from.quotients, turn, commitment)?,
        parts: all(&from.parts, turn, part)?,
    })
}

fn written_loan<C, P, T: Turn<C, P>>(
    from: &WrittenLoan<C, P>,
    turn: &mut T,
) -> Result<WrittenLoan<T::C, T::P>, T::Error> {
    let part = |from: &WrittenPart<C, P>, turn: &mut T| {
        Ok(WrittenPart { part: from.part, balance: movement(&from.balance, turn)? })
    };
    Ok(WrittenLoan { loan: from.loan, parts: all(&from.parts, turn, part)? })
}

/// As [`all`], of as many as there are.
fn each<A, B, T, E, const N: usize>(
    items: &[A; N],
    turn: &mut T,
    one: impl Fn(&A, &mut T) -> Result<B, E>,
) -> Result<[B; N], E> {
    let turned = items.iter().map(|item| one(item, turn)).collect::<Result<Vec<_>, _>>()?;
    Ok(turned.try_into().unwrap_or_else(|_| unreachable!("as many out as in")))
}
