//! Plans from wherever a drone is in the air.

use super::*;
use crate::sim::airspace::OPEN;
use crate::sim::catalogue;
use crate::sim::time::SimTime;
use crate::sim::weather::Weather;

static CALM: Weather = Weather::steady(0.0, 0.0, 1.225);

fn calm() -> Air<'static> {
    Air::forecast(&CALM, &OPEN, 0, SimTime::START)
}
const HOME: Point = Point { x: 0.0, y: 0.0 };

fn above(x: f64, y: f64, height_m: f64) -> Whereabouts {
    Whereabouts::at_rest(Point { x, y }, height_m)
}

fn milestones(mission: &Mission) -> Vec<Milestone> {
    mission
        .plan
        .legs()
        .iter()
        .filter_map(|leg| leg.milestone)
        .collect()
}

#[test]
fn what_is_left_begins_where_the_drone_is_and_ends_at_home() {
    let model = catalogue::model("wing").unwrap();
    let from = above(700.0, 300.0, 62.0);
    let rest = Rest {
        pickup: Some(Point { x: 2_000.0, y: 0.0 }),
        dropoff: Point {
            x: 2_000.0,
            y: 1_500.0,
        },
        home: HOME,
        payload_kg: 0.5,
        handover_left_s: None,
    };
    let whole = plan_rest(&model, &calm(), from, &rest).unwrap();
    assert_eq!(whole.plan.start(), (from.at, from.height_m));
    assert_eq!(whole.plan.end(), HOME);
    let all = [
        Milestone::PickedUp,
        Milestone::Delivered,
        Milestone::OverHub,
        Milestone::Landed,
    ];
    assert_eq!(milestones(&whole), all);
    let aboard = Rest { pickup: None, ..rest };
    let half = plan_rest(&model, &calm(), from, &aboard).unwrap();
    assert_eq!(milestones(&half), all[1..]);
    assert!(half.delivery_s < whole.delivery_s && half.energy_wh < whole.energy_wh);
}

#[test]
fn who_is_at_home_only_comes_down() {
    let model = catalogue::model("wing").unwrap();
    for height_m in [0.0, 40.0] {
        let mission = plan_home(&model, &calm(), above(0.4, 0.0, height_m), HOME, 0.0).unwrap();
        assert_eq!(milestones(&mission), [Milestone::Landed]);
        assert_eq!((mission.plan.legs().len(), mission.plan.end()), (1, HOME));
    }
}

#[test]
fn a_package_that_is_loaded_at_the_hub_can_be_replaced_by_another_errand() {
    let model = catalogue::model("wing").unwrap();
    let rest = Rest {
        pickup: Some(HOME),
        dropoff: Point { x: 900.0, y: 0.0 },
        home: HOME,
        payload_kg: 0.5,
        handover_left_s: None,
    };
    let mission = plan_rest(&model, &calm(), above(0.0, 0.0, 0.0), &rest).unwrap();
    assert!(mission.plan.legs()[0].on_ground(), "it is loaded where it stands");
    let elsewhere = Rest {
        pickup: Some(Point { x: 400.0, y: 0.0 }),
        ..rest
    };
    let mission = plan_rest(&model, &calm(), above(0.0, 0.0, 0.0), &elsewhere).unwrap();
    assert!(!mission.plan.legs()[0].on_ground());
}

#[test]
fn waiting_at_the_door_and_coming_back_loaded_costs_what_it_says() {
    let model = catalogue::model("wing").unwrap();
    let door = Point { x: 3_000.0, y: 0.0 };
    let costs = |seconds| waiting_costs_wh(&model, &calm(), door, HOME, 1.0, seconds).unwrap();
    assert!(costs(0.0) > 0.0, "a loaded way home takes more");
    let hover_w = (costs(120.0) - costs(60.0)) * 60.0;
    assert!(hover_w > 50.0 && hover_w < 5_000.0, "{hover_w}");
}
