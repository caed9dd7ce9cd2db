//! Several threads that send requests, where one processor is not enough for it. Each sends its
//! share of the timetable over connections of its own; what it saw it hands to the test's own
//! thread ten times a second, which follows, watches, judges and keeps the time as ever.
//!
//! They are threads and not processes: what a process would have for itself, its open files, is
//! raised to what the system allows ([`super::preflight`]), and local ports are the system's.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use super::Trouble;
use super::drive::{self, Share};
use super::generator::{Effort, Lag, Watch};
use super::record::{Figures, Op};
use super::samples::Sampler;
use super::stand::{Accepted, Common, Stand, Tally};
use super::target::Dial;
use super::timetable::Part;
use crate::scenario::Load;

const BEAT: Duration = Duration::from_millis(100);
/// The busiest of them is looked for in stretches of this many beats.
const LOOK_EVERY: u32 = 10;
/// Parcels on their way; who finds so many there waits.
const MOST_PARCELS: usize = 64;

/// What a member saw since its last parcel.
struct Parcel {
    from: usize,
    /// Of accepting, by part.
    figures: Vec<(usize, Figures)>,
    accepted: Vec<Accepted>,
    counts: Counts,
    /// In the last one.
    effort: Option<Effort>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    waiting: usize,
    under_way: usize,
    connections: usize,
    most_connections: usize,
    has_answers: bool,
    is_driven: bool,
}

/// The members, as the test's own thread sees them.
pub(super) struct Crew {
    ends: RefCell<Vec<oneshot::Sender<Duration>>>,
    threads: RefCell<Vec<JoinHandle<()>>>,
    seen: RefCell<Vec<Counts>>,
    efforts: RefCell<Vec<Effort>>,
    came: Notify,
    is_alive: Cell<bool>,
}

/// What each member is told.
struct Brief<D: Dial> {
    dial: D,
    share: Share,
    load: Load,
    began: Instant,
    samples: Sampler,
    runtime: Runtime,
}

impl Crew {
    /// Members that begin when the test does.
    pub fn muster<D: Dial>(stand: &Rc<Stand<D>>, load: &Load, count: usize) -> Result<Rc<Self>, Trouble> {
        let (sender, mut parcels) = mpsc::channel(MOST_PARCELS);
        let crew = Rc::new(Crew {
            ends: RefCell::default(),
            threads: RefCell::default(),
            seen: RefCell::new(vec![Counts::default(); count]),
            efforts: RefCell::default(),
            came: Notify::new(),
            is_alive: Cell::new(true),
        });
        for place in 0..count {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let (end, ended) = oneshot::channel();
            let share = Share { place, of: count };
            let brief = Brief {
                dial: stand.dial.clone(),
                share,
                load: Load {
                    connections: share.of_count(load.connections).max(1),
                    ..load.clone()
                },
                began: stand.began,
                samples: stand.samples.another(),
                runtime: runtime.map_err(Trouble::Start)?,
            };
            let common = stand.common();
            let sender = sender.clone();
            let member = move || member(brief, common, &sender, ended);
            let thread = std::thread::Builder::new().name(format!("load-{place}"));
            crew.threads
                .borrow_mut()
                .push(thread.spawn(member).map_err(Trouble::Start)?);
            crew.ends.borrow_mut().push(end);
        }
        let (attending, stand) = (Rc::clone(&crew), Rc::clone(stand));
        tokio::task::spawn_local(async move {
            while let Some(parcel) = parcels.recv().await {
                attending.take(parcel, &stand);
                attending.came.notify_waiters();
            }
            // Nobody is left who could send one.
            attending.is_alive.set(false);
            attending.came.notify_waiters();
        });
        Ok(crew)
    }

