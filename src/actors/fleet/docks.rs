//! Docked drones and the hubs' chargers.
//!
//! A charging drone's energy follows from when it was plugged in, so nothing here changes
//! while it charges. Drones of one type charge along one curve: who is full first is the
//! fullest now.

mod changes;
mod counts;
mod lending;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::actors::{Context, Effect, Effects, Mail};
use crate::sim::ageing::Healths;
use crate::sim::energy;
use crate::sim::fleet_index::Pair;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{Battery, Fleet, World};

use super::FleetMessage;
use super::memo::Memo;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Docks {
    /// By pair: plugged-in and full drones by the time when they are full.
    ready: Vec<BTreeSet<(SimTime, DroneId)>>,
    plugged: BTreeMap<DroneId, Plug>,
    hubs: Vec<Chargers>,
    /// By pair; follows from the world, kept so that it is made once.
    #[serde(skip)]
    sites: Vec<Site>,
    /// Hubs whose queues have changed with the message that is being dealt with.
    #[serde(skip)]
    changed: BTreeSet<HubId>,
    /// Pairs with other drones, or other batteries, than when that was last asked.
    #[serde(skip)]
    altered: Memo<BTreeSet<usize>>,
    /// Of all drones' batteries, as the sky tells; kept here since charging goes by it.
    #[serde(skip)]
    pub(super) healths: Healths,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Site {
    hub: HubId,
    battery: Battery,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Plug {
    pair: usize,
    since: SimTime,
    energy_wh: f64,
    full_at: SimTime,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Chargers {
    in_use: u32,
    /// First come, first plugged in.
    queue: VecDeque<Queued>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Queued {
    drone: DroneId,
    pair: usize,
    energy_wh: f64,
}

/// A drone that is not docked any more.
pub(super) struct Released {
    pub drone: DroneId,
    pub energy_wh: f64,
    /// The pair of the drone that got its charger.
    pub plugged_in_next: Option<usize>,
}

impl Docks {
    pub fn new(world: &World, aloft: &[DroneId]) -> Self {
        let mut docks = Docks {
            ready: Vec::new(),
            plugged: BTreeMap::new(),
            hubs: Vec::new(),
            sites: Vec::new(),
            changed: BTreeSet::new(),
            altered: Memo::default(),
            healths: Healths::at_start(world),
        };
        docks.grow(world);
        let aloft: BTreeSet<DroneId> = aloft.iter().copied().collect();
        let mut first = 0;
        for fleet in &world.fleets {
            let drones = (first..first + fleet.count).map(DroneId);
            docks.take_in(world, fleet, drones.filter(|drone| !aloft.contains(drone)));
            first += fleet.count;
        }
        docks
    }

    /// Makes room for all pairs and hubs of the world, which may have become more, and makes
    /// again what follows from it.
    pub fn grow(&mut self, world: &World) {
        let pairs = world.pairs().all();
        let site = |pair: &Pair| Site {
            hub: pair.hub,
            battery: world.model(pair.model).battery,
        };
        let known = self.sites.len();
        self.sites.extend(pairs[known..].iter().map(site));
        self.ready.resize(pairs.len(), BTreeSet::new());
        self.hubs.resize(world.hubs.len(), Chargers::default());
    }

    /// Docks drones of this fleet with full batteries; answers with their pair.
    pub fn take_in(&mut self, world: &World, fleet: &Fleet, drones: impl Iterator<Item = DroneId>) -> usize {
        let pair = world.pairs().number_of(Pair::of(fleet));
        let pair = pair.expect("pairs are made from the fleets");
        self.ready[pair].extend(drones.map(|drone| (SimTime::START, drone)));
        self.altered.0.insert(pair);
        pair
    }

    /// The one that a charger makes full for this drone.
    pub fn battery_of(&self, pair: usize, drone: DroneId) -> Battery {
        self.healths.charged(&self.sites[pair].battery, drone)
    }

    /// Whether who is full first is the fullest now, among those of the pair who charge or are full.
    fn charge_alike(&self, pair: usize) -> bool {
        self.healths.all_new() || self.sites[pair].battery.swap_s.is_some()
    }

    /// Those among whom the fullest is who charge or are full: the first, where they charge alike.
    fn fullest_of(&self, pair: usize, at_most: usize) -> impl Iterator<Item = DroneId> + '_ {
        let looked_at = match self.charge_alike(pair) {
            true => at_most,
            false => usize::MAX,
        };
        let ready = self.ready[pair].iter().take(looked_at);
        ready.map(|(_, drone)| *drone)
    }

    /// The drone of the pair with the most energy, and how much that is, in watt-hours.
    pub fn fullest(&self, pair: usize, now: SimTime) -> Option<(DroneId, f64)> {
        let plugged_or_full = self
            .fullest_of(pair, 1)
            .map(|drone| (drone, self.energy_wh(pair, drone, now)));
        let queued = self.hubs[self.sites[pair].hub.index()].queue.iter();
        let queued = queued
            .filter(|queued| queued.pair == pair)
            .map(|queued| (queued.drone, queued.energy_wh));
        plugged_or_full
            .chain(queued)
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    /// What each of the pair's fullest drones holds, at most so many of them, the fullest first.
    pub fn energies_wh(&self, pair: usize, at_most: usize, now: SimTime) -> Vec<f64> {
        let ready = self.fullest_of(pair, at_most);
        let ready = ready.map(|drone| self.energy_wh(pair, drone, now));
        let queued = self.hubs[self.sites[pair].hub.index()].queue.iter();
        let queued = queued.filter(|queued| queued.pair == pair);
        let mut energies: Vec<f64> = ready.chain(queued.map(|queued| queued.energy_wh)).collect();
        energies.sort_by(|a, b| b.total_cmp(a));
        energies.truncate(at_most);
        energies
    }

    /// When one of the pair's drones holds this much, and so many others do before; `None` while
    /// nobody is plugged in who ever will. Whenever it is asked, that is the same time, or now.
    pub fn ready_at(&self, pair: usize, need_wh: f64, behind: usize, now: SimTime) -> Option<SimTime> {
        if self.sites[pair].battery.swap_s.is_some() {
            let (full_at, _) = self.ready[pair].iter().nth(behind)?;
            return Some(now.max(*full_at));
        }
        let ready = self.fullest_of(pair, behind + 1);
        let mut ready: Vec<SimTime> = ready
            .filter_map(|drone| self.holds_at(pair, drone, need_wh))
            .collect();
        ready.sort_unstable();
        // Who waits for a charger holds what it holds.
        let queued = self.hubs[self.sites[pair].hub.index()].queue.iter();
        let suffices = |queued: &&Queued| queued.pair == pair && queued.energy_wh >= need_wh;
        let behind = behind.saturating_sub(queued.filter(suffices).take(behind).count());
        ready.get(behind).map(|at| now.max(*at))
    }

    /// When this one does, which is plugged in or full.
    fn holds_at(&self, pair: usize, drone: DroneId, need_wh: f64) -> Option<SimTime> {
        let battery = self.battery_of(pair, drone);
        if need_wh > battery.capacity_wh {
            return None;
        }
        let Some(plug) = self.plugged.get(&drone) else {
            return Some(SimTime::START);
        };
        let charges_s = energy::time_to_reach(&battery, plug.energy_wh, need_wh);
        Some(plug.since + SimDuration::from_secs(charges_s))
    }

    /// One that is docked.
    pub fn holds_wh(&self, pair: usize, drone: DroneId, now: SimTime) -> f64 {
        let mut queue = self.hubs[self.sites[pair].hub.index()].queue.iter();
        let queued = queue.find(|queued| queued.drone == drone);
        queued.map_or_else(|| self.energy_wh(pair, drone, now), |queued| queued.energy_wh)
    }

    fn energy_wh(&self, pair: usize, drone: DroneId, now: SimTime) -> f64 {
        let battery = self.battery_of(pair, drone);
        match self.plugged.get(&drone) {
            // It has none for the time being.
            Some(plug) if battery.swap_s.is_some() && now < plug.full_at => 0.0,
            Some(plug) => energy::energy_after(&battery, plug.energy_wh, now.since(plug.since).as_secs()),
            None => battery.capacity_wh,
        }
    }

    /// A drone has landed: it is plugged in, or waits for a charger.
    pub fn dock(
        &mut self,
        context: &Context,
        pair: usize,
        drone: DroneId,
        energy_wh: f64,
        effects: &mut Effects,
    ) {
        let queued = Queued {
            drone,
            pair,
            energy_wh,
        };
        let hub = self.sites[pair].hub;
        self.hubs[hub.index()].queue.push_back(queued);
        self.altered.0.insert(pair);
        self.plug_in_next(context, hub, effects);
        self.changed.insert(hub);
    }

    /// The drone of the pair with the least energy that suffices leaves for a mission, so
    /// that fuller ones stay for longer missions. Its charger goes to the next in the
    /// queue, whose pair is answered too.
    pub fn release(
        &mut self,
        context: &Context,
        pair: usize,
        need_wh: f64,
        effects: &mut Effects,
    ) -> Option<Released> {
        self.altered.0.insert(pair);
        if let Some(entry) = self.least_sufficient(pair, need_wh, context.now) {
            self.ready[pair].remove(&entry);
            let (_, drone) = entry;
            return Some(Released {
                drone,
                energy_wh: self.energy_wh(pair, drone, context.now),
                plugged_in_next: self.unplug(context, drone, effects),
            });
        }
        let (drone, energy_wh) = self.fullest(pair, context.now)?;
        let hub = self.sites[pair].hub;
        self.hubs[hub.index()]
            .queue
            .retain(|queued| queued.drone != drone);
        self.changed.insert(hub);
        Some(Released {
            drone,
            energy_wh,
            plugged_in_next: None,
        })
    }

    /// Among plugged-in and full drones: who is full last has the least, where they charge alike.
    fn least_sufficient(&self, pair: usize, need_wh: f64, now: SimTime) -> Option<(SimTime, DroneId)> {
        if !self.charge_alike(pair) {
            let holds_wh = |entry: &&(SimTime, DroneId)| self.energy_wh(pair, entry.1, now);
            let enough = self.ready[pair].iter().filter(|entry| holds_wh(entry) >= need_wh);
            return enough.min_by(|a, b| holds_wh(a).total_cmp(&holds_wh(b))).copied();
        }
        let to_full = energy::time_to_full(&self.sites[pair].battery, need_wh);
        let latest = (now + SimDuration::from_secs(to_full), DroneId(u32::MAX));
        let mut sufficient = self.ready[pair].range(..=latest).rev();
        // At the very limit rounding decides; the next is fuller by more than that.
        sufficient
            .find(|(_, drone)| self.energy_wh(pair, *drone, now) >= need_wh)
            .copied()
    }

    /// A drone is full, unless it has left since: its charger goes to the next, whose pair
    /// is answered.
    pub fn charged(
        &mut self,
        context: &Context,
        drone: DroneId,
        since: SimTime,
        effects: &mut Effects,
    ) -> Option<usize> {
        self.plugged.get(&drone).filter(|plug| plug.since == since)?;
        self.unplug(context, drone, effects)
    }

    /// Lets go of a drone for good. Answers whether it was docked, and with the pair of the drone
    /// that got its charger.
    pub fn remove(
        &mut self,
        context: &Context,
        pair: usize,
        drone: DroneId,
        effects: &mut Effects,
    ) -> (bool, Option<usize>) {
        self.altered.0.insert(pair);
        let full_at = self.plugged.get(&drone).map(|plug| plug.full_at);
        let ready = &mut self.ready[pair];
        let entry = match full_at {
            Some(full_at) => Some((full_at, drone)),
            None => ready.iter().find(|(_, other)| *other == drone).copied(),
        };
        if let Some(entry) = entry {
            ready.remove(&entry);
            return (true, self.unplug(context, drone, effects));
        }
        let hub = self.sites[pair].hub;
        let queue = &mut self.hubs[hub.index()].queue;
        let before = queue.len();
        queue.retain(|queued| queued.drone != drone);
        let was_queued = queue.len() < before;
        if was_queued {
            self.changed.insert(hub);
        }
        (was_queued, None)
    }

    /// Lets go of all who are docked at a hub, for good; answers who they were.
    pub fn empty(&mut self, hub: HubId, effects: &mut Effects) -> Vec<DroneId> {
        let mut drones = Vec::new();
        for (site, ready) in self.sites.iter().zip(&mut self.ready) {
            if site.hub == hub {
                drones.extend(std::mem::take(ready).into_iter().map(|(_, drone)| drone));
            }
        }
        let mut freed = 0;
        for drone in &drones {
            if self.plugged.remove(drone).is_some() {
                effects.0.push(Effect::Charge(*drone, false));
                freed += 1;
            }
        }
        // What is lent to guests they keep until they can fly home.
        let chargers = &mut self.hubs[hub.index()];
        chargers.in_use = chargers.in_use.saturating_sub(freed);
        drones.extend(chargers.queue.drain(..).map(|queued| queued.drone));
        if !drones.is_empty() {
            self.changed.insert(hub);
        }
        drones
    }

    fn unplug(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) -> Option<usize> {
        let plug = self.plugged.remove(&drone)?;
        let hub = self.sites[plug.pair].hub;
        self.hubs[hub.index()].in_use -= 1;
        effects.0.push(Effect::Charge(drone, false));
        let next = self.plug_in_next(context, hub, effects);
        self.changed.insert(hub);
        next
    }

    /// Gives a free charger to the first in the queue; answers with that drone's pair.
    fn plug_in_next(&mut self, context: &Context, hub: HubId, effects: &mut Effects) -> Option<usize> {
        let chargers = &mut self.hubs[hub.index()];
        if chargers.in_use >= context.world.hub(hub).chargers {
            return None;
        }
        let Queued {
            drone,
            pair,
            energy_wh,
        } = chargers.queue.pop_front()?;
        chargers.in_use += 1;
        let battery = self.battery_of(pair, drone);
        let missing = energy::time_to_reach(&battery, energy_wh, battery.capacity_wh);
        let since = context.now;
        let full_at = since + SimDuration::from_secs(missing);
        let plug = Plug {
            pair,
            since,
            energy_wh,
            full_at,
        };
        self.plugged.insert(drone, plug);
        self.ready[pair].insert((full_at, drone));
        self.altered.0.insert(pair);
        effects.0.push(Effect::Charge(drone, true));
        effects.wake_at(full_at, Mail::Fleet(FleetMessage::Charged { drone, since }));
        Some(pair)
    }
}
