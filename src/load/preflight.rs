//! What is looked at before a test: whether the target is there and lets us in, whether the
//! machine has room for the connections, and the accounts that are to order.

use hyper::{Method, StatusCode};
use tokio::time::timeout;

use super::exchange::{Answer, Connection, Manner, NoAnswer, PATIENCE};
use super::target::{Dial, Target};
use super::{Plan, Trouble};
use crate::sim::account::AccountKind;
use crate::wire::api::accounts::NewAccount;
use crate::wire::api::simulation::{Simulation, SimulationState};

/// Files that a test has open beside its connections.
const OTHER_FILES: u64 = 50;

/// Room for every connection that the plan could need.
pub(super) fn room(plan: &Plan) -> Result<(), Trouble> {
    let sessions = plan
        .test
        .audience
        .as_ref()
        .map_or(0, |audience| audience.sessions);
    let wanted = (plan.load.connections + sessions) as u64;
    // A system that does not tell is taken to have enough.
    let allowed = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    if allowed < wanted + OTHER_FILES {
        let wanted = wanted + OTHER_FILES;
        return Err(Trouble::TooFewFiles { wanted, allowed });
    }
    match local_ports() {
        Some(there) if there < wanted => Err(Trouble::TooFewPorts { wanted, there }),
        _ => Ok(()),
    }
}

fn local_ports() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = text.split_whitespace().map(|end| end.parse::<u64>().ok());
    let (first, last) = (ends.next()??, ends.next()??);
    Some((last + 1).saturating_sub(first))
}

/// Asks the target who it is. A warning is what the test will not show.
pub(super) async fn greet<D: Dial>(dial: &D, target: &Target) -> Result<Option<String>, Trouble> {
    let answer = ask(
        dial,
        target,
        &mut None,
        Method::GET,
        "/api/simulation",
        String::new(),
    )
    .await;
    let answer = answer.map_err(|why| match why {
        NoAnswer::NotHttp => not_skyhaul(target, "it does not speak HTTP"),
        why => Trouble::Unreachable {
            target: target.shown(),
            why: why.as_str().to_owned(),
        },
    })?;
    if let StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN = answer.status {
        return Err(Trouble::NotLetIn {
            target: target.shown(),
            shown: if target.bearer().is_some() {
                "this token"
            } else {
                "no token"
            },
            status: answer.status.as_u16(),
        });
    }
    if !answer.status.is_success() {
        let why = format!("GET /api/simulation is answered with {}", answer.status.as_u16());
        return Err(not_skyhaul(target, &why));
    }
    match serde_json::from_slice::<Simulation>(&answer.body) {
        Ok(clock) => Ok((clock.state != SimulationState::Running)
            .then(|| "the target's clock stands still: what is accepted will not be scheduled".to_owned())),
        Err(_) => Err(not_skyhaul(
            target,
            "GET /api/simulation is answered with something else",
        )),
    }
}

fn not_skyhaul(target: &Target, why: &str) -> Trouble {
    Trouble::NotSkyhaul {
        target: target.shown(),
        why: why.to_owned(),
    }
}

/// Makes the accounts that order; those that are there already are taken as they are.
pub(super) async fn accounts<D: Dial>(
    dial: &D,
    target: &Target,
    count: usize,
) -> Result<Vec<String>, Trouble> {
    let mut ids = Vec::with_capacity(count);
    let mut connection = None;
    for number in 1..=count {
        let id = format!("load-{number}");
        let wanted = NewAccount {
            id: Some(id.clone()),
            name: format!("Load test {number}"),
            kind: AccountKind::Business,
            status: None,
        };
        let body = serde_json::to_string(&wanted).expect("string keys only");
        let trouble = |why: String| Trouble::Account {
            target: target.shown(),
            id: id.clone(),
            why,
        };
        let answer = ask(dial, target, &mut connection, Method::POST, "/api/accounts", body).await;
        let answer = answer.map_err(|why| trouble(why.as_str().to_owned()))?;
        if !answer.status.is_success() && answer.status != StatusCode::CONFLICT {
            return Err(trouble(format!("it answers {}", answer.status.as_u16())));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Over the connection that is there, or a new one that is then kept.
async fn ask<D: Dial>(
    dial: &D,
    target: &Target,
    kept: &mut Option<Connection>,
    method: Method,
    path: &str,
    body: String,
) -> Result<Answer, NoAnswer> {
    let request = Manner::of(target).request(method, &target.path(path), body);
    let answered = async {
        let open = match kept.take().filter(Connection::is_open) {
            Some(open) => open,
            None => Connection::open(dial).await?,
        };
        kept.insert(open).ask(request).await
    };
    timeout(PATIENCE, answered).await.unwrap_or(Err(NoAnswer::Silent))
}
