//! Patience is over, and the fleet does not do as it is told.

use super::*;

#[test]
fn where_the_fleet_fails_to_let_go_it_is_asked_again() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, |_| {});
    let queued = bench.tell(SchedulerMessage::Queued { id: id(1) });
    bench.trouble(Step::Drone, StepFault::Fail, None);
    let failed = bench.ring(&queued);
    assert_eq!(sent(&failed), Vec::<&Mail>::new(), "nobody hears of it");
    let watched = bench.look();
    let answer = delayed(Step::Drone, 1, WaitingFor::Answer);
    assert_eq!(told(&watched), [(3, answer)]);
    let again = bench.ring(&watched);
    assert_eq!(sent(&again), [&Mail::Fleet(FleetMessage::Withdraw { id: id(1) })]);
}