    fn take<D: Dial>(&self, parcel: Parcel, stand: &Stand<D>) {
        let mut recorder = stand.recorder.borrow_mut();
        for (part, figures) in &parcel.figures {
            recorder.merge(Op::Accept, *part, figures);
        }
        drop(recorder);
        parcel
            .accepted
            .into_iter()
            .for_each(|accepted| stand.take(accepted));
        if parcel.counts.has_answers {
            stand.tally.last_answer.set(Some(Instant::now()));
        }
        let mut seen = self.seen.borrow_mut();
        seen[parcel.from] = parcel.counts;
        let sum = |count: fn(&Counts) -> usize| seen.iter().map(count).sum();
        stand.tally.waiting.set(sum(|counts| counts.waiting));
        stand.tally.under_way.set(sum(|counts| counts.under_way));
        stand.tally.connections.set(sum(|counts| counts.connections));
        stand
            .tally
            .most_connections
            .set(sum(|counts| counts.most_connections));
        self.efforts.borrow_mut().extend(parcel.effort);
    }

    /// Until every request of the timetable was handed out.
    pub async fn driven(&self) {
        let is_driven = || self.seen.borrow().iter().all(|counts| counts.is_driven);
        while !is_driven() && self.is_alive.get() {
            self.came.notified().await;
        }
    }

    /// Nobody waits any longer for answers. Returns when all is told, with what the busiest did.
    pub async fn end(&self, at_least: Duration, own: Effort) -> Effort {
        for end in self.ends.borrow_mut().drain(..) {
            // Who is gone has nothing more to say.
            let _gone = end.send(at_least);
        }
        while self.is_alive.get() {
            self.came.notified().await;
        }
        for thread in self.threads.borrow_mut().drain(..) {
            let ended = thread.join();
            debug_assert!(ended.is_ok(), "no member panics");
        }
        let efforts = std::mem::take(&mut *self.efforts.borrow_mut());
        efforts.into_iter().fold(own, Effort::beside)
    }
}

fn member<D: Dial>(
    brief: Brief<D>,
    common: Common,
    parcels: &mpsc::Sender<Parcel>,
    ended: oneshot::Receiver<Duration>,
) {
    let stand = Rc::new(Stand::of_sender(common, brief.dial, brief.began, brief.samples));
    let sending = send(stand, brief.share, &brief.load, parcels, ended);
    LocalSet::new().block_on(&brief.runtime, sending);
}

async fn send<D: Dial>(
    stand: Rc<Stand<D>>,
    share: Share,
    load: &Load,
    parcels: &mpsc::Sender<Parcel>,
    mut ended: oneshot::Receiver<Duration>,
) {
    let (lag, watch) = (Rc::new(Lag::new()), Watch::new());
    let is_driven = Rc::new(Cell::new(false));
    let driving = {
        let (stand, lag, is_driven) = (Rc::clone(&stand), Rc::clone(&lag), Rc::clone(&is_driven));
        let load = load.clone();
        tokio::task::spawn_local(async move {
            drive::drive(stand, &load, share, &lag).await;
            is_driven.set(true);
        })
    };
    let parcel = |effort| Parcel {
        from: share.place,
        figures: stand.recorder.borrow_mut().drain(Op::Accept),
        accepted: stand.empty_outbox(),
        counts: counts(&stand.tally, is_driven.get()),
        effort,
    };
    let mut beats = 0;
    let at_least = loop {
        tokio::select! {
            at_least = &mut ended => break at_least.unwrap_or_default(),
            () = sleep(BEAT) => {}
        }
        beats += 1;
        let is_measured = stand.part_now() != Part::WarmUp && !is_driven.get();
        if is_measured && beats % LOOK_EVERY == 0 {
            watch.look(stand.elapsed());
        }
        if parcels.send(parcel(None)).await.is_err() {
            return;
        }
    };
    driving.abort();
    stand.give_up(at_least);
    let effort = watch.effort(&lag, stand.tally.most_connections.get(), 1);
    // The test is over, whether or not somebody hears it.
    let _unheard = parcels.send(parcel(Some(effort))).await;
}

fn counts(tally: &Tally, is_driven: bool) -> Counts {
    Counts {
        waiting: tally.waiting.get(),
        under_way: tally.under_way.get(),
        connections: tally.connections.get(),
        most_connections: tally.most_connections.get(),
        has_answers: tally.last_answer.take().is_some(),
        is_driven,
    }
}
