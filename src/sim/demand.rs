//! The scenario's own customers: who asks for what at which tick.
//!
//! A pure function of (world, seed, tick), so it is never journalled.

use std::sync::Arc;

use super::geo::{LatLon, Point};
use super::ids::{DeliveryId, HubId};
use super::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use super::random::{Purpose, Stream};
use super::time::{SimDuration, SimTime, Tick};
use super::world::{Demand, DropoffSpread, PickupAt, Preparation, World};

/// Tries at finding land before a drop-off falls on the area's middle.
const LAND_TRIES: usize = 1_000;

/// The requests that are due in the tick that ends at `tick`, in order.
pub fn arrivals(world: &World, tick: Tick) -> Vec<(DeliveryId, Arc<Order>)> {
    let mut ids = Stream::new(world.seed, tick, Purpose::DeliveryId);
    let born_unix_ms = u64::try_from(world.unix_us(world.time_of(tick)) / 1_000).unwrap_or(0);
    let scripted = scripted(world, tick).map(|order| Arc::new(order.clone()));
    let drawn = world.demand.iter().flat_map(|demand| drawn(world, demand, tick));
    let drawn = drawn.map(Arc::new);
    scripted
        .chain(drawn)
        .map(|order| (DeliveryId::new(born_unix_ms, ids.bytes()), order))
        .collect()
}

fn scripted(world: &World, tick: Tick) -> impl Iterator<Item = &Order> {
    let end = world.time_of(tick);
    let start = world.time_of(tick.saturating_sub(1));
    let first = world.scripted.partition_point(|request| request.at < start);
    let due = world.scripted[first..].iter();
    due.take_while(move |request| request.at < end)
        .map(|request| &request.order)
}

fn drawn(world: &World, demand: &Demand, tick: Tick) -> Vec<Order> {
    let mut stream = Stream::new(world.seed, tick, Purpose::Demand);
    let mean = demand.rate_at(world.time_of(tick)) * world.tick.as_secs();
    let count = stream.poisson(mean);
    let now = world.time_of(tick);
    let mut preparations = Stream::new(world.seed, tick, Purpose::Preparation);
    let prepared = |mut order: Order| {
        if let Some(preparation) = demand.preparation {
            order.not_before = now + draw_preparation(preparation, &mut preparations);
        }
        order
    };
    (0..count)
        .map(|_| draw_order(world, demand, &mut stream))
        .map(prepared)
        .collect()
}

/// Drawn beside the order, so that the same customers order whatever the shops take.
fn draw_preparation(preparation: Preparation, stream: &mut Stream) -> SimDuration {
    let Preparation { median_s, sigma } = preparation;
    SimDuration::from_secs(median_s * libm::exp(sigma * stream.normal()))
}

/// One request as these customers send it.
pub fn draw_order(world: &World, demand: &Demand, stream: &mut Stream) -> Order {
    let (account, pickup) = draw_pickup(world, demand.pickup, stream);
    let dropoff = draw_dropoff(world, demand, pickup, stream);
    let (lightest, heaviest) = demand.payload_kg;
    let weight_kg = stream.uniform_in(lightest, heaviest);
    let expedited = stream.uniform() < demand.expedited;
    Order {
        owner: Owner::account(account),
        pickup: stop(pickup),
        dropoff: stop(dropoff),
        package: Package {
            id: format!("p-{:08x}", stream.below(u32::MAX)),
            size: ContainerSize::Small,
            weight_kg,
            tag: None,
        },
        expedited,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    }
}

fn stop(location: LatLon) -> Stop {
    Stop {
        location,
        altitude_m: 0.0,
    }
}

/// Who sends, and from where: a listed place is a business of that name.
fn draw_pickup(world: &World, at: PickupAt, stream: &mut Stream) -> (String, LatLon) {
    match at {
        PickupAt::Places if !world.places.is_empty() => {
            let place = &world.places[stream.below(world.places.len() as u32) as usize];
            (place.name.clone(), place.location)
        }
        PickupAt::Places | PickupAt::Hub => {
            // Those that operators add are unknown to them, so that these orders stay the same.
            let hubs = world.hubs_of_scenario();
            let hub = &hubs[stream.below(hubs.len() as u32) as usize];
            (hub.name.clone(), hub.location)
        }
    }
}

/// Of those that are not withdrawn.
pub fn nearest_hub(world: &World, at: Point) -> HubId {
    let numbered = (0..).map(HubId).zip(&world.hubs);
    let open = numbered.filter(|(hub, _)| !world.roster.is_hub_withdrawn(*hub));
    let nearest = open.min_by(|a, b| a.1.at.distance(at).total_cmp(&b.1.at.distance(at)));
    nearest.map_or(HubId(0), |(hub, _)| hub)
}

