//! Requests that wait for long, in a world where near ones take each drone before it holds enough
//! for a far one.

use super::*;
use crate::sim::dispatch;

const FAR: u64 = 1;

/// From the same shop to the other end of the town.
pub(super) fn far(bench: &Bench<Fleet>) -> Arc<Order> {
    let mut order = order(&bench.context.world);
    order.dropoff.location = LatLon {
        lat: 37.735,
        lon: -122.45,
    };
    Arc::new(order)
}

pub(super) fn need_wh(bench: &Bench<Fleet>, order: &Order) -> f64 {
    let world = &bench.context.world;
    let need_wh = dispatch::need_wh(world, bench.context.now, world.pairs().get(0), order);
    need_wh.expect("the type can")
}

/// One drone, which is elsewhere, and the far request; with what a near one takes.
fn in_need(policy: PolicyKind) -> (Bench<Fleet>, f64) {
    let mut world = world(1, 1);
    world.dispatch.policy = policy;
    let mut bench = Bench::new(world, |world| Fleet::new(world, &[DroneId(0)]));
    let far = far(&bench);
    let near_wh = need_wh(&bench, &order(&bench.context.world)) + 0.1;
    let far_wh = need_wh(&bench, &far);
    assert!(near_wh < far_wh && far_wh < bench.capacity_wh());
    let id = id(FAR);
    bench.hears(FleetMessage::Assign { id, order: far });
    (bench, near_wh)
}

/// The nearest alarm at which somebody may be served.
fn next_offer(effects: &[Effect]) -> (f64, FleetMessage) {
    let offer = |(at, mail): (SimTime, &Mail)| match mail {
        Mail::Fleet(message @ FleetMessage::Offer { .. }) => Some((at.as_secs(), message.clone())),
        _ => None,
    };
    let offers = alarms(effects).into_iter().filter_map(offer);
    offers.min_by(|a, b| a.0.total_cmp(&b.0)).expect("somebody waits")
}

#[test]
fn a_far_request_gets_a_drone_however_many_near_ones_ask() {
    let (mut bench, near_wh) = in_need(PolicyKind::EarliestPickup);
    bench.wait(299.0);
    assert_eq!(missions(&bench.dock(0, near_wh)), []);
    assert_eq!(
        missions(&bench.assign(2, false)),
        [(0, 2)],
        "it is no use to the far one"
    );

    bench.wait(1.0);
    let docked = bench.dock(0, near_wh);
    assert_eq!(missions(&docked), []);
    assert_eq!(missions(&bench.assign(3, false)), [], "the drone is saved");
    let (due_s, offer) = next_offer(&docked);
    bench.wait(due_s - bench.context.now.as_secs());
    assert_eq!(missions(&bench.tell(offer)), [(0, FAR)]);
}

#[test]
fn what_was_saved_for_who_waits_no_longer_goes_to_others_at_once() {
    let (mut bench, near_wh) = in_need(PolicyKind::Nearest);
    bench.wait(300.0);
    bench.dock(0, near_wh);
    assert_eq!(missions(&bench.assign(2, false)), []);
    let withdrawn = bench.tell(FleetMessage::Withdraw { id: id(FAR) });
    let (due_s, offer) = next_offer(&withdrawn);
    assert_eq!(due_s, 300.0);
    assert_eq!(missions(&bench.tell(offer)), [(0, 2)]);
}

#[test]
fn in_rounds_a_drone_is_saved_too() {
    let (mut bench, near_wh) = in_need(PolicyKind::Batch);
    bench.wait(290.0);
    bench.assign(2, false);
    bench.dock(0, near_wh);
    assert_eq!(missions(&bench.round(295.0)), [(0, 2)]);
    bench.assign(3, false);
    bench.dock(0, near_wh);
    assert_eq!(missions(&bench.round(300.0)), []);
}

#[test]
fn a_fleet_that_saves_drones_is_saved_and_goes_on() {
    let (mut bench, near_wh) = in_need(PolicyKind::EarliestPickup);
    bench.wait(300.0);
    bench.assign(2, false);
    let bytes = postcard::to_stdvec(&bench.role).unwrap();
    let restored: Fleet = postcard::from_bytes(&bytes).unwrap();
    let mut twin = Bench {
        role: restored.with_world(&bench.context.world, bench.context.now),
        context: bench.context.clone(),
    };
    let docked = bench.dock(0, near_wh);
    assert_eq!(missions(&docked), []);
    assert_eq!(docked, twin.dock(0, near_wh));
}
