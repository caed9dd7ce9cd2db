//! Zones that come to lie over drones on a bench: whatever they are at, they leave at once.

use super::*;

/// Nobody needs longer to climb, and to fly out of a zone of [`zone_over`].
const LEAVES_S: f64 = 60.0;

/// Seconds until a plan has led out of the zone over this place, and whether it does anything
/// there but fly.
fn in_zone(plan: &FlightPlan, middle: Point) -> (f64, bool) {
    let is_in = |at: Point| (at.x - middle.x).abs() < 150.0 && (at.y - middle.y).abs() < 150.0;
    let legs = plan.legs();
    let within = legs.iter().take_while(|leg| is_in(leg.path.start().0));
    let seconds = within.clone().map(|leg| leg.duration_s).sum();
    let mut within = within;
    (
        seconds,
        within.any(|leg| leg.path.is_hold() || leg.milestone.is_some()),
    )
}

/// It is there, at this height and sinking so fast, when zones come to lie over these places.
fn laid_over(
    state: DroneState,
    at: Point,
    (height_m, down_mps): (f64, f64),
    over: &[Point],
) -> (Bench<Drone>, Vec<Effect>) {
    let mut bench = flying(state);
    let mut world = World::clone(&bench.context.world);
    for (number, middle) in over.iter().enumerate() {
        let mut write = zone_over(&world, *middle);
        if let Change::AddZone(zone) = &mut write.change {
            zone.name = format!("Fire {number}");
        }
        assert_eq!(world.change(write), Decision::Created);
    }
    let fleet = world.fleet_of(DroneId(0)).unwrap();
    let energy_wh = 0.9 * world.model(fleet.model).battery.capacity_wh;
    bench.context.world = Arc::new(world);
    assert_eq!(asks(&bench.tell(DroneMessage::WayClosed)), Some(Purpose::Replan));
    let fix = Fix {
        at,
        height_m,
        velocity: Velocity::along((0.0, 0.0, -1.0), down_mps),
        energy_wh,
    };
    let effects = bench.tell(DroneMessage::Located {
        fix: Some(fix),
        purpose: Purpose::Replan,
    });
    (bench, effects)
}

#[test]
fn whoever_comes_down_or_hands_over_in_a_zone_breaks_off_and_leaves() {
    let task = task();
    let shop = (
        DroneState::HeadedToPickup { task },
        task.pickup,
        DroneState::Returning,
    );
    let door = (
        DroneState::HeadedToDropoff { task },
        task.dropoff,
        DroneState::BringingBack { task },
    );
    for (state, at, then) in [shop, door] {
        // Coming down, in hover, and as a type that stands there.
        for moves in [(40.0, 2.0), (7.0, 0.0), (0.0, 0.0)] {
            let (bench, effects) = laid_over(state, at, moves, &[at]);
            assert_eq!(bench.role.state, then, "{moves:?}");
            assert!(sent(&effects).contains(&&to_delivery(DeliveryMessage::TurnedBack)));
            assert_eq!(told(&effects), [DroneEvent::Diverted]);
            let plan = flown(&effects).expect("it flies home");
            assert_eq!(plan.end(), bench.context.world.hub(HubId(0)).at);
            let (seconds, lingers) = in_zone(plan, at);
            assert!(
                seconds < LEAVES_S && !lingers,
                "{moves:?}: {seconds} s, {lingers}"
            );
        }
    }
}

#[test]
fn whoever_has_taken_up_its_package_in_a_zone_goes_on_with_it() {
    let task = task();
    let state = DroneState::HeadedToDropoff { task };
    let (bench, effects) = laid_over(state, task.pickup, (7.0, 0.0), &[task.pickup]);
    assert_eq!(bench.role.state, state);
    let plan = flown(&effects).expect("it flies on");
    let (seconds, lingers) = in_zone(plan, task.pickup);
    assert!(seconds < LEAVES_S && !lingers, "{seconds} s, {lingers}");
}

#[test]
fn whoever_holds_for_want_of_a_hub_moves_its_hold_out_of_a_zone() {
    let hub = world(1, 1).hub(HubId(0)).at;
    let at = Point {
        x: hub.x + 900.0,
        ..hub
    };
    let (_, effects) = laid_over(DroneState::Returning, at, (70.0, 0.0), &[hub, at]);
    assert!(told(&effects).contains(&DroneEvent::Holding));
    let plan = flown(&effects).expect("it leaves");
    let (seconds, lingers) = in_zone(plan, at);
    assert!(seconds < LEAVES_S && !lingers, "{seconds} s, {lingers}");
    assert!(
        plan.legs().iter().any(|leg| leg.path.is_hold()),
        "and holds there"
    );
}