/// What the scenario's customers ask for at this moment near each hub, requests a second.
pub fn near_hubs(world: &World, now: SimTime) -> Vec<f64> {
    let mut rates = vec![0.0; world.hubs.len()];
    let Some(demand) = &world.demand else { return rates };
    let at_places = demand.pickup == PickupAt::Places && !world.places.is_empty();
    let pickups: Vec<LatLon> = match at_places {
        true => world.places.iter().map(|place| place.location).collect(),
        false => world.hubs_of_scenario().iter().map(|hub| hub.location).collect(),
    };
    let each = demand.rate_at(now) / pickups.len() as f64;
    for pickup in pickups {
        rates[nearest_hub(world, world.area.point(pickup)).index()] += each;
    }
    rates
}

/// Where one of these customers wants it, who has it picked up there.
pub fn draw_dropoff(world: &World, demand: &Demand, pickup: LatLon, stream: &mut Stream) -> LatLon {
    match demand.dropoff {
        DropoffSpread::Points if !demand.dropoff_points.is_empty() => {
            demand.dropoff_points[stream.below(demand.dropoff_points.len() as u32) as usize]
        }
        DropoffSpread::Places if !world.places.is_empty() => {
            world.places[stream.below(world.places.len() as u32) as usize].location
        }
        DropoffSpread::Area => draw_spot(world, demand, pickup, stream, |_| true),
        DropoffSpread::Land | DropoffSpread::Places | DropoffSpread::Points => {
            draw_spot(world, demand, pickup, stream, |at| world.area.is_land(at))
        }
    }
}

/// Anywhere in the area, or as near to the pick-up as the customers are; where nothing that fits
/// is found, in the middle of that.
fn draw_spot(
    world: &World,
    demand: &Demand,
    pickup: LatLon,
    stream: &mut Stream,
    fits: impl Fn(LatLon) -> bool,
) -> LatLon {
    let bounds = &world.area.bounds;
    match demand.within_m {
        None => (0..LAND_TRIES)
            .map(|_| bounds.at(stream.uniform(), stream.uniform()))
            .find(|at| fits(*at))
            .unwrap_or(bounds.middle()),
        Some(within_m) => (0..LAND_TRIES)
            .map(|_| draw_near(world, pickup, within_m, stream))
            .find(|at| bounds.contains(*at) && fits(*at))
            .unwrap_or(pickup),
    }
}

/// Evenly over a disc.
fn draw_near(world: &World, middle: LatLon, radius_m: f64, stream: &mut Stream) -> LatLon {
    let away_m = radius_m * stream.uniform().sqrt();
    let (sin, cos) = libm::sincos(std::f64::consts::TAU * stream.uniform());
    let middle = world.area.point(middle);
    world.area.frame.to_latlon(Point {
        x: middle.x + away_m * sin,
        y: middle.y + away_m * cos,
    })
}

impl Demand {
    /// Requests per second at this moment: the rate times the profile's factor.
    pub fn rate_at(&self, at: SimTime) -> f64 {
        let after = self.profile.partition_point(|(time, _)| *time <= at);
        let factor = match (
            after.checked_sub(1).map(|i| &self.profile[i]),
            self.profile.get(after),
        ) {
            (None, None) => 1.0,
            (None, Some((_, factor))) | (Some((_, factor)), None) => *factor,
            (Some((t0, f0)), Some((t1, f1))) => {
                f0 + (f1 - f0) * at.since(*t0).as_secs() / t1.since(*t0).as_secs()
            }
        };
        self.rate_per_s * factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_linear_between_its_points_and_holds_outside() {
        let demand = Demand {
            rate_per_s: 2.0,
            profile: vec![(SimTime::from_secs(60.0), 0.5), (SimTime::from_secs(120.0), 1.5)],
            pickup: PickupAt::Hub,
            preparation: None,
            dropoff: DropoffSpread::Area,
            dropoff_points: Vec::new(),
            within_m: None,
            payload_kg: (0.1, 1.0),
            expedited: 0.0,
        };
        let rate = |secs| demand.rate_at(SimTime::from_secs(secs));
        assert_eq!(
            [rate(0.0), rate(60.0), rate(90.0), rate(120.0), rate(9e9)],
            [1.0, 1.0, 2.0, 3.0, 3.0]
        );
    }

    /// The two percentiles that were asked for, of twenty thousand draws.
    #[test]
    fn preparation_times_have_the_median_and_the_percentile_that_were_asked_for() {
        let preparation = Preparation::of(360.0, 900.0);
        let mut stream = Stream::new(1, 1, Purpose::Preparation);
        let mut times: Vec<f64> = (0..20_000)
            .map(|_| draw_preparation(preparation, &mut stream).as_secs())
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        assert!((times[10_000] / 360.0 - 1.0).abs() < 0.02, "{}", times[10_000]);
        assert!((times[19_000] / 900.0 - 1.0).abs() < 0.03, "{}", times[19_000]);
    }
}
