use super::*;
use Component::{Fee, Interest, Penalty, Principal};
use proptest::prelude::*;

fn order(components: [Component; 4]) -> Order {
    Order::new(components).unwrap()
}

fn rules(direction: Direction) -> Rules {
    let in_advance = Some(order([Principal, Penalty, Fee, Interest]));
    Rules { direction, past_due: Order::default(), due: Order::default(), in_advance }
}

fn waterfall(direction: Direction) -> Waterfall {
    Waterfall { accruing: rules(direction), non_accrual: None }
}

fn due(day: u32, penalty: u64, fee: u64, interest: u64, principal: u64) -> Due {
    Due { on: Day::new(day).unwrap(), open: Amounts { penalty, fee, interest, principal } }
}

/// Two instalments past due, one due on day 300, one later; given out of order.
fn dues() -> [Due; 4] {
    [due(330, 0, 0, 8, 112), due(240, 3, 5, 10, 100), due(270, 2, 0, 9, 101), due(300, 0, 5, 9, 101)]
}

fn steps(allocation: &Allocation) -> Vec<(usize, Component, u64)> {
    allocation.steps.iter().map(|step| (step.instalment, step.component, step.amount)).collect()
}

fn allocate(direction: Direction, amount: u64) -> Allocation {
    waterfall(direction).allocate(&dues(), amount, Day::new(300).unwrap(), Status::Accruing)
}

/// Each line: the payment, then where it goes; the last number is the credit.
#[test]
fn vertical_pays_the_oldest_instalment_first() {
    let first = [(1, Penalty, 3), (1, Fee, 5), (1, Interest, 10), (1, Principal, 100)];
    let second = [(2, Penalty, 2), (2, Interest, 9), (2, Principal, 101)];
    let third = [(3, Fee, 5), (3, Interest, 9), (3, Principal, 101)];
    let later = [(0, Principal, 112), (0, Interest, 8)];
    let full = [&first[..], &second, &third, &later].concat();
    for (amount, expected, credit) in [
        (0, vec![], 0),
        (7, vec![(1, Penalty, 3), (1, Fee, 4)], 0),
        (118, first.to_vec(), 0),
        (121, [&first[..], &[(2, Penalty, 2), (2, Interest, 1)]].concat(), 0),
        (350, [&first[..], &second, &third, &[(0, Principal, 5)]].concat(), 0),
        (465, full.clone(), 0),
        (500, full, 35),
    ] {
        let allocation = allocate(Direction::Vertical, amount);
        assert_eq!((steps(&allocation), allocation.credit), (expected, credit), "{amount}");
    }
}

#[test]
fn horizontal_pays_one_component_after_the_other() {
    let small = [(1, Penalty, 3), (2, Penalty, 2), (1, Fee, 5), (1, Interest, 10), (2, Interest, 9)];
    for (amount, expected) in [
        (4, vec![(1, Penalty, 3), (2, Penalty, 1)]),
        (29, small.to_vec()),
        (130, [&small[..], &[(1, Principal, 100), (2, Principal, 1)]].concat()),
        // What is due today waits until nothing is past due.
        (232, [&small[..], &[(1, Principal, 100), (2, Principal, 101), (3, Fee, 2)]].concat()),
    ] {
        assert_eq!(steps(&allocate(Direction::Horizontal, amount)), expected, "{amount}");
    }
}

#[test]
fn ages_are_told() {
    let ages: Vec<Age> = allocate(Direction::Vertical, 500).steps.iter().map(|step| step.age).collect();
    assert_eq!(ages[..7], [Age::PastDue; 7]);
    assert_eq!(ages[7..10], [Age::Due; 3]);
    assert_eq!(ages[10..], [Age::InAdvance; 2]);
}

#[test]
fn nothing_is_paid_in_advance_where_the_product_says_so() {
    let held = Rules { in_advance: None, ..rules(Direction::Vertical) };
    let waterfall = Waterfall { accruing: held, non_accrual: None };
    let allocation = waterfall.allocate(&dues(), 500, Day::new(300).unwrap(), Status::Accruing);
    assert_eq!(allocation.credit, 500 - 345);
    assert_eq!(allocation.paid(0), Amounts::default());
    assert_eq!(allocation.paid(1), dues()[1].open);
}

#[test]
fn the_order_changes_when_the_loan_stops_accruing() {
    let principal_first = order([Principal, Interest, Fee, Penalty]);
    let non_accrual =
        Rules { direction: Direction::Horizontal, past_due: principal_first, ..rules(Direction::Vertical) };
    let both = Waterfall { non_accrual: Some(non_accrual), ..waterfall(Direction::Vertical) };
    let on = Day::new(300).unwrap();
    assert_eq!(
        steps(&both.allocate(&dues(), 105, on, Status::NonAccrual)),
        [(1, Principal, 100), (2, Principal, 5)]
    );
    assert_eq!(both.allocate(&dues(), 105, on, Status::Accruing), allocate(Direction::Vertical, 105));
    let one = waterfall(Direction::Vertical);
    assert_eq!(one.allocate(&dues(), 105, on, Status::NonAccrual), allocate(Direction::Vertical, 105));
}

