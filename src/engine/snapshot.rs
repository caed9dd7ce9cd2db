//! Snapshots: the engine's own state whole, and the actors that were touched.

mod older;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::ArbiterHandle;
use serde::{Deserialize, Serialize};

use crate::actors::delivery::Delivery;
use crate::actors::drone::{Drone, DroneBefore3};
use crate::actors::supervisor::{DeadLetter, Supervisor};
use crate::actors::{Address, Mail};
use crate::sim::account::Account;
use crate::sim::ageing::Healths;
use crate::sim::drone::{DroneState, Task};
use crate::sim::event::HubQueues;
use crate::sim::geo::LatLon;
use crate::sim::ids::{DroneId, HubId, ModelId};
use crate::sim::order::StoredPackage;
use crate::sim::roster::RosterWrite;
use crate::sim::separation::Separation;
use crate::sim::sky::{Few, Sky};
use crate::sim::time::SimTime;
use crate::sim::weather::{Breach, Shift};
use crate::sim::world::World;
use crate::store::{HistoryRow, SNAPSHOT_FORMATS, Snapshot, SumRow};
use crate::view::{DeliveryHandle, LetterReading, Supervision, View};

use self::older::{SavedSky, delivery_of, drone_of, engine_of, fleet_of, scheduler_of};
use super::cast::{Cast, Roles};
use super::digest::Digest;
use super::wakes::Wakes;
use super::{Engine, Halted, genesis, pool};

/// Changes with every change of what is below or of an actor's state; [`older`] then reads what
/// was.
const FORMAT: u8 = SNAPSHOT_FORMATS[SNAPSHOT_FORMATS.len() - 1];

#[derive(Serialize)]
struct EngineStateRef<'a> {
    digest: &'a Digest,
    admitted_through: u64,
    demand: bool,
    wakes: &'a Wakes,
    carried: &'a [Mail],
    sky: &'a Sky,
    roster: &'a [RosterWrite],
    separation: &'a Separation,
    few: &'a Few,
    shifts: &'a [Shift],
    healths: &'a Healths,
}

#[derive(Deserialize)]
struct EngineState<S, M> {
    digest: Digest,
    admitted_through: u64,
    demand: bool,
    wakes: Wakes,
    carried: Vec<M>,
    sky: S,
    /// All changes of the scenario's drones and hubs, in order.
    roster: Vec<RosterWrite>,
    separation: Separation,
    /// The sky's, beside its columns.
    few: Few,
    /// Of the wind.
    shifts: Vec<Shift>,
    /// Of the batteries.
    healths: Healths,
}

/// What the read side cannot tell from the sky: it follows from the actors' states.
#[derive(Default)]
pub struct Remembered {
    pub drone_seqs: Vec<(DroneId, u32)>,
    pub lost: Vec<(DroneId, LatLon)>,
    pub hub_queues: Vec<(HubId, HubQueues)>,
    pub hub_seqs: Vec<(HubId, u32)>,
    pub hubs_closed: Vec<(HubId, SimTime)>,
    pub hub_stops: Vec<(HubId, Vec<(ModelId, Breach)>)>,
    /// Withdrawn, and out of the world.
    pub drones_gone: Vec<DroneId>,
    pub hubs_gone: Vec<HubId>,
    pub accounts: Vec<Account>,
    pub packages: Vec<StoredPackage>,
    pub supervision: Supervision,
}

impl Engine {
    /// The next snapshot has all actors.
    pub fn touch_all(&mut self) {
        self.cast.touch_all();
    }

    /// The state after the last tick; without the records.
    ///
    /// # Errors
    /// An actor that is gone.
    pub async fn snapshot(&mut self) -> Result<Snapshot, Halted> {
        let state = EngineStateRef {
            digest: &self.digest,
            admitted_through: self.admitted_through,
            demand: self.demand,
            wakes: &self.wakes,
            carried: &self.carried,
            sky: &self.sky,
            roster: self.world.roster.writes(),
            separation: &self.separation,
            few: self.sky.few(),
            shifts: &self.world.weather.shifts,
            healths: self.sky.healths(),
        };
        let engine = postcard::to_stdvec(&(FORMAT, state))?;
        let touched = self.cast.save_touched().await?;
        let keyed = touched
            .into_iter()
            .map(|(address, state)| Ok((postcard::to_stdvec(&address)?, state)));
        Ok(Snapshot {
            tick: self.tick,
            events_through: self.events_through,
            keep_events_from: 0,
            engine,
            actors: keyed.collect::<Result<_, Halted>>()?,
            ..Snapshot::default()
        })
    }

