//! The read side: what HTTP and sessions may look at.
//!
//! A pure projection of publications, which come from the engine once their tick is committed, or
//! from a recording. Nothing here disturbs the tick: publishing takes the write lock for as long as
//! it takes to patch what changed, and readers look as long as it takes to copy what they want.

mod accounts;
pub mod archive;
pub mod branches;
pub mod commands;
pub mod day;
mod deliveries;
mod drones;
pub mod events;
pub mod frame;
mod ground;
mod packages;
mod paging;
pub mod pasts;
mod playback;
mod publish;
mod pulse;
pub mod reading;
pub mod recordings;
pub mod routes;
pub mod shown;
mod sums;
mod supervision;
pub mod timeline;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use parking_lot::{RwLock, RwLockReadGuard};
use tokio::sync::watch;

use crate::sim::account::Account;
use crate::sim::ageing::Healths;
use crate::sim::calendar::Month;
use crate::sim::drone::DroneStatus;
use crate::sim::event::{Event, HubQueues};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DroneId, HubId, ModelId};
use crate::sim::order::StoredPackage;
use crate::sim::sky::Grounded;
use crate::sim::sums::Sums;
use crate::sim::time::{SimTime, Tick};
use crate::sim::weather::Breach;
use crate::sim::world::World;

use accounts::Accounts;
use archive::Archive;
pub use deliveries::{
    Changes, DeliveryFilter, DeliveryHandle, DeliveryRecord, EndFilter, Flight, Outlook, Place,
    RECENTLY_ENDED, Step, WorkflowState, quotes,
};
use deliveries::{Deliveries, Kept, TurnedBack};
pub use drones::DroneFilter;
use events::{EventLog, Window};
use frame::{DroneRow, Frame};
pub use ground::{AsOf, Standing};
use packages::Packages;
pub use playback::{Excerpt, Reversal};
use pulse::Pulse;
use reading::{ClockReading, FleetReading, HubReading, Pace, RunState};
use routes::{PlannedRoute, Routes};
pub use supervision::{LetterReading, Supervision};
use timeline::Timeline;

/// What one committed tick changed.
pub struct Publication {
    pub tick: Tick,
    pub at: SimTime,
    pub digest: [u8; 32],
    /// As operators have changed it up to this tick.
    pub world: Arc<World>,
    pub events: Vec<Arc<Event>>,
    /// All airborne drones.
    pub airborne: Vec<DroneRow>,
    /// Drones whose record on the ground changed; `None` is in the air or lost.
    pub grounded: Vec<(DroneId, Option<Grounded>)>,
    /// Drones that are lost from now on, and what their batteries held, as shares of their types'
    /// capacity.
    pub lost_with: Vec<(DroneId, f64)>,
    /// Drones whose battery is of another health, and of which.
    pub healths: Vec<(DroneId, f64)>,
    /// Routes of drones that took off or changed their plan.
    pub routes: Vec<(DroneId, PlannedRoute)>,
    /// What [`View::take_changes`] gave at this tick is durable with it.
    pub kept: Option<Tick>,
}

/// Everything that changes together, so that a reader sees one tick.
struct Now {
    tick: Tick,
    at: SimTime,
    digest: [u8; 32],
    epoch: playback::Epoch,
    pace: Pace,
    /// The last tick that was computed when `pace` was read; it may not be published yet.
    pace_after: Tick,
    frame: Arc<Frame>,
    drones: drones::Drones,
    routes: Routes,
    hubs: Vec<HubQueue>,
    pulse: Pulse,
    supervision: Supervision,
}

#[derive(Clone, Default)]
struct HubQueue {
    queues: HubQueues,
    /// Nobody takes off before this time.
    closed_until: Option<SimTime>,
    /// Types that the weather keeps there, and why.
    ground_stops: Vec<(ModelId, Breach)>,
    /// Number of the hub's last event.
    seq: u32,
    /// Withdrawn, and its last drone is out of the world.
    is_gone: bool,
}

pub struct View {
    /// Changed under the write lock of `now`, and only ever grown, so that what was read of `now`
    /// is in the world that is asked for later.
    world: ArcSwap<World>,
    now: RwLock<Now>,
    deliveries: Deliveries,
    sums: sums::Ledger,
    /// Those that have left memory; none where nobody keeps them.
    archive: OnceLock<Arc<dyn Archive>>,
    accounts: Accounts,
    packages: Packages,
    /// Taken after `now`, by whoever wants both.
    log: RwLock<EventLog>,
    published: watch::Sender<Tick>,
    stalled: AtomicBool,
    is_playback: AtomicBool,
    /// The moment that a recording was turned back to.
    turned_back: TurnedBack,
    /// Of a recording that is played.
    excerpt: RwLock<Option<Excerpt>>,
    /// Of a recording that is played, or being made.
    timeline: ArcSwapOption<Timeline>,
}

