//! What a state shows: the read side's share of a snapshot, without a world that goes on.

use std::sync::Arc;

use crate::sim::ids::DroneId;
use crate::sim::sky::Sky;
use crate::sim::time::Tick;
use crate::sim::world::World;
use crate::store::Snapshot;
use crate::view::{DeliveryRecord, Restored};

use super::digest::Digest;
use super::snapshot::{Remembered, Thawed, thaw};
use super::{Engine, Halted, publication};

/// A state's numbers, and what is in the air.
pub(super) struct Moment<'a> {
    pub world: &'a World,
    pub sky: &'a Sky,
    pub tick: Tick,
    pub digest: Digest,
    pub events_through: u64,
}

/// All but deliveries, past events, sums and the epoch.
pub(super) fn restored(moment: &Moment<'_>, remembered: Remembered) -> Restored {
    let Moment { world, sky, .. } = *moment;
    Restored {
        tick: moment.tick,
        digest: moment.digest,
        epoch: 0,
        grounded: (0..world.drone_count())
            .map(|drone| sky.grounded(DroneId(drone)))
            .collect(),
        airborne: publication::airborne_rows(world, sky),
        routes: publication::routes(
            world,
            sky,
            sky.airborne().map(|airborne| airborne.drone),
            world.time_of(moment.tick),
        ),
        healths: sky.healths().clone(),
        lost_with: publication::lost_with(world, sky, remembered.lost.iter().map(|(drone, _)| *drone)),
        lost: remembered.lost,
        drone_seqs: remembered.drone_seqs,
        hub_queues: remembered.hub_queues,
        hub_seqs: remembered.hub_seqs,
        hubs_closed: remembered.hubs_closed,
        hub_stops: remembered.hub_stops,
        drones_gone: remembered.drones_gone,
        hubs_gone: remembered.hubs_gone,
        supervision: remembered.supervision,
        accounts: remembered.accounts,
        packages: remembered.packages,
        events_through: moment.events_through,
        past_events: Vec::new(),
        recent: Vec::new(),
        records: Vec::new(),
        totals: Vec::new(),
        sums: Vec::new(),
    }
}

impl Engine {
    /// Another scenario's rules from the next tick on, with what became of drones, hubs and the
    /// wind in this one.
    ///
    /// # Errors
    /// Another scenario's drones and hubs.
    pub fn go_on_in(&mut self, scenario: World) -> Result<(), Halted> {
        let mut world = scenario.with_changes(self.world.roster.writes().to_vec())?;
        world.weather.shifts.clone_from(&self.world.weather.shifts);
        self.world = Arc::new(world);
        Ok(())
    }
}

/// The world as it was then, and what a read side begins with. The snapshot has all actors, and
/// the records of all deliveries that went on.
///
/// # Errors
/// A snapshot that cannot be read.
pub fn look(world: Arc<World>, mut snapshot: Snapshot) -> Result<(Arc<World>, Restored), Halted> {
    let records = std::mem::take(&mut snapshot.records);
    let read = records.iter().map(|(_, bytes)| DeliveryRecord::from_bytes(bytes));
    let records: Vec<DeliveryRecord> = read.collect::<Result<_, _>>()?;
    let totals = std::mem::take(&mut snapshot.totals);
    let sums = std::mem::take(&mut snapshot.sums).into_iter();
    let (tick, events_through) = (snapshot.tick, snapshot.events_through);
    let Thawed {
        world,
        sky,
        state,
        remembered,
        ..
    } = thaw(world, snapshot)?;
    let moment = Moment {
        world: &world,
        sky: &sky,
        tick,
        digest: state.digest,
        events_through,
    };
    let restored = Restored {
        records,
        totals,
        sums: sums.map(|row| (row.owner, row.month, row.sums)).collect(),
        ..restored(&moment, remembered)
    };
    Ok((world, restored))
}
