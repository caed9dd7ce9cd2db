//! The rule as a table, late and forbidden inputs included.

use super::*;
use crate::sim::ids::DeliveryId;

const REASON: FailureReason = FailureReason::CarrierRefused;

fn given(held: Held) -> Circumstances {
    Circumstances {
        held,
        servable: true,
        too_early: false,
        has_room: true,
        has_room_for_later: true,
        when_full: WhenFull::ThirdParty,
        retries: 2,
    }
}

fn held(steps: &[Step]) -> Held {
    steps.iter().fold(Held::default(), |held, step| held.with(*step))
}

fn asking(step: Step) -> WorkflowState {
    WorkflowState::Asking { step, attempt: 1 }
}

fn ask(step: Step) -> Move {
    Move::Ask { step, attempt: 1 }
}

fn undo(step: Step, then: Then) -> Move {
    Move::Undo {
        step,
        attempt: 1,
        then,
    }
}

/// Every state, with the steps that are held in it.
fn states() -> Vec<(WorkflowState, Held)> {
    use Step::*;
    let then = Then::Fail(REASON);
    let undoing = |step, then| WorkflowState::Undoing {
        step,
        attempt: 1,
        then,
    };
    let backing_off = |step, then| WorkflowState::UndoBackingOff {
        step,
        attempt: 1,
        then,
    };
    let mut states = Vec::new();
    for (step, holds) in [
        (Account, held(&[])),
        (Package, held(&[Package])),
        (ThirdParty, held(&[Package, ThirdParty])),
        (Drone, held(&[Package, Drone])),
        (Delivery, held(&[Package, Drone])),
    ] {
        states.push((asking(step), holds));
        states.push((WorkflowState::BackingOff { step, attempt: 1 }, holds));
    }
    let both = held(&[Package, Drone]);
    states.push((WorkflowState::AwaitingDrone, both));
    states.push((WorkflowState::Withdrawing { attempt: 1 }, both));
    states.push((WorkflowState::AwaitingPickupTime, held(&[Package])));
    states.push((undoing(Drone, then), both));
    states.push((undoing(Drone, Then::Anew), both));
    states.push((backing_off(Drone, then), both));
    states.push((backing_off(Drone, Then::Anew), both));
    states
}

fn inputs() -> Vec<WorkflowInput> {
    use WorkflowInput as In;
    let mut inputs = Vec::new();
    for step in Step::ALL {
        inputs.extend([
            In::Done(step),
            In::Unavailable(step),
            In::Refused(step, REASON),
            In::Undone(step),
        ]);
    }
    inputs.extend([
        In::CarrierFull,
        In::Queued,
        In::NoRoom,
        In::Withdrawn,
        In::Due,
        In::Cancel,
        In::Change,
    ]);
    inputs
}

