//! What follows from a world's fleets: the fleet of each drone, and the (hub, type) pairs that
//! dispatch chooses among. Made at the first look; a copy of the world makes its own, since its
//! fleets may be changed.

use std::sync::OnceLock;

use super::ids::{DroneId, HubId, ModelId};
use super::world::{Fleet, World};

#[derive(Debug, Default)]
pub struct FleetIndex {
    /// The number of each drone's fleet.
    by_drone: OnceLock<Box<[u32]>>,
    pairs: OnceLock<Pairs>,
}

impl Clone for FleetIndex {
    fn clone(&self) -> Self {
        FleetIndex::default()
    }
}

/// A hub and a drone type at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub hub: HubId,
    pub model: ModelId,
}

impl Pair {
    pub fn of(fleet: &Fleet) -> Self {
        Pair {
            hub: fleet.hub,
            model: fleet.model,
        }
    }
}

/// The pairs that a world's fleets make up, each once. A pair's number never changes: those of
/// the scenario's fleets come first, in order, then the others as their fleets came.
#[derive(Debug, Default)]
pub struct Pairs {
    all: Vec<Pair>,
    /// So many of them are the scenario's.
    in_order: usize,
    /// By pair: drones that nobody has withdrawn.
    in_service: Vec<u32>,
}

impl Pairs {
    fn of(world: &World) -> Self {
        let (first, added) = world.fleets.split_at(world.roster.fleets_of_scenario(world));
        let mut all: Vec<Pair> = first.iter().map(Pair::of).collect();
        all.sort_unstable();
        all.dedup();
        let mut pairs = Pairs {
            in_order: all.len(),
            all,
            in_service: Vec::new(),
        };
        for fleet in added {
            if pairs.number_of(Pair::of(fleet)).is_none() {
                pairs.all.push(Pair::of(fleet));
            }
        }
        pairs.in_service = pairs.count_in_service(world);
        pairs
    }

    fn count_in_service(&self, world: &World) -> Vec<u32> {
        let mut in_service = vec![0; self.all.len()];
        let number = |fleet: &Fleet| self.number_of(Pair::of(fleet));
        for fleet in &world.fleets {
            if let Some(pair) = number(fleet).filter(|_| !world.roster.is_hub_withdrawn(fleet.hub)) {
                in_service[pair] += fleet.count;
            }
        }
        for drone in world.roster.drones_withdrawn() {
            let fleet = world.fleet_of(drone);
            let fleet = fleet.filter(|fleet| !world.roster.is_hub_withdrawn(fleet.hub));
            if let Some(pair) = fleet.and_then(number) {
                in_service[pair] -= 1;
            }
        }
        in_service
    }

    pub fn all(&self) -> &[Pair] {
        &self.all
    }

    pub fn get(&self, number: usize) -> Pair {
        self.all[number]
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn number_of(&self, pair: Pair) -> Option<usize> {
        let (in_order, added) = self.all.split_at(self.in_order);
        let found = in_order.binary_search(&pair).ok();
        let later = || added.iter().position(|other| *other == pair);
        found.or_else(|| later().map(|place| place + self.in_order))
    }

    /// Those of a hub.
    pub fn of_hub(&self, hub: HubId) -> impl Iterator<Item = &Pair> + '_ {
        let (in_order, added) = self.all.split_at(self.in_order);
        let first = in_order.partition_point(|pair| pair.hub < hub);
        let here = in_order[first..].iter().take_while(move |pair| pair.hub == hub);
        here.chain(added.iter().filter(move |pair| pair.hub == hub))
    }

    /// Drones of the pair that nobody has withdrawn, wherever they are.
    pub fn in_service(&self, number: usize) -> u32 {
        self.in_service[number]
    }
}

impl World {
    pub fn drone_count(&self) -> u32 {
        self.fleets.iter().map(|fleet| fleet.count).sum()
    }

    /// The fleet that a drone belongs to; asked for every airborne drone at every tick.
    pub fn fleet_of(&self, drone: DroneId) -> Option<&Fleet> {
        let by_drone = self.fleet_index.by_drone.get_or_init(|| {
            let numbered = (0..).zip(&self.fleets);
            numbered
                .flat_map(|(number, fleet)| (0..fleet.count).map(move |_| number))
                .collect()
        });
        let number = by_drone.get(drone.index())?;
        self.fleets.get(*number as usize)
    }

    pub fn pairs(&self) -> &Pairs {
        self.fleet_index.pairs.get_or_init(|| Pairs::of(self))
    }
}
