//! `[model.NAME]`: drone types of the file's own, whole or on top of another.

mod power;

use super::diagnostic::{At, Log, Span};
use super::fields::{Fields, Table, suggest};
use super::kinds::{Choice, Integer, Number, Text};
use super::times::{Duration, SECOND};
use crate::sim::catalogue;
use crate::sim::time::SimDuration;
use crate::sim::weather::Limits;
use crate::sim::world::{Battery, Model};

pub(super) struct ModelKeys {
    base: Option<At<String>>,
    empty_mass: Option<f64>,
    max_payload: Option<f64>,
    airspeed: Option<f64>,
    climb: Option<f64>,
    descent: Option<f64>,
    acceleration: Option<f64>,
    vertical_acceleration: Option<f64>,
    bank_deg: Option<f64>,
    yaw_rate_degps: Option<f64>,
    handover_height: Option<f64>,
    handover: Option<SimDuration>,
    limits: [Option<f64>; 3],
    rotor_count: Option<u64>,
    battery: BatteryKeys,
    power: Option<At<PowerKeys>>,
    /// What the file says, right or wrong: that is not missing. Keys of the battery begin with
    /// its name.
    given: Vec<String>,
    /// Has a wrong value somewhere, which the log knows.
    flawed: bool,
}

pub(super) fn model(f: &mut Fields<'_>) -> ModelKeys {
    const SPEED: fn() -> Number = || Number(0.1..=150.0);
    const ACCELERATION: fn() -> Number = || Number(0.05..=50.0);
    let errors_before = f.log().error_count();
    let base = f.optional(
        "base",
        "the catalogue's type that this one changes; without it every other key is needed",
        Text,
    );
    let mut number = |name, doc, kind| f.optional(name, doc, kind).map(|at| at.value);
    let empty_mass = number(
        "empty_mass",
        "with battery, without payload, kg",
        Number(0.05..=2_000.0),
    );
    let max_payload = number("max_payload", "kg", Number(0.001..=1_000.0));
    let airspeed = number("airspeed", "in cruise, m/s", SPEED());
    let climb = number("climb", "m/s", SPEED());
    let descent = number("descent", "m/s", SPEED());
    let acceleration = number("acceleration", "along the way, m/s²", ACCELERATION());
    let vertical_acceleration = number("vertical_acceleration", "m/s²", ACCELERATION());
    let bank_deg = number("bank", "steepest bank in a turn, degrees", Number(1.0..=75.0));
    let yaw_rate_degps = number(
        "yaw_rate",
        "how fast the nose turns in hover, degrees a second",
        Number(1.0..=720.0),
    );
    let handover_height = number(
        "handover_height",
        "height above ground at which it hovers to take up or lower a package, m; 0 lands for it",
        Number(0.0..=120.0),
    );
    let limits = [
        number(
            "max_wind",
            "the strongest mean wind at 10 m that it flies in, m/s; any where nobody says",
            Number(0.0..=100.0),
        ),
        number(
            "max_gust",
            "the same of the wind with its gusts, m/s; forecasts tell of gusts of twice their deviation",
            Number(0.0..=150.0),
        ),
        number(
            "max_rain",
            "the heaviest rain that it flies in, mm/h",
            Number(0.0..=500.0),
        ),
    ];
    let battery = f.optional("battery", "what it flies on", Table(battery));
    let mut keys = ModelKeys {
        given: given(f, battery.as_ref()),
        base,
        empty_mass,
        max_payload,
        airspeed,
        climb,
        descent,
        acceleration,
        vertical_acceleration,
        bank_deg,
        yaw_rate_degps,
        handover_height,
        handover: f
            .optional(
                "handover",
                "time to take up, and to lower, a package",
                Duration(SimDuration::ZERO..=SimDuration(3_600 * SECOND)),
            )
            .map(|at| at.value),
        limits,
        rotor_count: f
            .optional(
                "rotor_count",
                "rotors that carry it; with six and more it limps to a landing on one less, else it comes down; 4 where nobody says",
                Integer(1..=64),
            )
            .map(|at| at.value),
        battery: battery.map(|at| at.value).unwrap_or_default(),
        power: f.optional("power", "what flying costs", Table(power)),
        flawed: false,
    };
    keys.flawed = f.log().error_count() > errors_before;
    keys
}

/// What is needed of a battery.
const BATTERY_NEEDS: [&str; 2] = ["battery.capacity", "battery.charge_power"];

fn given(f: &Fields<'_>, battery: Option<&At<BatteryKeys>>) -> Vec<String> {
    let mut given = f.given();
    match battery {
        Some(battery) => given.extend(battery.value.given.iter().map(|key| format!("battery.{key}"))),
        // One that cannot be read may say all of it.
        None if f.has("battery") => given.extend(BATTERY_NEEDS.map(str::to_owned)),
        None => {}
    }
    given
}