/// All that moves a workflow; whatever is not in here must leave it where it is.
fn table() -> Vec<(WorkflowState, WorkflowInput, Move)> {
    use Step::*;
    use WorkflowInput as In;
    use WorkflowState as S;
    let fail = Then::Fail(REASON);
    let mut table = Vec::new();
    for (step, next, refused) in [
        (Account, ask(Package), Move::End(fail)),
        (Package, ask(Drone), Move::End(fail)),
        (ThirdParty, ask(Delivery), undo(Package, fail)),
        (Drone, ask(Delivery), undo(Package, fail)),
        (Delivery, Move::HandOver, undo(Drone, fail)),
    ] {
        let (asked, backing_off) = (asking(step), S::BackingOff { step, attempt: 1 });
        let back_off = Move::BackOff {
            step,
            attempt: 1,
            waiting_for: WaitingFor::Retry,
        };
        let last = given(state_of(asked)).held.last();
        let cancelled = last.map_or(Move::End(Then::Cancel), |last| undo(last, Then::Cancel));
        table.extend([
            (asked, In::Done(step), next),
            (asked, In::Unavailable(step), back_off),
            (asked, In::Due, back_off),
            (asked, In::Refused(step, REASON), refused),
            (asked, In::Cancel, cancelled),
            (backing_off, In::Done(step), next),
            (backing_off, In::Refused(step, REASON), refused),
            (backing_off, In::Due, Move::Ask { step, attempt: 2 }),
            (backing_off, In::Cancel, cancelled),
        ]);
        if let Some(last) = last.filter(|last| *last != Package) {
            table.push((asked, In::Change, undo(last, Then::Anew)));
            table.push((backing_off, In::Change, undo(last, Then::Anew)));
        }
    }
    let to_carrier = ask(ThirdParty);
    let withdrawing = S::Withdrawing { attempt: 1 };
    let undoing = |then| S::Undoing {
        step: Drone,
        attempt: 1,
        then,
    };
    let backing_off = |then| S::UndoBackingOff {
        step: Drone,
        attempt: 1,
        then,
    };
    table.extend([
        (
            asking(ThirdParty),
            In::CarrierFull,
            Move::BackOff {
                step: ThirdParty,
                attempt: 1,
                waiting_for: WaitingFor::Carrier,
            },
        ),
        (asking(Drone), In::Queued, Move::AwaitDrone),
        (asking(Drone), In::NoRoom, to_carrier),
        (S::AwaitingDrone, In::Done(Drone), ask(Delivery)),
        (S::AwaitingDrone, In::Due, Move::Withdraw { attempt: 1 }),
        (S::AwaitingDrone, In::Cancel, undo(Drone, Then::Cancel)),
        (S::AwaitingDrone, In::Change, undo(Drone, Then::Anew)),
        (withdrawing, In::Done(Drone), ask(Delivery)),
        (withdrawing, In::Withdrawn, to_carrier),
        (withdrawing, In::Due, Move::Withdraw { attempt: 2 }),
        (withdrawing, In::Cancel, undo(Drone, Then::Cancel)),
        (withdrawing, In::Change, undo(Drone, Then::Anew)),
        (S::AwaitingPickupTime, In::Due, ask(Drone)),
        (S::AwaitingPickupTime, In::Cancel, undo(Package, Then::Cancel)),
        (S::AwaitingPickupTime, In::Change, ask(Drone)),
        (undoing(Then::Anew), In::Cancel, undo(Drone, Then::Cancel)),
        (backing_off(Then::Anew), In::Cancel, undo(Drone, Then::Cancel)),
    ]);
    for (then, undone) in [(fail, undo(Package, fail)), (Then::Anew, ask(Drone))] {
        let (step, attempt) = (Drone, 1);
        let back_off = Move::BackOffUndo { step, attempt, then };
        table.extend([
            (undoing(then), In::Undone(Drone), undone),
            (undoing(then), In::Due, back_off),
            (undoing(then), In::Unavailable(Drone), back_off),
            (backing_off(then), In::Undone(Drone), undone),
            (
                backing_off(then),
                In::Due,
                Move::Undo {
                    step,
                    attempt: 2,
                    then,
                },
            ),
        ]);
    }
    table
}

fn state_of(state: WorkflowState) -> Held {
    let known = states().into_iter().find(|(known, _)| *known == state);
    known.expect("a state of the table").1
}

#[test]
fn the_table_is_all_that_moves_a_workflow() {
    let table = table();
    let mut moves = 0;
    for (state, holds) in states() {
        for input in inputs() {
            let mut rows = table.iter().filter(|(of, by, _)| (*of, *by) == (state, input));
            let expected = rows.next().map_or(Move::Stay, |(_, _, next)| *next);
            assert!(rows.next().is_none(), "two rows for {state:?} with {input:?}");
            assert_eq!(
                next(state, input, given(holds)),
                expected,
                "{state:?} with {input:?}"
            );
            moves += usize::from(expected != Move::Stay);
        }
    }
    assert_eq!(
        moves,
        table.len(),
        "every row of the table is a state and an input"
    );
}

#[test]
fn a_request_that_no_drone_could_carry_never_asks_for_one() {
    for (too_early, when_full) in [(false, WhenFull::Fail), (true, WhenFull::ThirdParty)] {
        let given = Circumstances {
            servable: false,
            too_early,
            when_full,
            ..given(held(&[Step::Package]))
        };
        let next = next(asking(Step::Package), WorkflowInput::Done(Step::Package), given);
        assert_eq!(next, ask(Step::ThirdParty));
    }
}

