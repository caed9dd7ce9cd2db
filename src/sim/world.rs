//! The world as the scenario lays it out, and as operators have changed it since
//! ([`super::roster`]): what does not change within a tick.
//!
//! Everyone shares one `Arc<World>`. What moves lives in [`crate::sim::sky`] and in the
//! actors.

use serde::{Deserialize, Serialize};

use super::account::AccountRules;
use super::air::Air;
use super::airspace::Airspace;
use super::carrier::Carrier;
use super::energy::PowerModel;
use super::fault::Fault;
use super::geo::{Area, LatLon, Point};
use super::ids::{HubId, ModelId};
use super::order::Order;
use super::roster::Roster;
use super::separation;
use super::time::{SimDuration, SimTime, Tick};
use super::weather::{Limits, Weather};
use super::workflow::WorkflowRules;

pub use super::fleet_index::FleetIndex;

#[derive(Clone, Debug)]
pub struct World {
    pub name: String,
    pub description: String,
    pub seed: u64,
    /// The scenario's start as microseconds of Unix time.
    pub start_unix_us: i64,
    /// Ends `run`; `serve` goes on.
    pub duration: SimDuration,
    pub tick: SimDuration,
    pub area: Area,
    pub unknown_places: UnknownPlaces,
    /// Whether people who may not see drones one by one are told how many there are where.
    pub density_shown: bool,
    pub hubs: Vec<Hub>,
    pub models: Vec<Model>,
    /// Drones are numbered through the fleets in order.
    pub fleets: Vec<Fleet>,
    pub fleet_index: FleetIndex,
    /// What operators added to the scenario's hubs and fleets, and withdrew.
    pub roster: Roster,
    pub places: Vec<Place>,
    pub zones: Vec<Zone>,
    /// The zones as flights meet them.
    pub airspace: Airspace,
    pub weather: Weather,
    pub demand: Option<Demand>,
    /// Scripted requests by the time they are due, earliest first.
    pub scripted: Vec<ScriptedRequest>,
    pub dispatch: DispatchRules,
    pub accounts: AccountRules,
    /// Third-party transport.
    pub carrier: Carrier,
    /// What breaks by itself, earliest first.
    pub faults: Vec<ScheduledFault>,
    /// How often and how fast workflows try again.
    pub workflow: WorkflowRules,
    pub recipient: Recipient,
    pub separation: separation::Rules,
    /// A hash of all of the scenario but the seed and the description, to tell another
    /// world's store.
    pub scenario_hash: [u8; 32],
}

/// What becomes of a place name that the scenario does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPlaces {
    Refuse,
    /// A fixed point on land made from the name's letters.
    Scatter,
}

#[derive(Clone, Debug)]
pub struct Hub {
    pub key: String,
    pub name: String,
    pub location: LatLon,
    pub at: Point,
    pub pads: u32,
    pub chargers: u32,
    /// So long a landed drone takes its pad up, until it is moved off.
    pub turnaround: SimDuration,
}

impl Hub {
    /// Where a scenario does not say.
    pub const TURNAROUND: SimDuration = SimDuration(30_000_000);
}

#[derive(Clone, Debug)]
pub struct Fleet {
    pub hub: HubId,
    pub model: ModelId,
    pub count: u32,
    /// Share of these drones that is in the air at the start, on the way home.
    pub aloft: f64,
    /// Full cycles that their batteries have behind them at the start: the fewest, and the most.
    pub cycles: (f64, f64),
}

