//! Weather that a drone may not fly in, or gets nowhere in: looked for once a second, and told
//! of once an episode.
//!
//! Limits are held against the weather cell by cell and type by type; rows are walked only while
//! there is something to find.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::ids::DroneId;
use super::super::limp::LIMPING_SHARE;
use super::super::motion::positive;
use super::super::route;
use super::super::time::{SimDuration, SimTime, Tick};
use super::super::weather::{Breach, Conditions, Gusts, Limits, speed_mps, windage};
use super::super::world::World;
use super::columns::{Chunk, Motion};
use super::winds::Winds;
use super::{FlightEvent, FlightEventKind, Sky, passes};

/// Gusts that are over by then are nobody's trouble.
const LASTING: SimDuration = SimDuration(5_000_000);
/// Slower than this over the ground a drone gets nowhere.
const NO_HEADWAY_MPS: f32 = 1.0;
/// Lower than this it stands.
const ON_GROUND_M: f32 = 0.5;

/// The drones that are in trouble at present.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Episodes(BTreeMap<DroneId, Episode>);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Episode {
    since: Tick,
    seen: Tick,
    told: bool,
}

impl Episodes {
    /// Takes in who was found at this tick; answers who has been for long enough by now.
    pub fn hear(
        &mut self,
        found: &[(DroneId, Breach)],
        world: &World,
        tick: Tick,
        every: u64,
    ) -> Vec<FlightEvent> {
        let lasting = LASTING.0.div_ceil(world.tick.0.max(1));
        let mut events = Vec::new();
        for &(drone, breach) in found {
            let episode = self.0.entry(drone).or_insert(Episode {
                since: tick,
                seen: tick,
                told: false,
            });
            episode.seen = tick;
            if !episode.told && tick - episode.since >= lasting {
                episode.told = true;
                let kind = FlightEventKind::WeatherAlarm(breach);
                events.push(FlightEvent { drone, kind });
            }
        }
        // A drone may come to a chunk that was looked at before its own.
        self.0.retain(|_, episode| tick - episode.seen <= 2 * every);
        events
    }

    fn knows(&self, drone: DroneId) -> bool {
        self.0.contains_key(&drone)
    }

    /// A drone that set out anew is told of anew.
    pub fn forget(&mut self, drone: DroneId) {
        self.0.remove(&drone);
    }
}

/// The weather of a tick as it is, cell by cell.
pub struct Hazards {
    /// By cell, and in each by type.
    breaches: Vec<Option<Breach>>,
    models: usize,
    any: bool,
    /// The wind is so strong somewhere that somebody may get nowhere.
    may_stall: bool,
}

impl Hazards {
    pub fn at(world: &World, gusts: &Gusts, limps: bool, now: SimTime) -> Self {
        let cells = 0..world.weather.cells();
        let felt: Vec<Conditions> = cells.map(|cell| felt(world, gusts, cell, now)).collect();
        let limited = world.models.iter().any(|model| model.limits != Limits::NONE);
        let breaches: Vec<Option<Breach>> = match limited {
            false => Vec::new(),
            true => felt
                .iter()
                .flat_map(|felt| world.models.iter().map(|model| model.limits.broken_by(felt)))
                .collect(),
        };
        let strongest_mps = felt.iter().map(|felt| felt.gust_mps).fold(0.0, f64::max);
        let airspeeds = world.models.iter().map(|model| model.cruise_airspeed_mps);
        let slowest_mps = airspeeds.fold(f64::INFINITY, f64::min) * if limps { LIMPING_SHARE } else { 1.0 };
        let aloft_mps = strongest_mps * windage(route::HIGHEST_M);
        Hazards {
            any: breaches.iter().any(Option::is_some),
            may_stall: aloft_mps + f64::from(NO_HEADWAY_MPS) >= slowest_mps,
            models: world.models.len(),
            breaches,
        }
    }

    /// Who of a chunk is in trouble, in the order of its rows.
    pub fn look(&self, chunk: &Chunk, winds: &Winds) -> Vec<(DroneId, Breach)> {
        let mut found = Vec::new();
        if !self.any && !self.may_stall {
            return found;
        }
        for i in 0..chunk.len() {
            let motion = chunk.motion(i);
            if motion.height <= ON_GROUND_M {
                continue;
            }
            let cell = usize::from(motion.cell);
            let of_type = cell * self.models + chunk.flights[i].model.index();
            let breach = self.breaches.get(of_type).copied().flatten();
            let stalls = || self.may_stall && stalls(&motion, winds);
            if let Some(breach) = breach.or_else(|| stalls().then_some(Breach::NoHeadway)) {
                found.push((motion.drone, breach));
            }
        }
        found
    }
}

fn stalls(row: &Motion, winds: &Winds) -> bool {
    let (along, across) = passes::blown(winds.of(row.cell), (row.east, row.north), row.windage);
    row.windage > 0.0 && passes::reached(row.airspeed, along, across) < NO_HEADWAY_MPS
}

fn felt(world: &World, gusts: &Gusts, cell: usize, now: SimTime) -> Conditions {
    let wind = world.weather.wind(cell, now);
    let gust = gusts.of(cell);
    Conditions {
        wind,
        gust_mps: speed_mps((wind.0 + gust.0, wind.1 + gust.1)),
        rain_mmph: positive(world.weather.rain.at(cell, now)),
    }
}

impl Sky {
    /// The weather around an airborne drone; `None` for others.
    pub fn felt(&self, world: &World, drone: DroneId, now: SimTime) -> Option<Conditions> {
        let (chunk, i) = self.row_of(drone)?;
        Some(felt(world, &self.gusts, usize::from(chunk.motion(i).cell), now))
    }

    /// Who changes its plan in weather that it may fly in goes on in the belief that it is over:
    /// what comes back right after is news to it. `before` is its row by the old plan, since who
    /// turns from a wind that it gets nowhere in is still in its episode.
    pub(super) fn forget_what_is_over(&mut self, world: &World, before: &Motion, now: SimTime) {
        if !self.few.episodes.knows(before.drone) {
            return;
        }
        let Some(fleet) = world.fleet_of(before.drone) else {
            return;
        };
        let felt = felt(world, &self.gusts, usize::from(before.cell), now);
        let is_beyond = world.model(fleet.model).limits.broken_by(&felt).is_some();
        let winds = Winds::at(&world.weather, &self.gusts, now);
        if !is_beyond && !stalls(before, &winds) {
            self.few.episodes.forget(before.drone);
        }
    }
}