#[test]
fn whoever_stops_just_inside_a_zone_leaves_it_before_it_changes_its_level() {
    let hub = world(1, 1).hub(HubId(0)).at;
    let middle = Point {
        x: hub.x + 1_500.0,
        ..hub
    };
    let inside = Point {
        x: middle.x - 140.0,
        ..middle
    };
    for height_m in [50.0, 70.0, 110.0] {
        let (_, effects) = laid_over(DroneState::Returning, inside, (height_m, 0.0), &[middle]);
        let plan = flown(&effects).expect("it flies home");
        assert_eq!(plan.end(), hub);
        let first = &plan.legs()[0];
        assert_eq!((first.end().1, first.path.start().1), (height_m, height_m));
        let (seconds, _) = in_zone(plan, middle);
        assert!(seconds < 15.0, "{height_m} m: {seconds} s");
    }
}

#[test]
fn over_a_hub_that_a_zone_closes_only_who_is_nearly_down_lands() {
    let hub = world(1, 1).hub(HubId(0)).at;
    let (_, effects) = laid_over(DroneState::Returning, hub, (70.0, 0.0), &[hub]);
    let plan = flown(&effects).expect("it leaves");
    let (seconds, lingers) = in_zone(plan, hub);
    assert!(seconds < LEAVES_S && !lingers, "{seconds} s, {lingers}");
    assert!(
        told(&effects).contains(&DroneEvent::Holding),
        "there is no other hub"
    );
    let (_, effects) = laid_over(DroneState::Returning, hub, (8.0, 2.0), &[hub]);
    let plan = flown(&effects).expect("it comes down");
    assert_eq!(plan.end(), hub);
    assert!(plan.legs().iter().all(|leg| !leg.path.is_hold()));
}

#[test]
fn whoever_has_handed_over_in_a_zone_by_the_time_it_is_told_plans_its_way_out() {
    let task = task();
    let (shop, door) = (
        DroneState::HeadedToPickup { task },
        DroneState::HeadedToDropoff { task },
    );
    for (state, at, message) in [
        (shop, task.pickup, DroneMessage::PickedUp),
        (door, task.dropoff, DroneMessage::Delivered),
    ] {
        let mut bench = flying(state);
        assert_eq!(asks(&bench.tell(message.clone())), None, "nothing is in its way");
        let mut bench = flying(state);
        let mut world = World::clone(&bench.context.world);
        assert_eq!(world.change(zone_over(&world, at)), Decision::Created);
        bench.context.world = Arc::new(world);
        assert_eq!(asks(&bench.tell(message)), Some(Purpose::Replan));
    }
}

#[test]
fn in_one_tick_it_says_once_that_it_goes_elsewhere() {
    let task = task();
    let state = DroneState::HeadedToDropoff { task };
    let mut bench = flying(state);
    let asked = bench.tell(DroneMessage::LoseLink {
        duration: None,
        reply_to: ASKED,
    });
    assert!(told(&asked).contains(&DroneEvent::Diverted));
    let mut effects = Effects::default();
    bench.role.tell_diverted(&bench.context, &mut effects);
    assert!(effects.0.is_empty());
    bench.wait(0.1);
    bench.role.tell_diverted(&bench.context, &mut effects);
    assert_eq!(told(&effects.0), [DroneEvent::Diverted]);
}

#[test]
fn whoever_hands_over_when_a_zone_comes_to_lie_ahead_goes_on_where_it_is() {
    const LEFT_S: f64 = 4.0;
    let task = task();
    let (shop, door) = (
        DroneState::HeadedToPickup { task },
        DroneState::HeadedToDropoff { task },
    );
    for (state, at, milestone) in [
        (shop, task.pickup, Milestone::PickedUp),
        (door, task.dropoff, Milestone::Delivered),
    ] {
        for purpose in [Purpose::Replan, Purpose::Redirect(Box::new(task))] {
            if purpose != Purpose::Replan && state == door {
                continue;
            }
            let mut bench = flying(state);
            let world = &bench.context.world;
            let model = world.model(world.fleet_of(DroneId(0)).unwrap().model);
            let fix = Fix {
                at,
                height_m: model.handover_height_m,
                velocity: Velocity::NONE,
                energy_wh: 0.9 * model.battery.capacity_wh,
            };
            let handover_s = model.handover_s;
            let takes_s = |effects: &[Effect]| flown(effects).unwrap().time_to(milestone, 0).unwrap();
            let effects = bench.tell(DroneMessage::LocatedAtHandover {
                fix,
                left_s: LEFT_S,
                purpose: purpose.clone(),
            });
            assert!((takes_s(&effects) - LEFT_S).abs() < 0.01, "{}", takes_s(&effects));
            let fix = Some(fix);
            let effects = flying(state).tell(DroneMessage::Located { fix, purpose });
            assert!(takes_s(&effects) >= handover_s, "it has not begun");
        }
    }
}

#[test]
fn whoever_a_zone_drives_off_its_pad_with_no_hub_to_go_to_gives_the_pad_up() {
    let hub = world(1, 1).hub(HubId(0)).at;
    let (_, effects) = laid_over(DroneState::Returning, hub, (70.0, 0.0), &[hub]);
    let drone = DroneId(0);
    assert!(sent(&effects).contains(&&Mail::Fleet(FleetMessage::Strayed { drone })));
}
