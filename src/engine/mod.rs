//! The tick: admit, fly, decide, and what comes out of it.
//!
//! [`Engine::tick`] is all there is to time passing in the world; pace, commit and
//! publication are apart from it ([`live`], [`headless`]), so they cannot change results.

mod admission;
pub mod audit;
pub mod cast;
pub mod controls;
pub mod digest;
mod faults;
pub mod genesis;
pub mod headless;
pub mod inbox;
pub mod live;
pub mod look;
pub mod metrics;
pub mod pace;
pub mod publication;
mod reading;
pub mod recovery;
mod roster;
mod separation;
pub mod snapshot;
pub mod telemetry;
mod wakes;
pub mod witness;
pub mod writes;

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::sync::Arc;

use actix::ArbiterHandle;
use serde::Serialize;

use crate::actors::drone::{DroneMessage, Purpose};
use crate::actors::fleet::FleetMessage;
use crate::actors::scheduler::SchedulerMessage;
use crate::actors::{Address, Context, Effect, Mail};
use crate::sim::actor::Actor;
use crate::sim::command::{Command, Decision, Objection, ReplyTo};
use crate::sim::demand;
use crate::sim::event::{Etas, Event};
use crate::sim::flight::Milestone;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::notice::Notice;
use crate::sim::separation::Separation;
use crate::sim::sky::{FlightEvent, FlightEventKind, Sky};
use crate::sim::time::Tick;
use crate::sim::world::World;

pub use admission::Admission;
use cast::Cast;
use digest::Digest;
use faults::{Broken, inject, make_good};
use telemetry::{Phase, PhaseTimes, Stopwatch};
use wakes::Wakes;

/// Rounds in one tick; mail that is left waits for the next.
pub const ROUNDS: usize = 64;

