//! What becomes of who waits when the air changes: with a new forecast, with what stations or
//! drones have seen, with a zone. Who may go now, and which types may not.
//!
//! A drone that has met weather in the air counts as a station that has looked, until stations look
//! again: types that may not fly in it stay at the hubs of its cell. Which do stands on the board.

use crate::sim::geo::Point;
use crate::sim::ids::{HubId, ModelId};
use crate::sim::time::SimTime;
use crate::sim::weather::{self, Breach, Conditions};

use super::{Context, Effects, Fleet, FleetMessage, Mail, SchedulerMessage};

/// So many requests that wait for a drone are held against another air in one tick.
const AT_ONCE: usize = 512;

impl Fleet {
    /// Who has a drone that has not left, and who waits for one, is looked at as many at a time as a
    /// tick bears.
    pub(super) fn air_changed(&mut self, context: &Context, effects: &mut Effects) {
        self.revise_stops(context, effects);
        self.plan_all_anew(context, effects);
        self.queue.doubt_all();
        self.revise_requests(context, effects);
    }

    /// Stations have looked, after drones had met weather.
    pub(super) fn looked(&mut self, context: &Context, effects: &mut Effects) {
        for hub in self.revise_stops(context, effects) {
            self.serve(context, hub, effects);
        }
    }

    /// By what is forecast and was seen; answers where a type may go again. What drones have met
    /// stands until stations look.
    fn revise_stops(&mut self, context: &Context, effects: &mut Effects) -> Vec<HubId> {
        let (world, now) = (&context.world, context.now);
        let before = world.time_of(context.tick.saturating_sub(1));
        let have_looked = weather::is_looked(before, now);
        let mut freed = Vec::new();
        for (hub, mut stops) in world.hub_ids().zip(world.ground_stops(now)) {
            let is_new = |stop: &&(ModelId, Breach)| stops.iter().all(|(model, _)| *model != stop.0);
            let gone: Vec<_> = self.board.stops(hub).iter().filter(is_new).copied().collect();
            match have_looked {
                true if !gone.is_empty() => freed.push(hub),
                true => {}
                false => stops.extend(gone),
            }
            self.board.set_stops(context, hub, stops, effects);
        }
        freed
    }

    /// A drone in the air has met this there.
    pub(super) fn hear_of_weather(
        &mut self,
        context: &Context,
        at: Point,
        met: &Conditions,
        effects: &mut Effects,
    ) {
        let (world, cell) = (&context.world, context.world.weather.cell_of(at));
        let mut is_news = false;
        for hub in world.hub_ids() {
            if world.weather.cell_of(world.hub(hub).at) != cell {
                continue;
            }
            let mut stops = self.board.stops(hub).to_vec();
            let known = stops.len();
            for pair in world
                .pairs()
                .of_hub(hub)
                .filter(|pair| !self.board.is_stopped(hub, pair.model))
            {
                let breach = world.model(pair.model).limits.broken_by(met);
                stops.extend(breach.map(|breach| (pair.model, breach)));
            }
            if stops.len() > known {
                is_news = true;
                self.board.set_stops(context, hub, stops, effects);
                self.expect_anew(context, hub, effects);
            }
        }
        if is_news {
            effects.wake_at(weather::next_look(context.now), Mail::Fleet(FleetMessage::Looked));
        }
    }

    /// Until when the weather over a hub keeps a type there, as far as the board says.
    pub(super) fn stopped_until(&self, hub: HubId, model: ModelId, now: SimTime) -> Option<SimTime> {
        let is_stopped = self.board.is_stopped(hub, model);
        is_stopped.then(|| weather::next_look(now))
    }

    /// Unless some were revised in this tick, for the air has changed once more: whoever did that
    /// has asked for the next, and one chain of them is enough.
    pub(super) fn revise_more(&mut self, context: &Context, effects: &mut Effects) {
        if !self.queue.was_revised_at(context.now) {
            self.revise_requests(context, effects);
        }
    }