    /// The same with what changed on the read side since the last one: records of deliveries,
    /// those that are history from now on, and sums. The view must show the last tick.
    ///
    /// # Errors
    /// An actor that is gone.
    pub async fn snapshot_with_records(&mut self, view: &View) -> Result<Snapshot, Halted> {
        let mut snapshot = self.snapshot().await?;
        snapshot.keep_events_from = view.keeps_events_from();
        let changes = view.take_changes();
        let record = |handle: &DeliveryHandle| {
            let record = handle.look();
            (record.id, record.to_bytes())
        };
        snapshot.records = changes.changed.iter().map(record).collect();
        snapshot.history = changes.settled.iter().filter_map(history_row).collect();
        let sums = changes.sums.into_iter();
        snapshot.sums = sums
            .map(|(owner, month, sums)| SumRow { owner, month, sums })
            .collect();
        snapshot.totals = changes.totals;
        Ok(snapshot)
    }

    /// A world as its newest snapshot has it.
    ///
    /// # Errors
    /// A snapshot that cannot be read, or no threads to be had.
    pub fn restore(
        world: Arc<World>,
        threads: usize,
        arbiters: Vec<ArbiterHandle>,
        snapshot: Snapshot,
    ) -> Result<(Self, Remembered), Halted> {
        let (tick, events_through) = (snapshot.tick, snapshot.events_through);
        let Thawed {
            world,
            sky,
            roles,
            remembered,
            state,
            of_older_format,
        } = thaw(world, snapshot)?;
        let mut cast = Cast::start(arbiters, roles);
        // The next snapshot is of the newest format, and so must be all that it stands upon.
        cast.touch(of_older_format);
        let engine = Engine {
            demand: state.demand,
            pool: pool(threads)?,
            sky,
            separation: state.separation,
            cast,
            wakes: state.wakes,
            carried: state.carried,
            tick,
            digest: state.digest,
            admitted_through: state.admitted_through,
            events_through,
            world,
        };
        Ok((engine, remembered))
    }
}

/// A snapshot's state, of which nobody is alive yet.
pub(super) struct Thawed {
    pub world: Arc<World>,
    pub sky: Sky,
    pub roles: Roles,
    pub remembered: Remembered,
    pub state: Rest,
    of_older_format: Vec<Address>,
}

/// What is the engine's alone.
pub(super) struct Rest {
    pub digest: Digest,
    admitted_through: u64,
    demand: bool,
    wakes: Wakes,
    carried: Vec<Mail>,
    separation: Separation,
}

/// # Errors
/// A snapshot that cannot be read.
pub(super) fn thaw(world: Arc<World>, snapshot: Snapshot) -> Result<Thawed, Halted> {
    let (format, state) = engine_of(snapshot.engine)?;
    let of_older_format = match format {
        FORMAT => Vec::new(),
        _ => addresses(&snapshot.actors)?,
    };
    let mut world = match state.roster.is_empty() {
        true => world,
        false => Arc::new(World::clone(&world).with_changes(state.roster)?),
    };
    if !state.shifts.is_empty() {
        Arc::make_mut(&mut world).weather.shifts = state.shifts;
    }
    let sky = match state.sky {
        SavedSky::Now(sky) => sky.with_few(state.few),
        SavedSky::Before5(sky) => sky.now(&world, world.time_of(snapshot.tick)),
    };
    let sky = sky.with_healths(state.healths);
    let (mut roles, remembered) = roles(&world, world.time_of(snapshot.tick), format, snapshot.actors)?;
    roles.fleet = roles.fleet.with_healths(sky.healths().clone());
    Ok(Thawed {
        world,
        sky,
        roles,
        remembered,
        of_older_format,
        state: Rest {
            digest: state.digest,
            admitted_through: state.admitted_through,
            demand: state.demand,
            wakes: state.wakes,
            carried: state.carried,
            separation: state.separation,
        },
    })
}

