//! A carrier that is well, and has no room.

use super::*;

fn is_asked(effects: &[Effect]) -> bool {
    sent(effects)
        .iter()
        .any(|mail| matches!(mail, Mail::Transport(TransportMessage::Carry { .. })))
}

/// Whether the breaker moved, which the supervisor would hear.
fn is_breaker_moved(effects: &[Effect]) -> bool {
    sent(effects)
        .iter()
        .any(|mail| matches!(mail, Mail::Supervisor(_)))
}

fn roomy() -> Bench<Scheduler> {
    let mut world = world(1, 1);
    world.dispatch.backlog = 100;
    Bench::new(world, |_| Scheduler::default())
}

#[test]
fn a_full_carrier_is_asked_by_everybody_and_its_breaker_stays_closed() {
    let mut bench = roomy();
    let failures = u64::from(WorkflowRules::default().breaker_failures);
    for number in 1..=3 * failures {
        assert!(is_asked(&bench.admit_and_pack(number, heavy)));
        let refused = bench.answer(number, Step::ThirdParty, StepAnswer::Full);
        assert!(!is_breaker_moved(&refused));
        // Its answer says that it is well: failures are counted anew.
        assert!(is_asked(&bench.admit_and_pack(1_000 + number, heavy)));
        let failed = bench.answer(1_000 + number, Step::ThirdParty, StepAnswer::Unavailable);
        assert!(!is_breaker_moved(&failed));
    }
}

#[test]
fn its_customer_is_told_once_what_it_waits_for_and_in_the_end_why_it_failed() {
    let mut bench = roomy();
    bench.admit_and_pack(1, heavy);
    let retries = WorkflowRules::default().retries;
    for attempt in 1..=retries {
        let full = bench.answer(1, Step::ThirdParty, StepAnswer::Full);
        let news = match attempt {
            1 => vec![(2, delayed(Step::ThirdParty, 1, WaitingFor::Carrier))],
            _ => Vec::new(),
        };
        assert_eq!(told(&full), news, "attempt {attempt}");
        assert!(is_asked(&bench.ring(&full)));
    }
    bench.answer(1, Step::ThirdParty, StepAnswer::Full);
    bench.undone(1, Step::ThirdParty);
    let ended = bench.undone(1, Step::Package);
    let reason = FailureReason::CarrierFull;
    assert_eq!(told(&ended), [(3, DeliveryEvent::Failed { reason })]);
    assert!(bench.role.workflows.is_empty() && bench.role.told.is_empty());
}

#[test]
fn what_is_waited_for_is_told_again_where_something_else_was_told_since() {
    let mut bench = roomy();
    bench.admit_and_pack(1, heavy);
    let mut tried = Vec::new();
    for answer in [StepAnswer::Full, StepAnswer::Unavailable, StepAnswer::Full] {
        let effects = bench.answer(1, Step::ThirdParty, answer);
        tried.extend(told(&effects));
        bench.ring(&effects);
    }
    let told = [
        (2, delayed(Step::ThirdParty, 1, WaitingFor::Carrier)),
        (3, delayed(Step::ThirdParty, 2, WaitingFor::Retry)),
        (4, delayed(Step::ThirdParty, 3, WaitingFor::Carrier)),
    ];
    assert_eq!(tried, told);
    let taken = bench.answer(1, Step::ThirdParty, StepAnswer::Carried { etas: etas() });
    assert_eq!(sent(&taken), [&Mail::Delivery(id(1), DeliveryMessage::Begin)]);
}