#[derive(Default)]
struct BatteryKeys {
    given: Vec<String>,
    capacity: Option<f64>,
    reserve: Option<f64>,
    charge_power: Option<f64>,
    cycles_to_80: Option<At<f64>>,
    swap: Option<SimDuration>,
}

fn battery(f: &mut Fields<'_>) -> BatteryKeys {
    let given = f.given();
    let mut number = |name, doc, kind| f.optional(name, doc, kind).map(|at| at.value);
    BatteryKeys {
        given,
        capacity: number("capacity", "Wh", Number(1.0..=1e6)),
        reserve: number(
            "reserve",
            "share of the capacity that a plan must leave",
            Number(0.0..=0.9),
        ),
        charge_power: number(
            "charge_power",
            "up to four fifths of the capacity, W",
            Number(1.0..=1e6),
        ),
        cycles_to_80: f.optional(
            "cycles_to_80",
            "full cycles after which four fifths of the capacity are left; it does not age where this is left out, nor where it is swapped",
            Number(1.0..=1e6),
        ),
        swap: f
            .optional(
                "swap",
                "how long it takes a charger to change it for a full one; it is charged where this is left out",
                Duration(SimDuration(1)..=SimDuration(3_600 * SECOND)),
            )
            .map(|at| at.value),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PowerKind {
    LiftToDrag,
    Multirotor,
    Hybrid,
}

struct PowerKeys {
    kind: Option<At<PowerKind>>,
    rotors: Option<RotorKeys>,
    wing: Option<WingKeys>,
    /// Whether the file has rotors, and a wing, right or wrong.
    given: [bool; 2],
}

fn power(f: &mut Fields<'_>) -> PowerKeys {
    PowerKeys {
        kind: f.required(
            "model",
            "wings alone, rotors alone, or rotors to rise and wings to cruise",
            Choice(&[
                ("lift_to_drag", PowerKind::LiftToDrag),
                ("multirotor", PowerKind::Multirotor),
                ("hybrid", PowerKind::Hybrid),
            ]),
        ),
        rotors: f
            .optional("rotors", "for multirotor and hybrid", Table(rotors))
            .map(|at| at.value),
        wing: f
            .optional("wing", "for lift_to_drag and hybrid", Table(wing))
            .map(|at| at.value),
        given: ["rotors", "wing"].map(|part| f.has(part)),
    }
}

struct RotorKeys {
    disc_area: Option<At<f64>>,
    efficiency: Option<At<f64>>,
    drag_area: Option<At<f64>>,
    electronics: f64,
}

const EFFICIENCY: fn() -> Number = || Number(0.01..=1.0);

fn electronics(f: &mut Fields<'_>) -> f64 {
    f.or(
        "electronics",
        "what it draws besides, W",
        Number(0.0..=10_000.0),
        "0.0",
    )
    .value
}

fn rotors(f: &mut Fields<'_>) -> RotorKeys {
    RotorKeys {
        disc_area: f.required("disc_area", "of all rotors together, m²", Number(0.001..=1_000.0)),
        efficiency: f.required("efficiency", "from battery to air, as a share", EFFICIENCY()),
        drag_area: f.required(
            "drag_area",
            "sum of drag coefficients times areas, m²",
            Number(0.0..=100.0),
        ),
        electronics: electronics(f),
    }
}

struct WingKeys {
    efficiency: Option<At<f64>>,
    lift_to_drag: Option<At<f64>>,
    electronics: f64,
}

fn wing(f: &mut Fields<'_>) -> WingKeys {
    WingKeys {
        efficiency: f.required("efficiency", "from battery to air, as a share", EFFICIENCY()),
        lift_to_drag: f.required("lift_to_drag", "in cruise", Number(0.5..=60.0)),
        electronics: electronics(f),
    }
}

impl ModelKeys {
    fn is_given(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }
}

/// The type that the keys describe; `None` after a mistake, which the log then holds.
pub(super) fn lower(name: &str, keys: &At<ModelKeys>, log: &mut Log) -> Option<Model> {
    let span = &keys.span;
    let keys = &keys.value;
    let base = keys.base.as_ref().and_then(|base| from_catalogue(base, log));
    let base = base.as_ref();
    // One that is not known may say all that is missing.
    let has_base = keys.is_given("base");
    let is_needed = |key: &str| !has_base && !keys.is_given(key);
    let mut need = |key, given: Option<f64>, inherited: fn(&Model) -> f64| {
        let known = given.or_else(|| base.map(inherited));
        if known.is_none() && is_needed(key) {
            refuse_without(name, key, span, log);
        }
        known
    };
    let empty_mass_kg = need("empty_mass", keys.empty_mass, |base| base.empty_mass_kg);
    let max_payload_kg = need("max_payload", keys.max_payload, |base| base.max_payload_kg);
    let cruise_airspeed_mps = need("airspeed", keys.airspeed, |base| base.cruise_airspeed_mps);
    let climb_mps = need("climb", keys.climb, |base| base.climb_mps);
    let descent_mps = need("descent", keys.descent, |base| base.descent_mps);
    let acceleration_mps2 = need("acceleration", keys.acceleration, |base| base.acceleration_mps2);
    let vertical_acceleration_mps2 = need("vertical_acceleration", keys.vertical_acceleration, |base| {
        base.vertical_acceleration_mps2
    });
    let max_bank_rad = need("bank", keys.bank_deg.map(f64::to_radians), |base| {
        base.max_bank_rad
    });
    let yaw_rate_radps = need("yaw_rate", keys.yaw_rate_degps.map(f64::to_radians), |base| {
        base.yaw_rate_radps
    });
    let handover_height_m = need("handover_height", keys.handover_height, |base| {
        base.handover_height_m
    });
    let handover_s = need("handover", keys.handover.map(SimDuration::as_secs), |base| {
        base.handover_s
    });
    let [capacity, charge_power] = BATTERY_NEEDS;
    let capacity_wh = need(capacity, keys.battery.capacity, |base| base.battery.capacity_wh);
    let charge_power_w = need(charge_power, keys.battery.charge_power, |base| {
        base.battery.charge_power_w
    });
    let power = match &keys.power {
        Some(power) => power::lower(power, log),
        None => base.map(|base| base.power),
    };
    if is_needed("power") {
        refuse_without(name, "power", span, log);
    }
    let of_base = base.map_or(Limits::NONE, |base| base.limits);
    let [max_wind, max_gust, max_rain] = keys.limits;
    let limits = Limits {
        wind_mps: max_wind.unwrap_or(of_base.wind_mps),
        gust_mps: max_gust.unwrap_or(of_base.gust_mps),
        rain_mmph: max_rain.unwrap_or(of_base.rain_mmph),
    };
    let swap_s = (keys.battery.swap.map(SimDuration::as_secs)).or(base.and_then(|base| base.battery.swap_s));
    if let (Some(cycles), true) = (&keys.battery.cycles_to_80, swap_s.is_some()) {
        log.warn(
            &cycles.span,
            "batteries that are swapped come as new, and do not age",
            "leave out `cycles_to_80` or `swap`",
        );
    }
    if keys.flawed || has_base && base.is_none() {
        return None;
    }
    const RESERVE: f64 = 0.2;
    let reserve = keys
        .battery
        .reserve
        .or(base.map(|base| base.battery.reserve))
        .unwrap_or(RESERVE);
    Some(Model {
        key: name.to_owned(),
        empty_mass_kg: empty_mass_kg?,
        max_payload_kg: max_payload_kg?,
        cruise_airspeed_mps: cruise_airspeed_mps?,
        climb_mps: climb_mps?,
        descent_mps: descent_mps?,
        acceleration_mps2: acceleration_mps2?,
        vertical_acceleration_mps2: vertical_acceleration_mps2?,
        max_bank_rad: max_bank_rad?,
        yaw_rate_radps: yaw_rate_radps?,
        handover_height_m: handover_height_m?,
        handover_s: handover_s?,
        battery: Battery {
            capacity_wh: capacity_wh?,
            reserve,
            charge_power_w: charge_power_w?,
            swap_s,
            cycles_to_80: keys.battery.cycles_to_80.as_ref().map(|at| at.value),
        },
        power: power?,
        limits,
        rotor_count: power::rotor_count(keys.rotor_count, power?, base),
    })
}

/// A type of the catalogue, or the mistake that there is none of that name.
pub(super) fn from_catalogue(key: &At<String>, log: &mut Log) -> Option<Model> {
    let model = catalogue::model(&key.value);
    if model.is_none() {
        let remedy = suggest(&key.value, catalogue::keys().iter().copied());
        log.error(
            &key.span,
            format!("there is no drone type \"{}\" in the catalogue", key.value),
            remedy,
        );
    }
    model
}

fn refuse_without(model: &str, key: &str, span: &Span, log: &mut Log) {
    log.missing(
        span,
        format!("drone type `{model}` has no `{key}`"),
        format!("add `{key}`, or `base` to take it from another type"),
    );
}
