//! What a lost rotor leaves of a drone.

use super::energy::{PowerModel, Rotors};
use super::world::Model;

/// What becomes of a drone in the air that loses a rotor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRotorOut {
    /// It has rotors to spare: it flies on slowly, to land as soon as it can.
    Limps,
    /// It has wings: it comes down on them where it is.
    Glides,
    Falls,
}

/// With so many rotors, one and the one opposite can be done without.
const ENOUGH_ROTORS: u32 = 6;
/// Of its airspeed, its climb and its descent; derived: two thirds of the lift leave little for anything else.
pub const LIMPING_SHARE: f64 = 0.6;

impl Model {
    pub fn after_rotor_out(&self) -> AfterRotorOut {
        match self.power {
            PowerModel::Multirotor(_) | PowerModel::Hybrid { .. } if self.rotor_count >= ENOUGH_ROTORS => {
                AfterRotorOut::Limps
            }
            PowerModel::Hybrid { .. } | PowerModel::LiftToDrag(_) => AfterRotorOut::Glides,
            PowerModel::Multirotor(_) => AfterRotorOut::Falls,
        }
    }

    /// The same type without a rotor: the one opposite gives next to no lift either, or it would
    /// tip over.
    pub fn limping(&self) -> Model {
        let left = f64::from(self.rotor_count.saturating_sub(2)) / f64::from(self.rotor_count.max(1));
        let fewer = |rotors: Rotors| Rotors {
            disc_area_m2: rotors.disc_area_m2 * left,
            ..rotors
        };
        Model {
            cruise_airspeed_mps: LIMPING_SHARE * self.cruise_airspeed_mps,
            climb_mps: LIMPING_SHARE * self.climb_mps,
            descent_mps: LIMPING_SHARE * self.descent_mps,
            power: match self.power {
                PowerModel::Multirotor(rotors) => PowerModel::Multirotor(fewer(rotors)),
                PowerModel::Hybrid { rotors, wing } => PowerModel::Hybrid {
                    rotors: fewer(rotors),
                    wing,
                },
                PowerModel::LiftToDrag(wing) => PowerModel::LiftToDrag(wing),
            },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    #[test]
    fn who_has_rotors_to_spare_limps_who_has_wings_glides_and_the_others_fall() {
        let after = |key| catalogue::model(key).unwrap().after_rotor_out();
        for key in ["m600", "prism-v2", "wing", "mk27"] {
            assert_eq!(after(key), AfterRotorOut::Limps, "{key}");
        }
        assert_eq!(after("zipline-p2"), AfterRotorOut::Glides);
        assert_eq!(after("m100"), AfterRotorOut::Falls);
        assert_eq!(after("matternet-m2"), AfterRotorOut::Falls);
    }

    #[test]
    fn a_limping_hover_takes_as_much_more_as_its_discs_are_less() {
        let whole = catalogue::model("m600").unwrap();
        let limping = whole.limping();
        let hover_w = |model: &Model| model.power.hover_w(model, 12.0, 1.225) - 30.0;
        let ratio = hover_w(&limping) / hover_w(&whole);
        assert!((ratio - (6.0_f64 / 4.0).sqrt()).abs() < 1e-9, "{ratio}");
        assert!(limping.cruise_airspeed_mps < whole.cruise_airspeed_mps);
    }
}
