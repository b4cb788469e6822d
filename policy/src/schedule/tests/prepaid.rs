//! Prepayments.

use super::*;

fn three() -> Loan {
    loan(100_000, 120_000, 3)
}

#[test]
fn a_prepayment_shortens_the_term_or_lowers_the_instalment() {
    let year = plan(Kind::Annuity, &loan(1_200_000, 120_000, 12));
    assert_eq!(year.each(), 106_619);
    // On the third due date, which counts as paid: no interest runs with it.
    let on = day("2024-04-15");
    let owed = year.instalments()[2].balance;
    let shorter = year.prepay(on, 400_000, Keep::Instalment).unwrap();
    assert_eq!((shorter.each(), shorter.instalments().len()), (106_619, 3 + 1 + 5));
    let row = shorter.instalments()[3];
    assert_eq!(
        (row.prepaid, row.due, row.interest, row.principal, row.balance),
        (true, on, 0, 400_000, owed - 400_000)
    );
    let lower = year.prepay(on, 400_000, Keep::Term).unwrap();
    assert_eq!((lower.each(), lower.instalments().len()), (59_922, 12 + 1));
    assert_eq!(lower.instalments().last().unwrap().due, year.instalments().last().unwrap().due);
    assert!(shorter.total_interest() < lower.total_interest());
    assert!(lower.total_interest() < year.total_interest());
}

#[test]
fn interest_up_to_the_day_is_paid_with_it() {
    let equal = plan(Kind::EqualPrincipal, &three());
    let prepaid = equal.prepay(day("2024-03-01"), 30_000, Keep::Term).unwrap();
    // 16 days at 1 % a month of 66,667; 14 days and a month of what is left.
    let expected = [(1000, 33_333, 66_667), (356, 30_000, 36_667), (171, 18_334, 18_333), (183, 18_333, 0)];
    assert_eq!(rows(&prepaid), expected);
    let kept = equal.prepay(day("2024-03-01"), 30_000, Keep::Instalment).unwrap();
    let expected = [(1000, 33_333, 66_667), (356, 30_000, 36_667), (171, 33_333, 3334), (33, 3334, 0)];
    assert_eq!(rows(&kept), expected);
}

#[test]
fn a_payoff_ends_the_plan() {
    let bullet = plan(Kind::Bullet, &Loan { first_due: day("2024-04-15"), count: 1, ..three() });
    let on = day("2024-02-15");
    let payoff = bullet.payoff(on).unwrap();
    assert_eq!((payoff.interest, payoff.principal, payoff.balance), (1000, 100_000, 0));
    let ended = bullet.prepay(on, payoff.principal, Keep::Term).unwrap();
    assert_eq!(ended.instalments(), [payoff]);
    assert_eq!(ended.payoff(on), Err(ScheduleError::Finished { on }));
}

#[test]
fn money_may_come_back_on_the_day_of_the_payout() {
    let prepaid = plan(Kind::InterestOnly, &three()).prepay(day("2024-01-15"), 60_000, Keep::Term).unwrap();
    assert_eq!(rows(&prepaid), [(0, 60_000, 40_000), (400, 0, 40_000), (400, 0, 40_000), (400, 40_000, 0)]);
}

#[test]
fn a_payoff_fits_in_64_bits_or_is_refused() {
    let huge = plan(Kind::EqualPrincipal, &Loan { principal: u64::MAX, ..three() });
    assert_eq!(huge.payoff(day("2024-01-16")), Err(ScheduleError::TooLarge));
    assert_eq!(huge.payoff(day("2024-01-15")).unwrap().principal, u64::MAX);
}

#[test]
fn a_large_prepayment_the_day_before_is_no_trouble() {
    let year = plan(Kind::Annuity, &loan(100_000_000, 180_000, 12));
    let prepaid = year.prepay(day("2024-02-14"), 99_999_000, Keep::Term).unwrap();
    assert_eq!(prepaid.instalments().len(), 13);
    assert!(prepaid.each() < 100, "{}", prepaid.each());
}

