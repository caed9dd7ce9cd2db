//! What a new forecast, or a zone, makes of who waits: who may go now, and which types may not.

use crate::sim::event::HubEvent;
use crate::sim::ids::{HubId, ModelId};
use crate::sim::time::SimTime;
use crate::sim::weather::Breach;

use super::{Context, Effects, Fleet, Mail, SchedulerMessage};

impl Fleet {
    pub(super) fn air_changed(&mut self, context: &Context, effects: &mut Effects) {
        let stops_changed = self.tell_ground_stops(context, effects);
        self.queue.revise_all(&context.world, context.now);
        for pair in 0..context.world.pairs().len() {
            self.offer(context, pair, effects);
        }
        if stops_changed {
            // What they wait for may be another thing now.
            for id in self.queue.ids() {
                effects.send(Mail::Scheduler(SchedulerMessage::Queued { id }));
            }
        }
    }

    /// Those that began or ended with this tick; whether there were any.
    fn tell_ground_stops(&mut self, context: &Context, effects: &mut Effects) -> bool {
        let world = &context.world;
        let before = SimTime(context.now.0.saturating_sub(world.tick.0.max(1)));
        let mut any = false;
        for hub in (0..world.hubs.len()).map(|index| HubId(index as u16)) {
            let (was, is) = (
                world.ground_stops(hub, before),
                world.ground_stops(hub, context.now),
            );
            for event in differences(&was, &is) {
                any = true;
                self.docks.tell(context, hub, event, effects);
            }
        }
        any
    }
}

fn differences(was: &[(ModelId, Breach)], is: &[(ModelId, Breach)]) -> Vec<HubEvent> {
    let mut events = Vec::new();
    for &(model, breach) in is.iter().filter(|stop| !was.contains(stop)) {
        events.push(HubEvent::GroundStopped { model, breach });
    }
    let flies = |(model, _): &&(ModelId, Breach)| is.iter().all(|(stopped, _)| stopped != model);
    for &(model, _) in was.iter().filter(flies) {
        events.push(HubEvent::GroundStopLifted { model });
    }
    events
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::Effect;
    use crate::actors::fleet::FleetMessage;
    use crate::actors::testing::{self, Bench, events, id, order, sent};
    use crate::sim::dispatch::{is_servable, mission, waits_for_weather};
    use crate::sim::event::Happening;
    use crate::sim::fleet_index::Pair;
    use crate::sim::weather::{Change, FORECAST_EVERY, Field, Grid, Weather};
    use crate::sim::world::World;

    const WING: Pair = Pair {
        hub: HubId(0),
        model: ModelId(0),
    };

    /// The bench's hub has one type.
    fn stormy(rain: Field<f64>, wind_mps: f64) -> World {
        let mut world = testing::world(1, 1);
        assert_eq!(world.pairs().all(), [WING]);
        world.weather = Weather {
            rain,
            ..Weather::steady(wind_mps, 0.0, 1.225)
        };
        world
    }

    #[test]
    fn a_type_stays_on_the_ground_in_weather_that_it_may_not_fly_in_and_its_orders_wait() {
        let soon_dry = Change {
            at: SimTime(FORECAST_EVERY.0),
            values: vec![0.0],
        };
        let world = stormy(Field::new(20.0, vec![soon_dry], Grid::WHOLE), 3.0);
        let order = order(&world);
        let (wet, dry) = (SimTime::START, SimTime(FORECAST_EVERY.0));
        assert_eq!(world.ground_stops(HubId(0), wet), [(ModelId(0), Breach::Rain)]);
        assert!(mission(&world, wet, WING, &order).is_none());
        assert!(waits_for_weather(&world, wet, &order));
        assert!(is_servable(&world, wet, &order), "in other weather");
        assert!(world.ground_stops(HubId(0), dry).is_empty());
        assert!(mission(&world, dry, WING, &order).is_some());
        assert!(!waits_for_weather(&world, dry, &order));
    }

    #[test]
    fn a_gale_is_waited_for_too_even_where_no_plan_exists_in_it() {
        let world = stormy(Field::uniform(0.0), 40.0);
        let order = order(&world);
        assert_eq!(
            world.ground_stops(HubId(0), SimTime::START),
            [(ModelId(0), Breach::Wind)]
        );
        assert!(is_servable(&world, SimTime::START, &order));
    }

    #[test]
    fn rain_on_the_way_keeps_those_whose_way_it_is_on() {
        let mut world = testing::world(1, 1);
        let middle = world.area.point(order(&world).pickup.location);
        let grid = Grid {
            west_m: middle.x - 1_500.0,
            south_m: middle.y - 200_000.0,
            cell_width_m: 1_000.0,
            cell_height_m: 400_000.0,
            columns: 3,
            rows: 1,
        };
        let showers = Change {
            at: SimTime::START,
            values: vec![0.0, 30.0, 0.0],
        };
        world.weather.mean = Field::new((0.0, 0.0), Vec::new(), grid);
        world.weather.rain = Field::new(0.0, vec![showers], grid);
        let order = order(&world);
        assert!(world.ground_stops(HubId(0), SimTime::START).is_empty());
        assert!(mission(&world, SimTime::START, WING, &order).is_none());
        let mut around = order.clone();
        around.pickup = around.dropoff;
        assert!(mission(&world, SimTime::START, WING, &around).is_some());
    }

    #[test]
    fn the_hub_says_when_a_type_stays_and_when_it_may_go_and_those_who_wait_are_served() {
        let wet = Change {
            at: SimTime(FORECAST_EVERY.0),
            values: vec![20.0],
        };
        let dry = Change {
            at: SimTime(2 * FORECAST_EVERY.0),
            values: vec![0.0],
        };
        let world = stormy(Field::new(0.0, vec![wet, dry], Grid::WHOLE), 3.0);
        let mut bench = Bench::new(world, |world| Fleet::new(world, &[]));
        let told = |effects: &[Effect]| -> Vec<HubEvent> {
            let of_hub = |(_, happening): (u32, &Happening)| match happening {
                Happening::Hub(_, event) => Some(event.clone()),
                _ => None,
            };
            events(effects).into_iter().filter_map(of_hub).collect()
        };
        let (model, breach) = (ModelId(0), Breach::Rain);
        bench.wait(600.0);
        let effects = bench.tell(FleetMessage::AirChanged);
        assert_eq!(told(&effects), [HubEvent::GroundStopped { model, breach }]);
        let order = Arc::new(order(&bench.context.world));
        bench.tell(FleetMessage::Assign { id: id(1), order });
        bench.wait(600.0);
        let effects = bench.tell(FleetMessage::AirChanged);
        assert!(told(&effects).contains(&HubEvent::GroundStopLifted { model }));
        let is_served = |mail: &&Mail| matches!(mail, Mail::Scheduler(SchedulerMessage::Assigned { .. }));
        assert!(sent(&effects).iter().any(is_served));
    }
}
