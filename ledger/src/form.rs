//! From one form of a body to another: wire bytes to points, openings to wire bytes.

use crate::batch::{Body, Movement, NewLoan, NewPart, Posting, RepaidLoan, RepaidPart, Split};

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
                reserves: reserves.iter().map(|c| turn.commitment(c)).collect::<Result<_, _>>()?,
                loans: all(loans, turn, new_loan)?,
                postings: all(postings, turn, posting)?,
            },
            Self::Repay { loans, principal, interest } => Body::Repay {
                loans: all(loans, turn, repaid_loan)?,
                principal: all(principal, turn, posting)?,
                interest: all(interest, turn, posting)?,
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

fn repaid_loan<C, P, T: Turn<C, P>>(
    from: &RepaidLoan<C, P>,
    turn: &mut T,
) -> Result<RepaidLoan<T::C, T::P>, T::Error> {
    let part = |from: &RepaidPart<C, P>, turn: &mut T| {
        Ok(RepaidPart {
            balance: turn.commitment(&from.balance)?,
            share: turn.commitment(&from.share)?,
            principal: movement(&from.principal, turn)?,
            principal_split: split(&from.principal_split, turn)?,
            interest: movement(&from.interest, turn)?,
            interest_split: split(&from.interest_split, turn)?,
        })
    };
    Ok(RepaidLoan {
        loan: from.loan,
        principal_quotient: turn.commitment(&from.principal_quotient)?,
        interest_quotient: turn.commitment(&from.interest_quotient)?,
        parts: all(&from.parts, turn, part)?,
    })
}
