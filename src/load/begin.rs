//! All that comes before the first request: whether the target is there and who it is, who
//! orders, how deliveries are followed, and the stand from which everybody works.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::asking::{self, Asking};
use super::deliveries::Deliveries;
use super::follow::{self, Follower, NotFollowed};
use super::orders::{Orders, Wanted};
use super::samples::Sampler;
use super::socket::NoSocket;
use super::stand::{Common, Names, Stand};
use super::target::Dial;
use super::timetable::Timetable;
use super::{Plan, Trouble, preflight};
use crate::scenario::{Audience, Model, Status};

/// Threads are started within it.
const LEAD: Duration = Duration::from_millis(100);

/// The target is looked at as what it is, one of this project's servers.
pub(super) fn is_own(plan: &Plan) -> bool {
    !plan.accept_only && plan.test.mapping.is_none()
}

/// Who is to look on, where there is something to look at.
pub(super) fn audience(plan: &Plan) -> Option<&Audience> {
    asked_for(plan).filter(|_| is_own(plan))
}

fn asked_for(plan: &Plan) -> Option<&Audience> {
    let audience = plan.test.audience.as_ref();
    audience.filter(|audience| audience.sessions > 0)
}

/// How it is known what becomes of deliveries.
pub(super) enum Following<D: Dial> {
    Events(Follower<D>),
    Asking(Status),
}

/// What was found and made before the first request.
pub(super) struct Begun<D: Dial> {
    pub warnings: Vec<String>,
    pub accounts: Vec<String>,
    /// `None` where accepting alone is looked at.
    pub following: Option<Following<D>>,
}

impl<D: Dial> Begun<D> {
    pub async fn with(plan: &Plan, dial: &D) -> Result<Self, Trouble> {
        let mut begun = Begun {
            warnings: Vec::new(),
            accounts: preflight::account_names(plan.load.accounts),
            following: None,
        };
        match is_own(plan) {
            true => begun.own(plan, dial).await?,
            false => begun.another(plan, dial).await?,
        }
        Ok(begun)
    }

    async fn own(&mut self, plan: &Plan, dial: &D) -> Result<(), Trouble> {
        self.warnings.extend(preflight::greet(dial, &plan.target).await?);
        preflight::accounts(dial, &plan.target, &self.accounts).await?;
        let following = match follow::open(dial, &plan.target).await {
            Ok(open) => Following::Events(open),
            Err(why) => {
                self.warnings.push(not_followed(plan, why)?);
                Following::Asking(asking::own())
            }
        };
        self.following = Some(following);
        Ok(())
    }

    async fn another(&mut self, plan: &Plan, dial: &D) -> Result<(), Trouble> {
        preflight::reach(dial, &plan.target).await?;
        let mapping = plan.test.mapping.as_ref().filter(|_| !plan.accept_only);
        let status = mapping.and_then(|mapping| mapping.status.clone());
        let stays_away = asked_for(plan).map(|_| "the audience stays away");
        let warning = match (&status, stays_away) {
            (Some(_), None) => None,
            (Some(_), Some(away)) => Some(format!("no frame is measured: {away}")),
            (None, away) => {
                let and = away.map_or(String::new(), |away| format!(", and {away}"));
                Some(format!(
                    "only accepting is measured: what becomes of requests is not followed{and}"
                ))
            }
        };
        self.warnings.extend(warning);
        self.following = status.map(Following::Asking);
        Ok(())
    }
}

pub(super) fn stand<D: Dial>(
    plan: &Plan,
    dial: D,
    accounts: &[String],
    following: Option<&Following<D>>,
) -> Rc<Stand<D>> {
    let timetable = Timetable::new(&plan.load, plan.world.seed);
    let count = match plan.load.model {
        Model::Open => timetable.requests().count(),
        Model::Closed { .. } => usize::MAX,
    };
    let run = uuid::Uuid::now_v7().simple().to_string();
    let wanted = Wanted {
        world: &plan.world,
        accounts,
        count,
        run: &run,
    };
    let mapping = plan.test.mapping.as_ref();
    let names = match mapping {
        None => Names::Own,
        Some(mapping) => mapping.id.clone().map_or(Names::Package, Names::Pointer),
    };
    let orders = Orders::draw(&wanted, &plan.target, mapping.map(|mapping| &mapping.request));
    let common = Common {
        target: plan.target.clone(),
        names: names.into(),
        orders: orders.into(),
        timetable: timetable.into(),
        stages: plan.load.stages.len(),
        timeout: plan.load.timeout,
    };
    let asking = match following {
        Some(Following::Asking(status)) => Some(Asking::new(status.clone(), &run)),
        _ => None,
    };
    // Whoever sends from another thread has to be there first.
    let lead = if plan.workers > 1 { LEAD } else { Duration::ZERO };
    let samples = Sampler::to(plan.samples.clone());
    Rc::new(Stand {
        stage_names: plan.load.stages.iter().map(|stage| stage.name.clone()).collect(),
        deliveries: Deliveries::new(following.is_some()).into(),
        asking,
        ..Stand::new(common, dial, Instant::now() + lead, samples)
    })
}

/// What that means for the test: a warning, or that it is none.
fn not_followed(plan: &Plan, why: NotFollowed) -> Result<String, Trouble> {
    let why = match why {
        NotFollowed::NoSocket(NoSocket::Foreign(said)) => {
            let target = plan.target.shown();
            return Err(Trouble::Version { target, said });
        }
        NotFollowed::NoSocket(other) => other.kind(),
        NotFollowed::Refused { code, message } => format!("{code}, {message}"),
    };
    Ok(format!(
        "events cannot be followed ({why}): each delivery is asked for every second instead, and times are known to within that; an operator's token lets them be"
    ))
}
