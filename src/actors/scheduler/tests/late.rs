//! Who is late with an answer, and who is not yet.

use super::*;

/// While more comes with each tick, that tick's look comes after it.
#[test]
fn who_is_asked_in_the_tick_of_a_look_is_looked_at_in_the_next() {
    let mut bench = bench(WhenFull::Fail);
    let asked = bench.admit(1, |_| {});
    assert_eq!(alarms(&asked).len(), 1, "a look in the next tick");
    let early = bench.tell(SchedulerMessage::Look);
    assert_eq!(events(&early), [], "its owner has not had its turn yet");
    assert_eq!(alarms(&early).len(), 1, "it is looked at again");
    let late = bench.look();
    assert!(matches!(
        events(&late)[..],
        [(2, Happening::Delivery(_, DeliveryEvent::StepDelayed { .. }))]
    ));
}

#[test]
fn who_does_not_answer_in_time_is_asked_again_and_a_late_answer_does_no_harm() {
    let mut bench = bench(WhenFull::Fail);
    bench.trouble(Step::Account, StepFault::Slow(SimDuration::from_secs(60.0)), None);
    bench.admit(1, |_| {});
    let late = bench.answer(1, Step::Account, StepAnswer::Done);
    let looked = bench.look();
    assert_eq!(
        told(&looked),
        [(2, delayed(Step::Account, 1, WaitingFor::Answer))]
    );
    let timed_out = bench.ring(&looked);
    assert_eq!(
        told(&timed_out),
        [(3, delayed(Step::Account, 1, WaitingFor::Retry))]
    );
    let asked = bench.ring(&timed_out);
    assert!(matches!(sent(&asked)[..], [Mail::Accounts(_)]));
    let answered = bench.answer(1, Step::Account, StepAnswer::Done);
    assert!(matches!(sent(&answered)[..], [Mail::Packages(_)]));
    assert!(bench.ring(&late).is_empty());
}

#[test]
fn a_slow_answer_within_the_limit_moves_it_on() {
    let mut bench = bench(WhenFull::Fail);
    bench.trouble(Step::Account, StepFault::Slow(SimDuration::from_secs(3.0)), None);
    bench.admit(1, |_| {});
    let late = bench.answer(1, Step::Account, StepAnswer::Done);
    assert!(sent(&late).is_empty());
    let moved_on = bench.ring(&late);
    assert!(matches!(sent(&moved_on)[..], [Mail::Packages(_)]));
}
