//! The fleet's state as snapshots before format 7 hold it: pads were promised by time, and who
//! waited for one on the ground was in the sky. And what format 7 has for older programs alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;

use crate::sim::drone::Task;
use crate::sim::flight::FlightPlan;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::separation::Intents;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::World;

use super::Fleet;
use super::board::Board;
use super::docks::{Docks, Plug, Queued};
use super::guests::Guests;
use super::pads::{Claim, HubPads, Pads};
use super::promises::Kept;
use super::queue::QueueBefore7;
use super::roster::Gone;
use super::rounds::Rounds;

/// What older programs kept of how their hubs' quotes had held, in another way: means by hub, and
/// when flights should be at the door. It is begun anew.
#[derive(Deserialize)]
struct HistoriesBefore7(
    #[expect(dead_code, reason = "read over")] Vec<f64>,
    #[expect(dead_code, reason = "read over")] BTreeMap<DroneId, (HubId, SimTime)>,
);

#[derive(Deserialize)]
pub struct FleetBefore7 {
    docks: DocksBefore7,
    queue: QueueBefore7,
    next_offer: Vec<Option<SimTime>>,
    closed: BTreeMap<HubId, SimTime>,
    kept: BTreeMap<DeliveryId, KeptBefore7>,
    gone: Gone,
    rounds: Rounds,
    pads: Vec<HubPadsBefore7>,
    intents: Intents,
    #[expect(dead_code, reason = "read over")]
    histories: HistoriesBefore7,
    guests: Guests,
}

#[derive(Deserialize)]
struct DocksBefore7 {
    ready: Vec<BTreeSet<(SimTime, DroneId)>>,
    plugged: BTreeMap<DroneId, Plug>,
    hubs: Vec<ChargersBefore7>,
}

#[derive(Deserialize)]
struct ChargersBefore7 {
    in_use: u32,
    queue: VecDeque<Queued>,
    seq: u32,
}

#[derive(Deserialize)]
struct KeptBefore7 {
    drone: DroneId,
    pair: usize,
    energy_wh: f64,
    task: Task,
    _pickup_s: f64,
    _delivery_s: f64,
    plan: FlightPlan,
}

#[derive(Deserialize)]
struct HubPadsBefore7 {
    free_at: Vec<SimTime>,
    landing: BTreeMap<DroneId, u32>,
    _promised: BTreeSet<(SimTime, u32)>,
    holding: BTreeMap<DroneId, HoldingBefore7>,
    _departing: BTreeSet<(SimTime, DroneId)>,
    beside: u32,
}

#[derive(Deserialize)]
struct HoldingBefore7 {
    place: u8,
    until: SimTime,
    descent_s: f64,
}

impl HubPadsBefore7 {
    fn now(self) -> HubPads {
        let holders = self.holding.into_iter();
        let holders = holders.map(|(drone, held)| (drone, held.place, held.until, held.descent_s));
        HubPads::restored(self.free_at, self.landing, holders, self.beside)
    }
}

impl FleetBefore7 {
    pub fn now(self, world: &World, now: SimTime) -> Fleet {
        let seqs = self.docks.hubs.iter().map(|hub| hub.seq).collect();
        let hubs = self.docks.hubs.into_iter().map(|hub| (hub.in_use, hub.queue));
        let mut fleet = Fleet {
            board: Board::restored(seqs),
            docks: Docks::restored(self.docks.ready, self.docks.plugged, hubs),
            queue: self.queue.now(),
            next_offer: self.next_offer,
            closed: self.closed,
            kept: BTreeMap::new(),
            gone: self.gone,
            rounds: self.rounds,
            pads: Pads::restored(self.pads.into_iter().map(HubPadsBefore7::now).collect()),
            intents: self.intents,
            history: Default::default(),
            guests: self.guests,
            positioning: Default::default(),
            planned_anew: Default::default(),
            offers: Default::default(),
        }
        .with_world(world, now);
        for (id, before) in self.kept {
            let hub = world.pairs().get(before.pair).hub;
            let kept = Kept {
                drone: before.drone,
                pair: before.pair,
                energy_wh: before.energy_wh,
                task: before.task,
                plan: before.plan,
                since: now,
                turn: fleet.pads.of_mut(hub).join(Claim::Mission(id)),
                put_off: SimDuration::ZERO,
                grounded_until: None,
                told: None,
            };
            let takes = kept.on_pad();
            fleet.pads.of_mut(hub).will_take(kept.turn, takes);
            fleet.kept.insert(id, kept);
        }
        fleet.note_what_is_known(world, now);
        fleet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{id, order, world};
    use crate::sim::dispatch;

    #[test]
    fn a_fleet_of_format_6_goes_on_with_those_who_hold_and_those_who_are_kept() {
        let world = world(3, 3);
        let (hub, now) = (HubId(0), SimTime::from_secs(100.0));
        let order = order(&world);
        let pair = world.pairs().get(0);
        let plan = dispatch::mission(&world, now, pair, &order).unwrap().plan;
        let task = Task::of(&world, id(1), &order);
        let none = Vec::<()>::new;
        let docks = (
            vec![vec![(SimTime::START, DroneId(0))]],
            none(),
            vec![(0_u32, none(), 5_u32)],
        );
        let queue = (none(), none(), 0_u64);
        let kept = (DroneId(1), 0_usize, 90.0_f64, task, 60.0_f64, 120.0_f64, plan);
        let kept = BTreeMap::from([(id(1), kept)]);
        let holding = BTreeMap::from([(DroneId(2), (4_u8, SimTime::from_secs(700.0), 18.0_f64))]);
        let free_at = vec![SimTime::from_secs(130.0)];
        let promised = vec![(SimTime::from_secs(130.0), 0_u32)];
        let pads = vec![(free_at, none(), promised, holding, none(), 2_u32)];
        let (gone, rounds) = ((none(), none()), (None::<SimTime>, none()));
        let (intents, history) = (none(), (vec![0.0_f64], none()));
        let rest = (kept, gone, rounds, pads, intents, history, none());
        let mut bytes = postcard::to_stdvec(&(docks, queue, vec![None::<SimTime>], none())).unwrap();
        bytes.extend(postcard::to_stdvec(&rest).unwrap());

        let before: FleetBefore7 = postcard::from_bytes(&bytes).unwrap();
        let fleet = before.now(&world, now);
        assert_eq!(fleet.hub_seqs().next(), Some((hub, 5)));
        let (_, queues) = fleet.hub_queues().next().unwrap();
        assert_eq!((queues.holding, queues.departing, queues.beside_pads), (1, 0, 2));
        assert_eq!(fleet.approaching().collect::<Vec<_>>(), [(hub, DroneId(2))]);
        assert_eq!(fleet.kept().collect::<Vec<_>>(), [(id(1), DroneId(1), false)]);
        let line = fleet.pads.of(hub).line();
        let line: Vec<Claim> = line.map(|(_, claim)| claim).collect();
        assert_eq!(line, [Claim::Landing, Claim::Mission(id(1))]);
        let saved = postcard::to_stdvec(&fleet).unwrap();
        let read: Fleet = postcard::from_bytes(&saved).unwrap();
        assert_eq!(read.with_world(&world, now), fleet);
    }
}
