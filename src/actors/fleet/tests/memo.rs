//! A fleet that remembers whom it saves drones for, beside one that works it out with each message.

use std::collections::BTreeSet;

use super::*;
use crate::sim::ids::DeliveryId;
use crate::sim::random::{Purpose, Stream};
use crate::sim::roster::{Change, RosterWrite};

const DRONES: u32 = 12;
const MESSAGES: usize = 1_200;

/// What a crowded hour brings: more is asked for than can be flown, far trips among it.
struct Hour {
    stream: Stream,
    aloft: Vec<DroneId>,
    asked: u64,
    served: BTreeSet<DeliveryId>,
    reminders: Vec<(SimTime, FleetMessage)>,
    /// The only one whose battery is.
    worn: Option<DroneId>,
    joined: u32,
    left: u32,
}

impl Hour {
    fn one_of(&mut self, count: usize) -> usize {
        (self.stream.uniform() * count as f64) as usize
    }

    /// What it is to be reminded of by now comes first.
    fn next(&mut self, bench: &mut Bench<Fleet>) -> FleetMessage {
        self.reminders.sort_by_key(|(at, _)| *at);
        if self
            .reminders
            .first()
            .is_some_and(|(at, _)| *at <= bench.context.now)
        {
            return self.reminders.remove(0).1;
        }
        match self.one_of(24) {
            0..10 => self.request(bench),
            10..16 if !self.aloft.is_empty() => self.landing(bench),
            16 => FleetMessage::AirChanged,
            17 => FleetMessage::Close {
                hub: saved::FERRY,
                duration: SimDuration::from_secs(90.0),
                reply_to: ReplyTo(1),
            },
            18 | 19 => self.wear(),
            20 => self.joining(bench),
            21 => self.leaving(bench),
            _ => FleetMessage::Withdraw {
                id: id(self.stream.uniform_in(0.0, self.asked as f64) as u64),
            },
        }
    }

    fn request(&mut self, bench: &Bench<Fleet>) -> FleetMessage {
        let mut order = order(&bench.context.world);
        if self.one_of(3) == 0 {
            order = Order::clone(&claims::far(bench));
        }
        order.expedited = self.one_of(8) == 0;
        self.asked += 1;
        FleetMessage::Assign {
            id: id(self.asked),
            order: Arc::new(order),
        }
    }

    /// All charge alike, and do not, by turns.
    fn wear(&mut self) -> FleetMessage {
        let (drone, health) = match self.worn.take() {
            Some(drone) => (drone, 1.0),
            None => (DroneId(self.one_of(DRONES as usize) as u32), 0.9),
        };
        self.worn = (health < 1.0).then_some(drone);
        FleetMessage::Worn { drone, health }
    }

    /// Of the type that is there, or of one that none of the hub's drones has had before.
    fn joining(&mut self, bench: &mut Bench<Fleet>) -> FleetMessage {
        let model = ["wing", "m600"][self.one_of(2)].to_owned();
        let hub = [HUB, saved::FERRY][self.one_of(2)];
        let first = DroneId(bench.context.world.drone_count());
        self.joined += 1;
        changed(bench, Change::AddDrones { hub, model, count: 1 });
        FleetMessage::Joined { first, count: 1 }
    }

    fn leaving(&mut self, bench: &mut Bench<Fleet>) -> FleetMessage {
        let world = &bench.context.world;
        let drone = DroneId(self.one_of(world.drone_count() as usize) as u32);
        if world.is_withdrawn(drone) {
            return FleetMessage::AirChanged;
        }
        self.left += 1;
        self.aloft.retain(|other| *other != drone);
        changed(bench, Change::WithdrawDrone(drone));
        FleetMessage::Leave { drone }
    }

    fn landing(&mut self, bench: &Bench<Fleet>) -> FleetMessage {
        let landed = self.one_of(self.aloft.len());
        let drone = self.aloft.swap_remove(landed);
        let hub = bench.context.world.fleet_of(drone).unwrap().hub;
        FleetMessage::Docked {
            drone,
            hub,
            energy_wh: bench.capacity_wh() * self.stream.uniform_in(0.2, 0.6),
        }
    }

    fn hears(&mut self, effects: Vec<Effect>) {
        for mail in sent(&effects) {
            // Who asks for what it has been given hears of it again.
            if let Mail::Scheduler(SchedulerMessage::Assigned { id, drone, .. }) = mail
                && self.served.insert(*id)
            {
                self.aloft.push(*drone);
            }
        }
        let own = alarms(&effects).into_iter().filter_map(|(at, mail)| match mail {
            Mail::Fleet(message) => Some((at, message.clone())),
            _ => None,
        });
        self.reminders.extend(own);
    }
}

