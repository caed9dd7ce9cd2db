//! What flying costs a type of the file's own, and what carries it.

use super::{At, Log, PowerKeys, PowerKind};
use crate::sim::energy::{PowerModel, Rotors, Wing};
use crate::sim::world::Model;

pub(super) fn rotor_count(given: Option<u64>, power: PowerModel, base: Option<&Model>) -> u32 {
    const USUAL: u32 = 4;
    let usual = match power {
        PowerModel::LiftToDrag(_) => 0,
        PowerModel::Multirotor(_) | PowerModel::Hybrid { .. } => base.map_or(USUAL, |base| base.rotor_count),
    };
    given.map_or(usual, |count| count as u32)
}

pub(super) fn lower(keys: &At<PowerKeys>, log: &mut Log) -> Option<PowerModel> {
    let kind = keys.value.kind.as_ref()?.value;
    let needs_rotors = kind != PowerKind::LiftToDrag;
    let needs_wing = kind != PowerKind::Multirotor;
    let mut complete = true;
    let [has_rotors, has_wing] = keys.value.given;
    for (needed, given, name) in [
        (needs_rotors, has_rotors, "rotors"),
        (needs_wing, has_wing, "wing"),
    ] {
        if needed && !given {
            log.missing(
                &keys.span,
                format!("`power` has no `{name}`, which its model needs"),
                format!("add `{name} = {{ … }}`"),
            );
            complete = false;
        } else if given && !needed {
            log.error(
                &keys.span,
                format!("`power` has `{name}`, which its model does not use"),
                format!("drop `{name}`, or choose `model = \"hybrid\"`"),
            );
        }
    }
    if !complete {
        return None;
    }
    let rotors = || {
        let keys = keys.value.rotors.as_ref()?;
        Some(Rotors {
            disc_area_m2: keys.disc_area.as_ref()?.value,
            efficiency: keys.efficiency.as_ref()?.value,
            drag_area_m2: keys.drag_area.as_ref()?.value,
            electronics_w: keys.electronics,
        })
    };
    let wing = || {
        let keys = keys.value.wing.as_ref()?;
        Some(Wing {
            efficiency: keys.efficiency.as_ref()?.value,
            lift_to_drag: keys.lift_to_drag.as_ref()?.value,
            electronics_w: keys.electronics,
        })
    };
    Some(match kind {
        PowerKind::LiftToDrag => PowerModel::LiftToDrag(wing()?),
        PowerKind::Multirotor => PowerModel::Multirotor(rotors()?),
        PowerKind::Hybrid => PowerModel::Hybrid {
            rotors: rotors()?,
            wing: wing()?,
        },
    })
}