/// Where a stopped world left off, for a view that starts with it.
pub struct Restored {
    pub tick: Tick,
    pub digest: [u8; 32],
    pub epoch: u64,
    pub grounded: Vec<Option<Grounded>>,
    pub airborne: Vec<DroneRow>,
    pub routes: Vec<(DroneId, PlannedRoute)>,
    /// Of the batteries.
    pub healths: Healths,
    pub lost: Vec<(DroneId, LatLon)>,
    /// What their batteries held, as shares of their types' capacity.
    pub lost_with: Vec<(DroneId, f64)>,
    /// Number of the last event of each drone that had any.
    pub drone_seqs: Vec<(DroneId, u32)>,
    pub hub_queues: Vec<(HubId, HubQueues)>,
    /// Number of the last event of each hub that had any.
    pub hub_seqs: Vec<(HubId, u32)>,
    /// Hubs that nobody leaves, and until when.
    pub hubs_closed: Vec<(HubId, SimTime)>,
    /// Types that the weather keeps at a hub, and why, where any are.
    pub hub_stops: Vec<(HubId, Vec<(ModelId, Breach)>)>,
    /// Withdrawn, and out of the world.
    pub drones_gone: Vec<DroneId>,
    pub hubs_gone: Vec<HubId>,
    pub supervision: Supervision,
    /// Global number of the last event.
    pub events_through: u64,
    /// The last events up to that number, as far back as they are kept.
    pub past_events: Vec<Arc<Event>>,
    /// Of deliveries that went on.
    pub records: Vec<DeliveryRecord>,
    /// Of those in the archive the last that ended, the oldest first.
    pub recent: Vec<DeliveryRecord>,
    /// As [`View::take_changes`] gave them; empty where they were not kept yet.
    pub totals: Vec<u8>,
    /// By account and month.
    pub sums: Vec<(String, Month, Sums)>,
    pub accounts: Vec<Account>,
    /// Those that clients put by themselves.
    pub packages: Vec<StoredPackage>,
}

impl View {
    pub fn new(world: Arc<World>, restored: Restored) -> Self {
        let at = world.time_of(restored.tick);
        let stopped = |ground_stops| HubQueue {
            ground_stops,
            ..HubQueue::default()
        };
        let mut hubs: Vec<HubQueue> = world.ground_stops(at).into_iter().map(stopped).collect();
        for (hub, stops) in restored.hub_stops {
            hubs[hub.index()].ground_stops = stops;
        }
        for (hub, queues) in restored.hub_queues {
            hubs[hub.index()].queues = queues;
        }
        for (hub, until) in restored.hubs_closed {
            hubs[hub.index()].closed_until = Some(until);
        }
        for (hub, seq) in restored.hub_seqs {
            hubs[hub.index()].seq = seq;
        }
        for hub in restored.hubs_gone {
            hubs[hub.index()].is_gone = true;
        }
        let mut drones = drones::Drones::new(
            restored.grounded,
            world.hubs.len(),
            restored.lost,
            restored.drone_seqs,
            restored.healths,
        );
        for (drone, battery) in restored.lost_with {
            drones.set_lost_with(drone, battery);
        }
        for drone in restored.drones_gone {
            drones.goes(&world, drone);
        }
        for record in &restored.records {
            if let (Some(drone), false) = (record.drone(), record.stage.is_terminal()) {
                drones.carries(drone, Some(record.id));
            }
            for drone in &record.aloft {
                drones.flies_for(*drone, record.id);
            }
        }
        let sums = match restored.totals.is_empty() {
            false => sums::Ledger::restore(restored.sums),
            true => sums::Ledger::tell_again(&world, restored.records.iter()),
        };
        let now = Now {
            tick: restored.tick,
            at,
            digest: restored.digest,
            epoch: playback::Epoch::new(restored.epoch, (restored.tick, at, restored.events_through)),
            pace: Pace::default(),
            pace_after: restored.tick,
            frame: Arc::new(Frame::new(restored.tick, at, restored.airborne).among(drones.roll())),
            drones,
            routes: Routes::new(restored.routes),
            hubs,
            pulse: Pulse::of(&world, restored.recent.iter().chain(&restored.records)),
            supervision: restored.supervision,
        };
        let kept = Kept {
            records: restored.records,
            recent: restored.recent,
            totals: restored.totals,
        };
        View {
            world: ArcSwap::new(world),
            now: RwLock::new(now),
            deliveries: Deliveries::restore(kept),
            sums,
            archive: OnceLock::new(),
            accounts: Accounts::new(restored.accounts),
            packages: Packages::new(restored.packages),
            log: RwLock::new(EventLog::holding(
                restored.events_through,
                restored.past_events,
                Window::DEFAULT,
            )),
            published: watch::channel(restored.tick).0,
            stalled: AtomicBool::new(false),
            is_playback: AtomicBool::new(false),
            turned_back: TurnedBack::default(),
            excerpt: RwLock::new(None),
            timeline: ArcSwapOption::empty(),
        }
    }