#[test]
fn retries_are_bounded_and_need_room_to_wait_in() {
    let both = held(&[Step::Package, Step::Drone]);
    let unavailable = WorkflowInput::Unavailable(Step::Drone);
    let last_try = WorkflowState::Asking {
        step: Step::Drone,
        attempt: 3,
    };
    let then = Then::Fail(FailureReason::StepUnavailable);
    assert_eq!(next(last_try, unavailable, given(both)), undo(Step::Drone, then));
    let crowded = Circumstances {
        has_room: false,
        ..given(both)
    };
    let then = Then::Fail(FailureReason::BacklogFull);
    assert_eq!(
        next(asking(Step::Drone), unavailable, crowded),
        undo(Step::Drone, then)
    );
    let with_carrier = given(held(&[Step::Package, Step::ThirdParty]));
    let last_try = WorkflowState::Asking {
        step: Step::ThirdParty,
        attempt: 3,
    };
    let then = Then::Fail(FailureReason::CarrierFull);
    assert_eq!(
        next(last_try, WorkflowInput::CarrierFull, with_carrier),
        undo(Step::ThirdParty, then)
    );
    let last_try = WorkflowState::Withdrawing { attempt: 3 };
    let then = Then::Fail(FailureReason::StepUnavailable);
    assert_eq!(
        next(last_try, WorkflowInput::Due, given(both)),
        undo(Step::Drone, then)
    );
}

#[test]
fn those_who_try_again_and_those_who_wait_for_their_time_take_no_places_of_each_other() {
    let packed = asking(Step::Package);
    let both = held(&[Step::Package, Step::Drone]);
    let crowded = |has_room, held| Circumstances {
        too_early: true,
        has_room,
        has_room_for_later: !has_room,
        ..given(held)
    };
    let done = |has_room| {
        next(
            packed,
            WorkflowInput::Done(Step::Package),
            crowded(has_room, held(&[Step::Package])),
        )
    };
    let failed = |has_room| next(asking(Step::Drone), WorkflowInput::Due, crowded(has_room, both));
    assert_eq!(done(false), Move::AwaitPickupTime);
    assert_eq!(
        done(true),
        undo(Step::Package, Then::Fail(FailureReason::ScheduleFull))
    );
    assert!(matches!(failed(true), Move::BackOff { .. }));
    assert_eq!(
        failed(false),
        undo(Step::Drone, Then::Fail(FailureReason::BacklogFull))
    );
}

#[test]
fn an_undo_that_failed_so_often_is_given_up_whatever_was_to_come_of_it() {
    let both = held(&[Step::Package, Step::Drone]);
    let unavailable = Then::Fail(FailureReason::StepUnavailable);
    for (then, ends) in [
        (Then::Cancel, Then::Cancel),
        (Then::Fail(REASON), Then::Fail(REASON)),
        (Then::Anew, unavailable),
    ] {
        let (step, attempt) = (Step::Drone, 3);
        let state = WorkflowState::Undoing { step, attempt, then };
        let given_up = Move::GiveUp { step, then: ends };
        assert_eq!(next(state, WorkflowInput::Due, given(both)), given_up);
    }
}

#[test]
fn where_the_scenario_fails_what_finds_no_drone_its_package_is_let_go_of() {
    let strict = Circumstances {
        when_full: WhenFull::Fail,
        ..given(held(&[Step::Package, Step::Drone]))
    };
    for (state, input, reason) in [
        (
            asking(Step::Drone),
            WorkflowInput::NoRoom,
            FailureReason::BacklogFull,
        ),
        (
            WorkflowState::Withdrawing { attempt: 1 },
            WorkflowInput::Withdrawn,
            FailureReason::NoDroneInTime,
        ),
    ] {
        assert_eq!(
            next(state, input, strict),
            undo(Step::Package, Then::Fail(reason))
        );
    }
}

#[test]
fn back_off_doubles_up_to_its_bound_with_jitter_of_each_deliverys_own() {
    let rules = WorkflowRules::default();
    let ids = [DeliveryId::new(1, [1; 10]), DeliveryId::new(1, [2; 10])];
    let waits = ids.map(|id| {
        (1..=40)
            .map(|attempt| rules.backoff_after(attempt, 7, id))
            .collect::<Vec<_>>()
    });
    assert_ne!(waits[0], waits[1]);
    assert_eq!(
        waits[0][3],
        rules.backoff_after(4, 7, ids[0]),
        "drawn from the seed"
    );
    for waits in waits {
        for (index, wait) in waits.into_iter().enumerate() {
            let longest = rules
                .backoff
                .0
                .saturating_mul(1 << index)
                .min(rules.backoff_max.0);
            assert!(wait.0 <= longest && wait.0 >= longest / 2, "{index}: {wait:?}");
        }
    }
}