fn changed(bench: &mut Bench<Fleet>, change: Change) {
    let write = RosterWrite {
        change,
        idempotency_key: None,
    };
    let mut world = crate::sim::world::World::clone(&bench.context.world);
    world.change(write);
    bench.context.world = Arc::new(world);
}

/// It has nothing of what is remembered.
fn copied(bench: &Bench<Fleet>) -> Bench<Fleet> {
    Bench {
        role: bench.role.clone(),
        context: bench.context.clone(),
    }
}

#[test]
fn what_it_remembers_is_what_it_would_work_out_anew() {
    let aloft: Vec<DroneId> = (0..DRONES).map(DroneId).collect();
    let mut bench = Bench::new(saved::two_hubs(), |world| Fleet::new(world, &aloft));
    let mut hour = Hour {
        stream: Stream::new(11, 0, Purpose::Aloft),
        aloft,
        asked: 0,
        served: BTreeSet::new(),
        reminders: Vec::new(),
        worn: None,
        joined: 0,
        left: 0,
    };
    let (mut saved_for, mut stood) = (0, 0);
    for number in 0..MESSAGES {
        bench.wait(hour.stream.uniform_in(0.0, 5.0));
        let message = hour.next(&mut bench);
        let mut anew = copied(&bench);
        let before = bench.role.claims(&bench.context);
        let effects = bench.hears(message.clone());
        assert_eq!(
            anew.hears(message.clone()),
            effects,
            "message {number}: {message:?}"
        );
        assert!(
            anew.role == bench.role,
            "message {number} left them different: {message:?}"
        );
        let after = bench.role.claims(&bench.context);
        saved_for += usize::from(!after.of().is_empty());
        stood += usize::from(Arc::ptr_eq(&before, &after));
        hour.hears(effects);
    }
    assert!(
        saved_for > MESSAGES / 4,
        "somebody had a claim after {saved_for} of them"
    );
    assert!(
        (MESSAGES / 2..MESSAGES).contains(&stood),
        "claims stood over {stood} of them"
    );
    assert!(
        hour.joined > 20 && hour.left > 10,
        "{} {}",
        hour.joined,
        hour.left
    );
}

/// Two that charge side by side, the later one this share of a microsecond ahead, while a far
/// request waits for either; with what that takes.
fn side_by_side(from_wh: f64, ahead: f64) -> (Bench<Fleet>, f64) {
    let aloft: Vec<DroneId> = (0..DRONES).map(DroneId).collect();
    let mut bench = Bench::new(saved::two_hubs(), |world| Fleet::new(world, &aloft));
    let order = claims::far(&bench);
    let need_wh = claims::need_wh(&bench, &order);
    bench.hears(FleetMessage::Assign { id: id(1), order });
    bench.dock(0, from_wh);
    bench.wait(20.0);
    let world = &bench.context.world;
    let battery = world.model(world.pairs().get(0).model).battery;
    let in_a_microsecond_wh = battery.charge_power_w * 1e-6 / 3_600.0;
    let as_much_wh = bench.role.docks.holds_wh(0, DroneId(0), bench.context.now);
    let docked = bench.dock(1, as_much_wh + ahead * in_a_microsecond_wh);
    assert_eq!(missions(&docked), []);
    (bench, need_wh)
}

#[test]
fn where_batteries_begin_or_cease_to_be_alike_alarms_are_as_if_set_anew() {
    let of_ferry = DroneId(DRONES - 1);
    let mut moved = 0;
    for number in (0..200).map(f64::from) {
        let (mut bench, need_wh) = side_by_side(10.0 + 0.1 * number.sqrt(), (0.137 * number).fract());
        for (asked, health) in [(2, 0.9), (3, 1.0)] {
            let now = bench.context.now;
            let before = bench.role.docks.ready_at(0, need_wh, 0, now);
            bench.hears(FleetMessage::Worn {
                drone: of_ferry,
                health,
            });
            moved += u32::from(bench.role.docks.ready_at(0, need_wh, 0, now) != before);
            let (id, order) = (id(asked), claims::far(&bench));
            let again = FleetMessage::Assign { id, order };
            let mut anew = copied(&bench);
            assert_eq!(
                anew.hears(again.clone()),
                bench.hears(again),
                "{number}, with {health}"
            );
            assert!(anew.role == bench.role, "{number}, with {health}");
        }
    }
    assert!(moved > 0, "no rounding told them apart");
}

#[test]
fn needs_that_come_to_what_they_were_change_nothing() {
    let (mut bench, _) = side_by_side(10.0, 0.0);
    bench.wait(20.0);
    let before = bench.role.queue.editions();
    bench.hears(FleetMessage::AirChanged);
    assert!(bench.role.queue.was_revised_at(bench.context.now));
    assert_eq!(bench.role.queue.editions(), before);
}
