//! Ground stops: weather that a type may not fly in keeps it on the ground, whether it is forecast
//! or was seen of late.
//!
//! Of a hub's type, where it is that bad over the hub; of an order, where it is on its way.

use super::super::air::Air;
use super::super::flight::Errand;
use super::super::geo::Point;
use super::super::ids::ModelId;
use super::super::order::Order;
use super::super::time::SimTime;
use super::super::weather::{Breach, Limits};
use super::super::world::{Model, World};
use super::errand;

/// Where weather differs by place, a way is looked at in so many parts.
const PARTS_OF_WAY: u32 = 8;

/// What of the weather keeps the type from the errand. Ways are taken as straight: zones are
/// small beside weather cells.
pub fn breach(model: &Model, air: &Air<'_>, errand: &Errand) -> Option<Breach> {
    let limits = &model.limits;
    if *limits == Limits::NONE {
        return None;
    }
    let at_hub = air.breach(limits, errand.hub);
    if air.is_uniform() || at_hub.is_some() {
        return at_hub;
    }
    let stops = [errand.hub, errand.pickup, errand.dropoff, errand.home];
    let mut ways = stops.windows(2);
    ways.find_map(|way| on_way(limits, air, way[0], way[1]))
}

/// The same of one way without an errand.
pub fn on_way(limits: &Limits, air: &Air<'_>, from: Point, to: Point) -> Option<Breach> {
    (0..=PARTS_OF_WAY).find_map(|part| {
        let share = f64::from(part) / f64::from(PARTS_OF_WAY);
        let at = Point {
            x: from.x + share * (to.x - from.x),
            y: from.y + share * (to.y - from.y),
        };
        air.breach(limits, at)
    })
}

/// Whether it is the weather alone that every drone waits for.
pub fn waits_for_weather(world: &World, now: SimTime, order: &Order) -> bool {
    let pairs = world.pairs();
    let air = world.air(now);
    let in_service = |index: &usize| pairs.in_service(*index) > 0;
    let is_kept = |index: usize| {
        let pair = pairs.get(index);
        breach(world.model(pair.model), &air, &errand(world, pair.hub, order)).is_some()
    };
    let mut indices = (0..pairs.len()).filter(in_service).peekable();
    indices.peek().is_some() && indices.all(is_kept)
}

impl World {
    /// By hub: types that the weather over it keeps there, and why.
    pub fn ground_stops(&self, now: SimTime) -> Vec<Vec<(ModelId, Breach)>> {
        let air = self.air(now);
        let mut stops = vec![Vec::new(); self.hubs.len()];
        for (index, pair) in self.pairs().all().iter().enumerate() {
            let breach = air.breach(&self.model(pair.model).limits, self.hub(pair.hub).at);
            let is_flown = self.pairs().in_service(index) > 0;
            stops[pair.hub.index()].extend(breach.filter(|_| is_flown).map(|breach| (pair.model, breach)));
        }
        stops
    }
}