/// `None` for one that has not ended.
fn history_row(handle: &DeliveryHandle) -> Option<HistoryRow> {
    let record = handle.look();
    Some(HistoryRow {
        id: record.id,
        owner: record.order.owner.account.clone(),
        accepted: record.accepted()?,
        ended: record.ended?,
        stage: record.stage,
        package: record.order.package.id.clone(),
        record: record.to_bytes(),
    })
}

/// An actor's address and state, as a snapshot has them; `None` for one that ended.
type Saved = (Vec<u8>, Option<Vec<u8>>);

fn addresses(saved: &[Saved]) -> Result<Vec<Address>, postcard::Error> {
    let keys = saved.iter().map(|(key, _)| postcard::from_bytes(key));
    keys.collect()
}

/// Who was never touched is as at the beginning.
fn roles(world: &World, now: SimTime, format: u8, saved: Vec<Saved>) -> Result<(Roles, Remembered), Halted> {
    let (_, mut roles) = genesis::sky_and_roles(world);
    let mut deliveries = BTreeMap::new();
    let mut older_drones = Vec::new();
    for (key, state) in saved {
        let Some(state) = state else { continue };
        match postcard::from_bytes::<Address>(&key)? {
            Address::Scheduler => roles.scheduler = scheduler_of(format, state)?,
            Address::Fleet => roles.fleet = fleet_of(format, state, world, now)?,
            Address::Drone(_) if format < 3 => {
                older_drones.push(postcard::from_bytes::<DroneBefore3>(&state)?)
            }
            Address::Drone(id) => roles.drones[id.index()] = drone_of(format, state)?,
            Address::Delivery(id) => {
                deliveries.insert(id, delivery_of(format, &state)?);
            }
            Address::Accounts => roles.accounts = postcard::from_bytes(&state)?,
            Address::Packages => roles.packages = postcard::from_bytes(&state)?,
            Address::Transport => roles.transport = postcard::from_bytes(&state)?,
            Address::Supervisor => roles.supervisor = postcard::from_bytes(&state)?,
        }
    }
    for before in older_drones {
        let task = |id| {
            let delivery: &Delivery = deliveries.get(&id)?;
            Some(Task::of(world, id, delivery.order()))
        };
        let drone = before.now(task);
        let index = drone.id.index();
        roles.drones[index] = drone;
    }
    roles.deliveries = deliveries.into_iter().collect();
    let remembered = remember(&roles);
    Ok((roles, remembered))
}

fn remember(roles: &Roles) -> Remembered {
    let lost_at = |drone: &Drone| match drone.state {
        DroneState::Lost { at } => Some((drone.id, at)),
        _ => None,
    };
    let flown = roles.drones.iter().filter(|drone| drone.seq > 0);
    let is_gone = |drone: &&Drone| drone.state == DroneState::Withdrawn;
    let gone = roles.drones.iter().filter(is_gone);
    Remembered {
        drone_seqs: flown.map(|drone| (drone.id, drone.seq)).collect(),
        lost: roles.drones.iter().filter_map(lost_at).collect(),
        hub_queues: roles.fleet.hub_queues().collect(),
        hub_seqs: roles.fleet.hub_seqs().collect(),
        hubs_closed: roles.fleet.hubs_closed().collect(),
        hub_stops: roles.fleet.hub_stops().collect(),
        drones_gone: gone.map(|drone| drone.id).collect(),
        hubs_gone: roles.fleet.hubs_gone().collect(),
        accounts: roles.accounts.all().cloned().collect(),
        packages: roles.packages.shelf().all().cloned().collect(),
        supervision: supervision(&roles.supervisor),
    }
}

fn supervision(supervisor: &Supervisor) -> Supervision {
    let reading = |(id, letter): (_, &DeadLetter)| LetterReading {
        id,
        step: letter.step,
        since: letter.since,
        times: letter.times,
    };
    let letters = supervisor.letters().map(reading);
    Supervision {
        letters: letters.map(|letter| (letter.id, letter)).collect(),
        breaker: supervisor.breaker(),
        panics: supervisor.panics().clone(),
    }
}