/// The world cannot go on. What is committed is safe.
#[derive(Debug, thiserror::Error)]
pub enum Halted {
    #[error("the actor {who:?} failed: {cause}")]
    Actor { who: Address, cause: String },
    #[error("the store ended: {0}")]
    Store(#[from] crate::store::StoreError),
    #[error(
        "an older program left requests that wait for a drone; let it bring them to an end, or start over with --fresh"
    )]
    Unfinished,
    #[error("a snapshot cannot be read: {0}")]
    Snapshot(#[from] postcard::Error),
    #[error("a snapshot's drones and hubs do not fit this world: {0}")]
    Roster(#[from] Objection),
    #[error("the thread pool cannot be made: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Halted {
    fn gone(who: Address) -> Self {
        Halted::Actor {
            who,
            cause: "it is gone".to_owned(),
        }
    }
}

pub struct Engine {
    world: Arc<World>,
    /// Whether the scenario's own customers order.
    demand: bool,
    pool: Option<rayon::ThreadPool>,
    sky: Sky,
    separation: Separation,
    cast: Cast,
    wakes: Wakes,
    carried: Vec<Mail>,
    tick: Tick,
    digest: Digest,
    admitted_through: u64,
    /// Number of the last event: events are numbered from 1 through all ticks. It follows
    /// from the events, so it is not under the digest.
    events_through: u64,
}

/// What one tick did.
pub struct Outcome {
    pub tick: Tick,
    pub digest: Digest,
    pub events: Vec<Event>,
    /// The same as they stand in the journal.
    pub event_bytes: Vec<u8>,
    /// Drones whose record on the ground changed.
    pub grounded: Vec<DroneId>,
    /// Drones whose battery is of another health, and of which.
    pub healths: Vec<(DroneId, f64)>,
    /// Drones that got a flight plan.
    pub planned: Vec<DroneId>,
    pub rounds: usize,
    pub carried_over: usize,
    /// What was decided about commands whose senders wait.
    pub replies: Vec<(ReplyTo, Decision)>,
    /// What people asked to be told.
    pub notices: Vec<Notice>,
    /// Who panicked over a message.
    pub panics: Vec<Actor>,
    pub times: PhaseTimes,
}

/// What the rounds of one tick brought about.
#[derive(Default)]
struct Decided {
    events: Vec<Event>,
    grounded: Vec<DroneId>,
    healths: Vec<(DroneId, f64)>,
    planned: BTreeSet<DroneId>,
    replies: Vec<(ReplyTo, Decision)>,
    notices: Vec<Notice>,
    panics: Vec<Actor>,
    rounds: usize,
    /// Zones came or went.
    air_changed: bool,
    /// The names of those that came.
    laid: Vec<String>,
}

impl Engine {
    /// A world before its first tick.
    ///
    /// # Errors
    /// No threads to be had.
    pub fn genesis(world: Arc<World>, threads: usize, arbiters: Vec<ArbiterHandle>) -> Result<Self, Halted> {
        let (sky, roles) = genesis::sky_and_roles(&world);
        Ok(Engine {
            world,
            demand: true,
            pool: pool(threads)?,
            sky,
            separation: Separation::default(),
            cast: Cast::start(arbiters, roles),
            wakes: Wakes::default(),
            carried: Vec::new(),
            tick: 0,
            digest: digest::GENESIS,
            admitted_through: 0,
            events_through: 0,
        })
    }

    /// Lets one tick of simulated time pass, and admits these commands in it.
    ///
    /// # Errors
    /// An actor that failed; the engine is of no use then.
    pub async fn tick(&mut self, admission: Admission) -> Result<Outcome, Halted> {
        let mut watch = Stopwatch::start();
        self.tick += 1;
        let now = self.world.time_of(self.tick);
        let mut mail = std::mem::take(&mut self.carried);
        self.admitted_through = self.admitted_through.max(admission.through);
        let mut decided = Decided::default();
        let Broken {
            in_flight,
            panics,
            winds,
        } = self.admit(admission, &mut mail, &mut decided);
        for (shift, reply_to) in winds {
            self.shift_wind(shift, reply_to, &mut decided);
        }
        mail.extend(self.wakes.due(now));
        self.close_ways(now, &decided.laid, &mut mail);
        if decided.air_changed || self.air_changes(now) {
            // Whatever else the fleet decides in this tick, it does so in this air.
            mail.insert(0, Mail::Fleet(FleetMessage::AirChanged));
        }
        watch.lap(Phase::Admit);

        let flight_events = self.sky.step(&self.world, now, self.pool.as_ref());
        for event in flight_events {
            self.tell_drone(event, &mut mail, &mut decided);
        }
        self.keep_apart(now, &mut mail);
        // Who has landed or fallen by now does not break in the air any more.
        mail.extend(in_flight);
        for (victim, reply_to) in panics {
            self.poison(victim, reply_to, &mut mail, &mut decided);
        }
        watch.lap(Phase::Fly);

        let context = Arc::new(Context {
            world: Arc::clone(&self.world),
            tick: self.tick,
            now,
        });
        self.decide(&context, mail, &mut decided).await?;
        watch.lap(Phase::Decide);

        self.events_through += decided.events.len() as u64;
        let event_bytes = encode(&decided.events);
        self.digest = digest::chain(&self.digest, self.tick, &event_bytes, self.sky.fingerprints());
        watch.lap(Phase::Digest);
        Ok(Outcome {
            tick: self.tick,
            digest: self.digest,
            events: decided.events,
            event_bytes,
            grounded: decided.grounded,
            healths: decided.healths,
            planned: decided.planned.into_iter().collect(),
            rounds: decided.rounds,
            carried_over: self.carried.len(),
            replies: decided.replies,
            notices: decided.notices,
            panics: decided.panics,
            times: watch.times(),
        })
    }

    /// Outside requests in journal order, then the scenario's own. Answers with what breaks in flight.
    fn admit(&mut self, admission: Admission, mail: &mut Vec<Mail>, decided: &mut Decided) -> Broken {
        let (mut faults, mut alone) = (Broken::default(), Vec::new());
        let admit = |(id, order): (DeliveryId, _)| Mail::Scheduler(SchedulerMessage::Admit { id, order });
        for (reply_to, command) in admission.numbered() {
            match command {
                // A client's own id can be taken by two requests at once, or by one and the carrier.
                Command::RequestDelivery { id, .. } if self.cast.is_alive(Address::Delivery(id)) => {}
                Command::RequestDelivery { id, order, .. } => mail.push(admit((id, order))),
                Command::CarryByThirdParty(id, order) => {
                    let order = Some(order).filter(|_| !self.cast.is_alive(Address::Delivery(id)));
                    alone.push(admission::carry_alone(id, order, reply_to));
                }
                Command::SetDemand(on) => self.demand = on,
                Command::Inject(fault) => inject(fault, reply_to, mail, &mut faults),
                Command::Roster(write) => self.change_roster(write, reply_to, mail, decided),
                other => mail.extend(admission::mail_of(other, reply_to)),
            }
        }
        mail.extend(alone);
        for fault in self.world.faults_due(self.tick) {
            inject(fault, ReplyTo::NOBODY, mail, &mut faults);
        }
        if self.demand {
            mail.extend(demand::arrivals(&self.world, self.tick).into_iter().map(admit));
        }
        faults
    }

    fn tell_drone(&self, event: FlightEvent, mail: &mut Vec<Mail>, decided: &mut Decided) {
        let message = match event.kind {
            FlightEventKind::Reached(Milestone::PickedUp) => DroneMessage::PickedUp,
            FlightEventKind::Reached(Milestone::Delivered) => DroneMessage::Delivered,
            FlightEventKind::Reached(Milestone::OverHub) => DroneMessage::OverHub,
            FlightEventKind::Reached(Milestone::Landed) => return,
            FlightEventKind::Landed(log) => {
                let grounded = self
                    .sky
                    .grounded(event.drone)
                    .expect("who has landed is on the ground");
                decided.grounded.push(event.drone);
                if self.sky.health(event.drone) < 1.0 {
                    self.tell_health(event.drone, mail, decided);
                }
                DroneMessage::Landed {
                    hub: grounded.hub,
                    log,
                    energy_left_wh: grounded.energy_wh,
                }
            }
            FlightEventKind::LowBattery => DroneMessage::LowBattery,
            FlightEventKind::Exhausted { at, log } | FlightEventKind::SetDown { at, log } => {
                DroneMessage::Down {
                    at: self.world.area.frame.to_latlon(at),
                    log,
                }
            }
            FlightEventKind::WeatherAlarm(breach) => DroneMessage::WeatherAlarm { breach },
            FlightEventKind::EtaMoved { pickup, delivery } => {
                DroneMessage::EtaMoved(Etas { pickup, delivery })
            }
        };
        mail.push(Mail::Drone(event.drone, message));
    }

    /// Whoever charges it, and whoever looks at it, must know.
    fn tell_health(&self, drone: DroneId, mail: &mut Vec<Mail>, decided: &mut Decided) {
        let health = self.sky.health(drone);
        mail.push(Mail::Fleet(FleetMessage::Worn { drone, health }));
        decided.healths.push((drone, health));
    }

    /// Rounds until no mail is left, or the tick's share of them is used up.
    async fn decide(
        &mut self,
        context: &Arc<Context>,
        mut mail: Vec<Mail>,
        decided: &mut Decided,
    ) -> Result<(), Halted> {
        while !mail.is_empty() && decided.rounds < ROUNDS {
            decided.rounds += 1;
            // Stable: within an address, mail stays in the order of its senders.
            mail.sort_by_key(Mail::to);
            let answers = self.cast.ask(context, std::mem::take(&mut mail)).await?;
            for effect in answers.effects.into_iter().flat_map(|effects| effects.0) {
                self.carry_out(context, effect, &mut mail, decided);
            }
            mail.extend(answers.undeliverable.into_iter().filter_map(Mail::redirected));
            for (who, panicked) in answers.panics {
                make_good(context, who, panicked, &mut mail, &mut self.wakes, decided);
            }
        }
        self.carried = mail;
        Ok(())
    }

    fn carry_out(&mut self, context: &Context, effect: Effect, mail: &mut Vec<Mail>, decided: &mut Decided) {
        match effect {
            Effect::Send(next) => mail.push(next),
            Effect::Emit(event) => decided.events.push(event),
            Effect::Fly(drone, plan) => {
                decided.grounded.push(drone);
                decided.planned.insert(drone);
                if let Err(discontinuous) = self.sky.fly(&self.world, drone, plan, context.now) {
                    tracing::error!(%drone, %discontinuous, "a flight plan was refused");
                }
            }
            Effect::MakeWay(drone, pair, plan) => self.make_way(context, drone, pair, plan, decided),
            Effect::Decline(drone, conflict) => self.ask_other(drone, &conflict, decided, mail),
            Effect::PutOff(delay) => self.separation.put_off(delay),
            Effect::Locate(drone, purpose) => {
                mail.push(Mail::Drone(drone, self.located(drone, purpose)));
            }
            Effect::Feel(drone, trouble) => {
                let felt = self.sky.felt(&self.world, drone, context.now);
                let around = self.sky.fix(drone).zip(felt);
                mail.push(Mail::Drone(drone, DroneMessage::Felt { around, trouble }));
            }
            Effect::Break(drone, fault) => self.break_down(context, drone, fault, mail, decided),
            Effect::Charge(drone, charging) => {
                let health = self.sky.health(drone);
                self.sky.set_charging(&self.world, drone, charging, context.now);
                decided.grounded.push(drone);
                if self.sky.health(drone) != health {
                    self.tell_health(drone, mail, decided);
                }
            }
            Effect::Retire(drone) => {
                self.sky.retire(drone);
                decided.grounded.push(drone);
            }
            Effect::Notify(notice) => decided.notices.push(notice),
            Effect::Reply(to, decision) => decided.replies.push((to, decision)),
            Effect::WakeAt(at, mail) => self.wakes.set(at, mail),
            Effect::Start(id, delivery) => self.cast.start_delivery(id, *delivery),
            Effect::End(id) => self.cast.end_delivery(id),
        }
    }

    fn located(&self, drone: DroneId, purpose: Purpose) -> DroneMessage {
        let fix = self.sky.fix(drone);
        match fix.zip(self.sky.handover_left_s(drone)) {
            Some((fix, left_s)) => DroneMessage::LocatedAtHandover { fix, left_s, purpose },
            None => DroneMessage::Located { fix, purpose },
        }
    }
}

fn pool(threads: usize) -> Result<Option<rayon::ThreadPool>, Halted> {
    if threads < 2 {
        return Ok(None);
    }
    let named = rayon::ThreadPoolBuilder::new().thread_name(|index| format!("sky-{index}"));
    Ok(Some(named.num_threads(threads).build()?))
}

/// Events as they stand in the journal and under the digest.
pub fn encode<E: Borrow<Event> + Serialize>(events: &[E]) -> Vec<u8> {
    postcard::to_stdvec(events).expect("events hold only plain values, which always serialise")
}