/// A drone type. Derived figures (see the catalogue) say so where they are chosen.
#[derive(Clone, Debug)]
pub struct Model {
    pub key: String,
    /// With battery, without payload.
    pub empty_mass_kg: f64,
    pub max_payload_kg: f64,
    pub cruise_airspeed_mps: f64,
    pub climb_mps: f64,
    pub descent_mps: f64,
    pub acceleration_mps2: f64,
    pub vertical_acceleration_mps2: f64,
    /// Steepest bank in a fly-by turn, radians.
    pub max_bank_rad: f64,
    /// How fast the nose may turn in hover and in still turns, radians per second.
    pub yaw_rate_radps: f64,
    /// Hovers at this height to take up or lower the package; 0 lands for it.
    pub handover_height_m: f64,
    /// Time to take up, and to lower, a package.
    pub handover_s: f64,
    pub battery: Battery,
    pub power: PowerModel,
    /// The weather that it may fly in.
    pub limits: Limits,
    /// Rotors that carry it; 0 for wings alone.
    pub rotor_count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Battery {
    pub capacity_wh: f64,
    /// Share of the capacity that a plan must leave.
    pub reserve: f64,
    /// Up to four fifths of the capacity, watts.
    pub charge_power_w: f64,
    /// Where it is changed for a full one instead: how long that takes, seconds.
    pub swap_s: Option<f64>,
    /// Full cycles after which four fifths of the capacity are left; `None` where it does not age.
    pub cycles_to_80: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct Place {
    pub name: String,
    pub location: LatLon,
}

/// A no-fly zone.
#[derive(Clone, Debug)]
pub struct Zone {
    pub name: String,
    /// In degrees (x = longitude), closed or not.
    pub polygon: geo::Polygon,
    pub floor_m: f64,
    pub ceiling_m: f64,
    pub reference: HeightReference,
    /// In force from then on, and no more from then on.
    pub from: SimTime,
    pub until: SimTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeightReference {
    Agl,
    Amsl,
}

/// The scenario's own customers.
#[derive(Clone, Debug)]
pub struct Demand {
    pub rate_per_s: f64,
    /// (time, factor), linear between; before the first and after the last they hold.
    pub profile: Vec<(SimTime, f64)>,
    pub pickup: PickupAt,
    /// How long goods take to be ready; `None` where they are at once.
    pub preparation: Option<Preparation>,
    pub dropoff: DropoffSpread,
    /// Where [`DropoffSpread::Points`] goes to.
    pub dropoff_points: Vec<LatLon>,
    /// Drop-offs on land or in the area are no farther from their pick-ups.
    pub within_m: Option<f64>,
    pub payload_kg: (f64, f64),
    /// Share of expedited requests.
    pub expedited: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickupAt {
    Places,
    Hub,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropoffSpread {
    Land,
    Area,
    Places,
    /// Addresses of a file, each as likely as the others.
    Points,
}

/// A log-normal time: half of the goods are ready by the median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Preparation {
    pub median_s: f64,
    /// Standard deviation of the time's natural logarithm.
    pub sigma: f64,
}

impl Preparation {
    /// The standard normal's 95th percentile.
    const Z95: f64 = 1.644_853_626_951_472_7;

    /// The one of this median and this 95th percentile, seconds.
    pub fn of(median_s: f64, p95_s: f64) -> Self {
        Preparation {
            median_s,
            sigma: libm::log(p95_s / median_s) / Self::Z95,
        }
    }
}

#[derive(Clone, Debug)]
pub struct ScriptedRequest {
    pub at: SimTime,
    pub order: Order,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScheduledFault {
    pub at: SimTime,
    pub fault: Fault,
}

#[derive(Clone, Debug)]
pub struct DispatchRules {
    pub policy: PolicyKind,
    /// Where the policy serves in rounds: how far they are apart.
    pub batch_every: SimDuration,
    pub positioning: Positioning,
    /// Most workflows that may wait for a drone, and as many for another try.
    pub backlog: usize,
    /// Most workflows that may wait for their pick-up time.
    pub scheduled: usize,
    /// How long a workflow waits for a drone.
    pub max_wait: SimDuration,
    /// What becomes of a workflow that finds no room or runs out of patience.
    pub when_full: WhenFull,
}

/// Where idle drones wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Positioning {
    /// At their own hubs.
    #[default]
    None,
    /// Where demand is expected.
    Demand,
}

/// How drones are chosen; [`super::dispatch`] has what each does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum PolicyKind {
    Nearest,
    #[default]
    EarliestPickup,
    Batch,
}

impl PolicyKind {
    pub const ALL: [PolicyKind; 3] = [PolicyKind::Nearest, PolicyKind::EarliestPickup, PolicyKind::Batch];

    /// As scenarios, flags and results name it.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKind::Nearest => "nearest",
            PolicyKind::EarliestPickup => "earliest-pickup",
            PolicyKind::Batch => "batch",
        }
    }
}

/// Those who receive, where an order requires their word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipient {
    /// They give it so long after the door is reached, on average.
    pub confirm_after: SimDuration,
    /// Share of those who never do.
    pub never: f64,
    /// So long a drone waits at the door.
    pub patience: SimDuration,
    /// What was brought back sets out again after this.
    pub redeliver_after: SimDuration,
}

impl Recipient {
    /// The first, and one more.
    pub const MOST_VISITS: u32 = 2;

    /// How long the door is likely to take.
    pub fn expected(&self, confirmed: bool) -> SimDuration {
        match confirmed {
            true => self.confirm_after.min(self.patience),
            false => SimDuration(0),
        }
    }
}

impl Default for Recipient {
    fn default() -> Self {
        Recipient {
            confirm_after: SimDuration::from_secs(20.0),
            never: 0.0,
            patience: SimDuration::from_secs(60.0),
            redeliver_after: SimDuration::from_secs(600.0),
        }
    }
}

impl DispatchRules {
    /// Where a scenario does not say.
    pub const SCHEDULED: usize = 10_000;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhenFull {
    ThirdParty,
    Fail,
}

impl World {
    /// What breaks by itself in the tick that ends at `tick`, in order.
    pub fn faults_due(&self, tick: Tick) -> impl Iterator<Item = Fault> + '_ {
        let end = self.time_of(tick);
        let start = self.time_of(tick.saturating_sub(1));
        let first = self.faults.partition_point(|scheduled| scheduled.at < start);
        let due = self.faults[first..].iter();
        due.take_while(move |scheduled| scheduled.at < end)
            .map(|scheduled| scheduled.fault)
    }

    /// The air as planners know it at that moment.
    pub fn air(&self, now: SimTime) -> Air<'_> {
        Air::forecast(&self.weather, &self.airspace, self.seed, now)
    }

    /// Of all hubs, those that are withdrawn too.
    pub fn hub_ids(&self) -> impl Iterator<Item = HubId> + use<> {
        (0..self.hubs.len()).map(|index| HubId(index as u16))
    }

    pub fn hub(&self, id: HubId) -> &Hub {
        &self.hubs[id.index()]
    }

    pub fn model(&self, id: ModelId) -> &Model {
        &self.models[id.index()]
    }

    pub fn time_of(&self, tick: Tick) -> SimTime {
        SimTime(tick.saturating_mul(self.tick.0))
    }

    pub fn unix_us(&self, at: SimTime) -> i64 {
        self.start_unix_us.saturating_add_unsigned(at.0)
    }

    /// The simulated moment of a date; dates before the start are the start.
    pub fn sim_time(&self, unix_us: i64) -> SimTime {
        SimTime(u64::try_from(unix_us.saturating_sub(self.start_unix_us)).unwrap_or(0))
    }
}