/// 30 June 2024 is a Sunday: paid on Friday the 28th, with the interest of the whole month. Saturday's prepayment owes none.
#[test]
fn days_that_were_paid_are_not_paid_twice() {
    let nominal =
        Method { roll: Roll::Preceding, accrue_to: AccrueTo::NominalDate, ..method(Kind::EqualPrincipal) };
    let loan = Loan { start: day("2024-05-30"), first_due: day("2024-06-30"), ..three() };
    let plan = Schedule::new(nominal, &loan, &Calendar::weekends()).unwrap();
    let prepaid = plan.prepay(day("2024-06-29"), 6667, Keep::Term).unwrap();
    let row = prepaid.instalments()[1];
    assert_eq!((row.due, row.to, row.interest), (day("2024-06-29"), day("2024-06-30"), 0));
    assert_eq!(
        rows(&prepaid),
        [(1000, 33_333, 66_667), (0, 6667, 60_000), (600, 30_000, 30_000), (300, 30_000, 0)]
    );
}

#[test]
fn refuses() {
    let annuity = plan(Kind::Annuity, &three());
    let error = |on: &str, principal, keep| annuity.prepay(day(on), principal, keep).unwrap_err();
    let keep = Keep::Instalment;
    assert!(error("2024-01-14", 1, keep).to_string().contains("before the payout on 2024-01-15"));
    assert_eq!(error("2024-04-15", 1, keep), ScheduleError::Finished { on: day("2024-04-15") });
    assert_eq!(error("2024-02-15", 0, keep), ScheduleError::Prepayment { principal: 0, outstanding: 66_998 });
    let too_much = ScheduleError::Prepayment { principal: 66_999, outstanding: 66_998 };
    assert_eq!(error("2024-02-15", 66_999, keep), too_much);
    let once = annuity.prepay(day("2024-03-01"), 10_000, keep).unwrap();
    let latest = day("2024-03-01");
    let refused = once.prepay(day("2024-02-29"), 1, keep);
    assert_eq!(refused, Err(ScheduleError::BeforePrepayment { on: day("2024-02-29"), latest }));
    once.prepay(latest, 1, keep).unwrap();
    let interest_only = plan(Kind::InterestOnly, &three());
    assert_eq!(interest_only.prepay(latest, 1, keep), Err(ScheduleError::KeepsNothing));
}

proptest! {
    /// However often principal is paid early: rows before stay, everything still foots, the term or the sum is kept.
    #[test]
    fn plans_still_repay_exactly_the_principal(
        method in methods(), loan in loans(), shorter: bool,
        payments in prop::collection::vec((0u32..200, 1u64..=100), 1..6),
    ) {
        let loan = if method.kind == Kind::Bullet { Loan { count: 1, ..loan } } else { loan };
        let Ok(mut plan) = Schedule::new(method, &loan, &Calendar::weekends()) else { return Ok(()) };
        let end = plan.instalments().last().unwrap().due;
        let mut on = loan.start;
        let keeps = matches!(method.kind, Kind::Annuity | Kind::EqualPrincipal) && shorter;
        let keep = if keeps { Keep::Instalment } else { Keep::Term };
        for (later, percent) in payments {
            on = on.plus_days(later).unwrap();
            let Ok(payoff) = plan.payoff(on) else { break };
            let principal = (payoff.principal / 100 * percent).max(1);
            let next = plan.prepay(on, principal, keep).unwrap();
            check_invariants(&next)?;
            let paid = plan.instalments().iter().filter(|row| row.to <= on || row.due <= on).count();
            prop_assert_eq!(&next.instalments()[..paid], &plan.instalments()[..paid]);
            prop_assert!(next.total_interest() <= plan.total_interest() + 600, "paying early costs no more, but for rounding");
            prop_assert!(next.instalments().last().unwrap().due <= end);
            prop_assert!(!keeps || next.each() == plan.each());
            plan = next;
        }
    }
}
