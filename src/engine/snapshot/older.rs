//! What snapshots of older formats lack: read as if it had always been there, and empty.

use serde::Deserialize;

use crate::actors::Mail;
use crate::actors::delivery::{Delivery, DeliveryBefore3};
use crate::actors::drone::Drone;
use crate::actors::fleet::{Fleet, FleetBefore7};
use crate::actors::scheduler::{Scheduler, SchedulerBefore3};
use crate::sim::separation::Separation;
use crate::sim::sky::{Few, Sky, SkyBefore5};
use crate::sim::time::SimTime;
use crate::sim::weather::Shift;
use crate::sim::world::World;

use super::EngineState;
use crate::engine::Halted;

pub(super) enum SavedSky {
    Now(Sky),
    Before5(SkyBefore5),
}

/// With its format. Before format 4 nobody added or withdrew anything, and before format 6 nobody
/// looked at separation, limped or was in trouble, and the wind did not shift; before format 7 no
/// battery was worn. The last fields tell of these; a list of none, and a count of none, is all
/// zeros. Before format 5 the sky had no gusts.
pub(super) fn engine_of(mut state: Vec<u8>) -> Result<(u8, EngineState<SavedSky, Mail>), postcard::Error> {
    let format = state.first().copied().unwrap_or_default();
    let of_6 = postcard::to_stdvec(&(Separation::default(), Few::default(), Vec::<Shift>::new()))?;
    let unknown = usize::from(format < 4) + if format < 6 { of_6.len() } else { 0 } + usize::from(format < 7);
    state.resize(state.len() + unknown, 0);
    Ok(match format {
        ..5 => postcard::from_bytes::<(u8, EngineState<SkyBefore5, Outdated>)>(&state)
            .map(|(format, state)| (format, state.with_sky(SavedSky::Before5)))?,
        5..7 => postcard::from_bytes::<(u8, EngineState<Sky, Outdated>)>(&state)
            .map(|(format, state)| (format, state.with_sky(SavedSky::Now)))?,
        7.. => postcard::from_bytes::<(u8, EngineState<Sky, Mail>)>(&state)
            .map(|(format, state)| (format, state.with_sky(SavedSky::Now)))?,
    })
}

/// Mail of formats before 7, which knew not how drones moved. There is none but after a tick of
/// more rounds than are usual by far; a snapshot with some is refused.
#[derive(Deserialize)]
enum Outdated {}

impl From<Outdated> for Mail {
    fn from(none: Outdated) -> Mail {
        match none {}
    }
}

impl<S, M: Into<Mail>> EngineState<S, M> {
    fn with_sky(self, of: impl Fn(S) -> SavedSky) -> EngineState<SavedSky, Mail> {
        EngineState {
            digest: self.digest,
            admitted_through: self.admitted_through,
            demand: self.demand,
            wakes: self.wakes,
            carried: self.carried.into_iter().map(Into::into).collect(),
            sky: of(self.sky),
            roster: self.roster,
            separation: self.separation,
            few: self.few,
            shifts: self.shifts,
            healths: self.healths,
        }
    }
}

/// Format 1 knew no closed hubs, formats before 3 no drones that are kept for who has not begun,
/// those before 4 no drones and hubs that are gone, those before 5 no rounds (none is due,
/// nobody waits for one), and those before 6 no pads, no intents, no history (of two lists) and no
/// guests, which were a fleet's last eleven fields before format 7; a list of none is a zero.
pub(super) fn fleet_of(
    format: u8,
    mut state: Vec<u8>,
    world: &World,
    now: SimTime,
) -> Result<Fleet, postcard::Error> {
    let unknown = match format {
        ..=1 => 11,
        2 => 10,
        3 => 9,
        4 => 7,
        5 => 5,
        6 => 0,
        7.. => return Ok(postcard::from_bytes::<Fleet>(&state)?.with_world(world, now)),
    };
    state.resize(state.len() + unknown, 0);
    Ok(postcard::from_bytes::<FleetBefore7>(&state)?.now(world, now))
}

/// Before format 6 no hub had a history, and no drone a refuge, waited for the weather, or limped,
/// and before format 7 none was stationed anywhere, which are its last five fields.
pub(super) fn drone_of(format: u8, mut state: Vec<u8>) -> Result<Drone, postcard::Error> {
    let unknown = 4 * usize::from(format < 6) + usize::from(format < 7);
    state.resize(state.len() + unknown, 0);
    postcard::from_bytes(&state)
}

/// Before format 3 nobody but a drone carried anything.
pub(super) fn delivery_of(format: u8, state: &[u8]) -> Result<Delivery, postcard::Error> {
    match format {
        ..3 => postcard::from_bytes::<DeliveryBefore3>(state).map(Delivery::from),
        3.. => postcard::from_bytes(state),
    }
}

/// Before format 5 nobody knew what customers had been told, which is its last field; a list of
/// none is a zero.
pub(super) fn scheduler_of(format: u8, mut state: Vec<u8>) -> Result<Scheduler, Halted> {
    state.resize(state.len() + usize::from((3..5).contains(&format)), 0);
    match format {
        ..3 => postcard::from_bytes::<SchedulerBefore3>(&state)?
            .idle()
            .ok_or(Halted::Unfinished),
        3.. => Ok(postcard::from_bytes::<Scheduler>(&state)?.counted()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::FORMAT;
    use super::*;
    use crate::actors::scheduler::SchedulerMessage;
    use crate::actors::testing::{Bench, id, order, world};
    use crate::engine::{Engine, headless};
    use crate::sim::ageing::Healths;

    #[test]
    fn a_scheduler_that_knew_not_what_was_told_goes_on_with_its_workflows() {
        let mut bench = Bench::new(world(1, 1), |_| Scheduler::default());
        let order = Arc::new(order(&bench.context.world));
        bench.tell(SchedulerMessage::Admit { id: id(1), order });
        let mut before_5 = postcard::to_stdvec(&bench.role).unwrap();
        assert_eq!(before_5.pop(), Some(0), "nothing was told");
        for format in [3, 4] {
            let read = scheduler_of(format, before_5.clone()).unwrap();
            assert_eq!(read, bench.role);
        }
        before_5.push(0);
        assert_eq!(scheduler_of(FORMAT, before_5).unwrap(), bench.role);
    }

    #[actix::test]
    async fn before_format_7_no_battery_was_worn() {
        let mut world = world(3, 1);
        world.models[0].battery.cycles_to_80 = Some(300.0);
        world.fleets[0].cycles = (30.0, 60.0);
        let mut now = saved(world.clone()).await;
        let (format, state) = engine_of(now.clone()).unwrap();
        assert_eq!((format, state.healths), (FORMAT, Healths::at_start(&world)));
        world.fleets[0].cycles = (0.0, 0.0);
        now = saved(world).await;
        assert_eq!(now.pop(), Some(0), "none is worn");
        now[0] = 6;
        let (format, state) = engine_of(now).unwrap();
        assert_eq!((format, state.healths), (6, Healths::default()));
    }

    /// The engine's part of a snapshot of a world that has not begun.
    async fn saved(world: World) -> Vec<u8> {
        let mut engine = Engine::genesis(Arc::new(world), 1, headless::arbiters(1)).unwrap();
        engine.snapshot().await.unwrap().engine
    }
}