#[test]
fn an_order_has_every_component_once() {
    assert_eq!(Order::new([Fee, Penalty, Fee, Principal]), Err(OrderError(Fee)));
    let error = Order::new([Fee, Penalty, Fee, Principal]).unwrap_err().to_string();
    assert!(error.contains("names `fee` twice or more"), "{error}");
    assert_eq!(Order::default().components(), Component::ALL);
}

fn orders() -> impl Strategy<Value = Order> {
    Just(Component::ALL).prop_shuffle().prop_map(order)
}

fn some_rules() -> impl Strategy<Value = Rules> {
    let directions = prop::sample::select(vec![Direction::Vertical, Direction::Horizontal]);
    (directions, orders(), orders(), prop::option::of(orders()))
        .prop_map(|(direction, past_due, due, in_advance)| Rules { direction, past_due, due, in_advance })
}

fn waterfalls() -> impl Strategy<Value = Waterfall> {
    (some_rules(), prop::option::of(some_rules()))
        .prop_map(|(accruing, non_accrual)| Waterfall { accruing, non_accrual })
}

fn many_dues() -> impl Strategy<Value = Vec<Due>> {
    let amounts = prop::array::uniform4(prop_oneof![Just(0u64), 0u64..200, Just(u64::MAX)]);
    let one = (95u32..106, amounts).prop_map(|(on, [p, f, i, c])| due(on, p, f, i, c));
    prop::collection::vec(one, 0..12)
}

fn statuses() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::Accruing, Status::NonAccrual])
}

fn after(dues: &[Due], allocation: &Allocation) -> Vec<Due> {
    let mut left = dues.to_vec();
    for (index, due) in left.iter_mut().enumerate() {
        for component in Component::ALL {
            *due.open.of_mut(component) -= allocation.paid(index).of(component); // panics above what is open
        }
    }
    left
}

proptest! {
    #[test]
    fn steps_and_credit_are_the_amount(
        waterfall in waterfalls(), dues in many_dues(), amount in prop_oneof![0u64..3000, any::<u64>()], status in statuses(),
    ) {
        let allocation = waterfall.allocate(&dues, amount, Day::new(100).unwrap(), status);
        let paid: u128 = allocation.steps.iter().map(|step| u128::from(step.amount)).sum();
        prop_assert_eq!(paid + u128::from(allocation.credit), u128::from(amount));
        let by_instalment: u128 = (0..dues.len()).map(|index| allocation.paid(index).sum()).sum();
        prop_assert_eq!(by_instalment, paid);
        let left = after(&dues, &allocation);
        // A credit means that nothing was left to pay.
        let rules = if status == Status::NonAccrual { waterfall.non_accrual } else { None }.unwrap_or(waterfall.accruing);
        let payable = |due: &&Due| rules.in_advance.is_some() || due.on <= Day::new(100).unwrap();
        prop_assert!(allocation.credit == 0 || left.iter().filter(payable).all(|due| due.open.sum() == 0));
    }

    /// Nothing that comes later in the order is paid while anything before it is open.
    #[test]
    fn the_order_is_kept(rules in some_rules(), dues in many_dues(), amount in 0u64..3000) {
        let on = Day::new(100).unwrap();
        let waterfall = Waterfall { accruing: rules, non_accrual: None };
        let allocation = waterfall.allocate(&dues, amount, on, Status::Accruing);
        let left = after(&dues, &allocation);
        let rank = |index: usize, component: Component| {
            let age = Age::of(dues[index].on, on);
            let order = match age {
                Age::PastDue => rules.past_due,
                Age::Due => rules.due,
                Age::InAdvance => rules.in_advance.unwrap_or_default(),
            };
            let place = order.components().iter().position(|&other| other == component).unwrap();
            match rules.direction {
                Direction::Vertical => (age, dues[index].on.days() as usize, index, place),
                Direction::Horizontal => (age, place, dues[index].on.days() as usize, index),
            }
        };
        let last = allocation.steps.last().map(|step| rank(step.instalment, step.component));
        prop_assert!(allocation.steps.is_sorted_by_key(|step| rank(step.instalment, step.component)));
        for (index, due) in left.iter().enumerate() {
            for component in Component::ALL {
                prop_assert!(due.open.of(component) == 0 || last.is_none_or(|last| rank(index, component) >= last));
            }
        }
    }

    /// Two payments on one day do what their sum does.
    #[test]
    fn payments_add_up(
        waterfall in waterfalls(), dues in many_dues(), one in 0u64..2000, two in 0u64..2000, status in statuses(),
    ) {
        let on = Day::new(100).unwrap();
        let first = waterfall.allocate(&dues, one, on, status);
        let between = after(&dues, &first);
        let second = waterfall.allocate(&between, two, on, status);
        let both = waterfall.allocate(&dues, one + two, on, status);
        prop_assert_eq!(after(&between, &second), after(&dues, &both));
        prop_assert_eq!(first.credit + second.credit, both.credit);
    }
}