    /// As of the newest tick. Ask for it after whatever it is to explain was read: a world only
    /// grows, so a later one knows every drone and hub of an earlier reading.
    pub fn world(&self) -> Guard<Arc<World>> {
        self.world.load()
    }

    /// Fires after each publication.
    pub fn published(&self) -> watch::Receiver<Tick> {
        self.published.subscribe()
    }

    /// The world's past is not the one that was published before.
    pub fn set_epoch(&self, epoch: u64) {
        self.now.write().epoch.number = epoch;
    }

    /// How the clock is driven once the tick `after` is computed.
    pub fn set_pace(&self, pace: Pace, after: Tick) {
        let mut now = self.now.write();
        now.pace = pace;
        now.pace_after = after;
    }

    /// Whether the store keeps the clock from going on.
    pub fn set_stalled(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    pub fn clock(&self) -> ClockReading {
        self.clock_of(&self.now.read())
    }

    fn clock_of(&self, now: &Now) -> ClockReading {
        let mut pace = now.pace;
        // Ticks are still to come, so whoever sees a pause sees the tick that it is at.
        if pace.state == RunState::Paused && now.tick < now.pace_after {
            pace.state = RunState::Running;
        }
        if self.stalled.load(Ordering::Relaxed) {
            pace.state = RunState::Stalled;
            pace.real_time_factor = 0.0;
        }
        ClockReading {
            pace,
            tick: now.tick,
            at: now.at,
            digest: now.digest,
            epoch: now.epoch.number,
        }
    }

    /// For those who look drones up in the frame, whose order is made before anybody waits.
    fn now_in_order(&self) -> RwLockReadGuard<'_, Now> {
        self.frame().put_in_order();
        self.now.read()
    }

    /// The newest positions; immutable, so a reader may take its time.
    pub fn frame(&self) -> Arc<Frame> {
        Arc::clone(&self.now.read().frame)
    }

    pub fn fleet(&self) -> FleetReading {
        let now = self.now.read();
        let frame = Arc::clone(&now.frame);
        let (drones, lost) = (now.drones.present(), now.drones.lost_count());
        let airborne = frame.rows().len() as u32;
        let charging = now.hubs.iter().map(|hub| hub.queues.charging).sum();
        let mut reading = FleetReading {
            clock: self.clock_of(&now),
            drones,
            airborne,
            charging,
            lost,
            by_status: [0; DroneStatus::ALL.len()],
            deliveries: self.deliveries.counts(),
            completed_per_minute: now.pulse.completed_per_minute(now.at),
            quotes: now.pulse.quotes(),
        };
        drop(now);
        let by_status = &mut reading.by_status;
        for row in frame.rows() {
            by_status[row.status as usize] += 1;
        }
        by_status[DroneStatus::Parked as usize] = drones.saturating_sub(airborne + charging + lost);
        by_status[DroneStatus::Charging as usize] = charging;
        by_status[DroneStatus::Lost as usize] = lost;
        reading
    }

    /// Those that are in the world, in order of their numbers.
    pub fn hubs(&self) -> Vec<HubReading> {
        let (_, mut hubs) = self.hubs_at_once();
        hubs.retain(|hub| !hub.is_gone);
        hubs
    }

    /// All hubs, by number, as of the clock's tick.
    pub fn hubs_at_once(&self) -> (ClockReading, Vec<HubReading>) {
        let now = self.now.read();
        let reading = |(index, queue): (usize, &HubQueue)| HubReading {
            hub: HubId(index as u16),
            queues: queue.queues,
            grounded: now.drones.grounded_at(HubId(index as u16)),
            closed_until: queue.closed_until,
            ground_stops: queue.ground_stops.clone(),
            seq: queue.seq,
            is_gone: queue.is_gone,
        };
        let hubs = now.hubs.iter().enumerate().map(reading).collect();
        (self.clock_of(&now), hubs)
    }

    /// A hub that is in the world, by the key that people know it by.
    pub fn hub_of_key(&self, key: &str) -> Option<HubId> {
        let hub = self.world().hub_of_key(key)?;
        let now = self.now.read();
        let state = now.hubs.get(hub.index());
        state.is_some_and(|state| !state.is_gone).then_some(hub)
    }
}
