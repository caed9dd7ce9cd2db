//! What a drone says of itself over the pads: how long it could hold, which is the order in which
//! those who hold come down.

use super::*;
use crate::sim::catalogue;

/// How long one of this type says that it can hold over its hub, from this height and with this
/// share in its battery.
fn endurance_s(model: &str, height_m: f64, share: f64) -> f64 {
    let mut bench = flying(DroneState::Returning);
    let world = Arc::make_mut(&mut bench.context.world);
    world.models[0] = catalogue::model(model).expect("it is in the catalogue");
    let fix = Fix {
        at: world.hub(HubId(0)).at,
        height_m,
        velocity: Velocity::NONE,
        energy_wh: world.models[0].battery.capacity_wh * share,
    };
    let effects = bench.tell(DroneMessage::Located {
        fix: Some(fix),
        purpose: Purpose::Approach,
    });
    let said = |mail: &Mail| match mail {
        Mail::Fleet(FleetMessage::Approach { endurance_s, .. }) => Some(*endurance_s),
        _ => None,
    };
    let said = sent(&effects).into_iter().find_map(said);
    said.expect("it asks for a pad")
}

#[test]
fn how_long_one_can_hold_goes_by_minutes_and_not_by_charge() {
    let (wing_s, zipline_s) = (
        endurance_s("wing", 70.0, 0.26),
        endurance_s("zipline-p2", 70.0, 0.24),
    );
    assert!(
        wing_s < zipline_s,
        "a wing hovers dear: {wing_s} s, though it has more left than one that holds for {zipline_s} s"
    );
    assert!(
        endurance_s("wing", 70.0, 0.24) < wing_s,
        "of one type it is the charge"
    );
}

#[test]
fn who_holds_high_up_keeps_back_what_it_takes_to_come_down() {
    let [low_s, high_s] = [50.0, 110.0].map(|height_m| endurance_s("zipline-p2", height_m, 0.25));
    let model = catalogue::model("zipline-p2").expect("it is in the catalogue");
    let sinks_s = (110.0 - 50.0) / model.descent_mps;
    let kept_back_s = low_s - high_s;
    assert!(
        (kept_back_s - sinks_s).abs() < 0.02 * sinks_s,
        "{kept_back_s} s for {sinks_s} s"
    );
}