    fn revise_requests(&mut self, context: &Context, effects: &mut Effects) {
        let revised = self.queue.revise(&context.world, context.now, AT_ONCE);
        for id in revised.into_iter().filter(|id| self.rounds.is_told(*id)) {
            // What it waits for may be another thing now.
            effects.send(Mail::Scheduler(SchedulerMessage::Queued { id }));
        }
        for pair in 0..context.world.pairs().len() {
            self.offer(context, pair, effects);
        }
        if self.queue.is_doubtful() {
            effects.wake_at(context.now, Mail::Fleet(FleetMessage::Revise));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::Effect;
    use crate::actors::fleet::FleetMessage;
    use crate::actors::testing::{self, Bench, alarms, events, id, order, sent};
    use crate::sim::dispatch::{is_servable, mission, waits_for_weather};
    use crate::sim::event::{Happening, HubEvent};
    use crate::sim::fleet_index::Pair;
    use crate::sim::ids::ModelId;
    use crate::sim::time::SimTime;
    use crate::sim::weather::{Breach, Change, FORECAST_EVERY, Field, Grid, Weather};
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
        assert_eq!(world.ground_stops(wet), [[(ModelId(0), Breach::Rain)]]);
        assert!(mission(&world, wet, WING, &order).is_none());
        assert!(waits_for_weather(&world, wet, &order));
        assert!(is_servable(&world, wet, &order), "in other weather");
        assert!(world.ground_stops(dry)[0].is_empty());
        assert!(mission(&world, dry, WING, &order).is_some());
        assert!(!waits_for_weather(&world, dry, &order));
    }

    #[test]
    fn a_gale_is_waited_for_too_even_where_no_plan_exists_in_it() {
        let world = stormy(Field::uniform(0.0), 40.0);
        let order = order(&world);
        assert_eq!(world.ground_stops(SimTime::START), [[(ModelId(0), Breach::Wind)]]);
        assert!(is_servable(&world, SimTime::START, &order));
    }

    #[test]
    fn weather_that_nobody_forecast_keeps_those_on_the_ground_who_have_not_met_it_yet() {
        let at = |seconds: f64| SimTime::from_secs(seconds);
        let values = |rain_mmph: f64| vec![rain_mmph];
        let cloudburst = [(59.9, 0.0), (60.0, 30.0), (90.0, 30.0), (90.1, 0.0)];
        let changes = cloudburst.map(|(seconds, rain_mmph)| Change {
            at: at(seconds),
            values: values(rain_mmph),
        });
        let world = stormy(Field::new(0.0, changes.to_vec(), Grid::WHOLE), 3.0);
        let order = order(&world);
        let stays = |seconds: f64| mission(&world, at(seconds), WING, &order).is_none();
        assert_eq!(
            [59.0, 61.0, 95.0, 239.0, 241.0].map(stays),
            [false, true, true, true, false]
        );
        let limits = || world.models.iter().map(|model| &model.limits);
        let changes = |before, now| world.weather.observations_change(limits(), at(before), at(now));
        assert!(changes(59.9, 60.0) && !changes(60.0, 60.1) && !changes(89.9, 90.0));
        assert!(changes(239.9, 240.0), "they may go");
        assert!(!world.weather.forecast_changes(world.seed, at(0.0), at(599.0)));
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
        assert!(world.ground_stops(SimTime::START)[0].is_empty());
        assert!(mission(&world, SimTime::START, WING, &order).is_none());
        let mut around = order.clone();
        around.pickup = around.dropoff;
        assert!(mission(&world, SimTime::START, WING, &around).is_some());
    }

    #[test]
    fn however_often_the_air_changes_a_tick_revises_once() {
        let mut bench = Bench::new(stormy(Field::uniform(20.0), 3.0), |world| Fleet::new(world, &[]));
        let order = Arc::new(order(&bench.context.world));
        for number in 0..4 * AT_ONCE as u64 {
            let (world, now) = (&bench.context.world, bench.context.now);
            bench.role.queue.push(id(number), Arc::clone(&order), world, now);
        }
        let revisions = |effects: &[Effect]| {
            let all = alarms(effects).into_iter();
            all.filter(|(_, mail)| matches!(mail, Mail::Fleet(FleetMessage::Revise)))
                .count()
        };
        assert_eq!(revisions(&bench.tell(FleetMessage::AirChanged)), 1);
        bench.wait(0.1);
        assert_eq!(revisions(&bench.tell(FleetMessage::AirChanged)), 1);
        assert!(bench.tell(FleetMessage::Revise).is_empty(), "the one from before");
        let mut ticks = 0;
        while bench.role.queue.is_doubtful() {
            bench.wait(0.1);
            bench.tell(FleetMessage::Revise);
            ticks += 1;
        }
        assert_eq!(ticks, 3);
    }

    #[test]
    fn the_hub_says_when_a_type_stays_and_when_it_may_go_and_those_who_wait_are_served() {
        let rain = [(599.9, 0.0), (600.0, 20.0), (1_199.9, 20.0), (1_200.0, 0.0)];
        let changes = rain.map(|(seconds, rain_mmph)| Change {
            at: SimTime::from_secs(seconds),
            values: vec![rain_mmph],
        });
        let world = stormy(Field::new(0.0, changes.to_vec(), Grid::WHOLE), 3.0);
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
        assert_eq!(told(&effects), [], "it has only just stopped");
        bench.wait(120.0);
        let effects = bench.tell(FleetMessage::AirChanged);
        assert!(told(&effects).contains(&HubEvent::GroundStopLifted { model }));
        let is_served = |mail: &&Mail| matches!(mail, Mail::Scheduler(SchedulerMessage::Assigned { .. }));
        assert!(sent(&effects).iter().any(is_served));
    }
}
