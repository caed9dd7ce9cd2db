//! What lost who carried it finds another way, and its customer hears each thing once.

use super::*;

fn take_back(bench: &mut Bench<Scheduler>, why: Lost, change: impl FnOnce(&mut Order)) -> Vec<Effect> {
    let mut order = order(&bench.context.world);
    change(&mut order);
    let book = Box::new(Book {
        seq: 7,
        attempts: 1,
        ..Book::new(Arc::new(order))
    });
    bench.tell(SchedulerMessage::TakeBack { id: id(1), book, why })
}

fn waits(waiting_for: WaitingFor) -> DeliveryEvent {
    DeliveryEvent::Delayed { waiting_for }
}

#[test]
fn that_it_waits_for_a_drone_is_told_once_where_none_is_free() {
    let mut bench = bench(WhenFull::Fail);
    let lost = take_back(&mut bench, Lost::Drone, |_| {});
    assert_eq!(told(&lost), [(8, waits(WaitingFor::Drone))]);
    let queued = bench.tell(SchedulerMessage::Queued { id: id(1) });
    assert_eq!(told(&queued), []);
    assert!(
        !alarms(&queued).is_empty(),
        "its patience has an end all the same"
    );
}

#[test]
fn what_was_brought_back_was_told_so_already() {
    let mut bench = bench(WhenFull::Fail);
    let back = take_back(&mut bench, Lost::BroughtBack, |_| {});
    assert_eq!(told(&back), []);
    let queued = bench.tell(SchedulerMessage::Queued { id: id(1) });
    assert_eq!(told(&queued), []);
}

#[test]
fn what_waits_for_its_time_waits_for_nothing_else() {
    let later = SimTime::from_secs(600.0);
    for why in [Lost::Rescheduled, Lost::BroughtBack] {
        let mut bench = bench(WhenFull::Fail);
        let back = take_back(&mut bench, why, |order| order.not_before = later);
        assert_eq!(told(&back), [(8, waits(WaitingFor::PickupTime))]);
        bench.ring(&back);
        let queued = bench.tell(SchedulerMessage::Queued { id: id(1) });
        assert_eq!(told(&queued), [(9, waits(WaitingFor::Drone))]);
    }
}

#[test]
fn after_a_change_it_is_told_again_what_is_waited_for() {
    let mut bench = bench(WhenFull::Fail);
    take_back(&mut bench, Lost::Drone, |_| {});
    bench.tell(SchedulerMessage::Queued { id: id(1) });
    let change = Reschedule {
        expedited: Some(true),
        ..Reschedule::default()
    };
    bench.tell(SchedulerMessage::Write {
        id: id(1),
        write: DeliveryWrite::Reschedule(Arc::new(change)),
        reply_to: ReplyTo(1),
    });
    bench.undone(1, Step::Drone);
    let queued = bench.tell(SchedulerMessage::Queued { id: id(1) });
    assert_eq!(told(&queued), [(10, waits(WaitingFor::Drone))]);
}
