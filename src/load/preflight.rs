//! What is looked at before a test: whether the target is there and lets us in, whether the
//! machine has room for the connections, and the accounts that are to order.

use std::cell::Cell;

use tokio::time::timeout;

use super::exchange::{Line, NoAnswer, PATIENCE};
use super::target::{Dial, Target};
use super::{Plan, Trouble};
use crate::sim::account::AccountKind;
use crate::wire::api::accounts::NewAccount;
use crate::wire::api::simulation::{Simulation, SimulationState};

/// Files that a test has open beside its connections.
const OTHER_FILES: u64 = 50;

/// A connection that was closed keeps its port for a while: of a source's ports, this share.
const PORTS_IN_USE: f64 = 0.5;
/// Sources are 127.0.0.1 up to this.
const MOST_SOURCES: u64 = 250;

/// Room for every connection that the plan could need. Tells from how many local addresses
/// they are to come.
pub(super) fn room(plan: &Plan) -> Result<u8, Trouble> {
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
    let Some(there) = local_ports() else { return Ok(1) };
    sources(wanted, there, plan.target.is_loopback()).ok_or(Trouble::TooFewPorts { wanted, there })
}

/// This machine's own address is many: each has ports of its own.
fn sources(wanted: u64, ports: u64, is_loopback: bool) -> Option<u8> {
    if !is_loopback {
        return (wanted <= ports).then_some(1);
    }
    let each = ((ports as f64 * PORTS_IN_USE) as u64).max(1);
    let sources = wanted.div_ceil(each).max(1);
    (sources <= MOST_SOURCES).then(|| u8::try_from(sources).unwrap_or(u8::MAX))
}

fn local_ports() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = text.split_whitespace().map(|end| end.parse::<u64>().ok());
    let (first, last) = (ends.next()??, ends.next()??);
    Some((last + 1).saturating_sub(first))
}

/// Whether anybody listens there at all.
pub(super) async fn reach<D: Dial>(dial: &D, target: &Target) -> Result<(), Trouble> {
    let dialled = timeout(PATIENCE, dial.dial()).await;
    let why = match dialled {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => NoAnswer::of_dialling(&error),
        Err(_) => NoAnswer::Silent,
    };
    Err(unreachable(target, why))
}

fn unreachable(target: &Target, why: NoAnswer) -> Trouble {
    Trouble::Unreachable {
        target: target.shown(),
        why: why.as_str().to_owned(),
    }
}

/// Asks the target who it is. A warning is what the test will not show.
pub(super) async fn greet<D: Dial>(dial: &D, target: &Target) -> Result<Option<String>, Trouble> {
    let mut line = Line::default();
    let asked = ask(dial, target, &mut line, "GET", "/api/simulation", &[]).await;
    let status = asked.map_err(|why| match why {
        NoAnswer::NotHttp => not_skyhaul(target, "it does not speak HTTP"),
        why => unreachable(target, why),
    })?;
    match status {
        200..300 => {}
        401 | 403 => {
            return Err(Trouble::NotLetIn {
                target: target.shown(),
                shown: if target.token().is_empty() {
                    "no token"
                } else {
                    "this token"
                },
                status,
            });
        }
        _ => {
            let why = format!("GET /api/simulation is answered with {status}");
            return Err(not_skyhaul(target, &why));
        }
    }
    match serde_json::from_slice::<Simulation>(line.body()) {
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

/// So many accounts are made at a time.
const ACCOUNTS_AT_ONCE: usize = 16;

/// The accounts that order, by their names.
pub(super) fn account_names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("load-{number}")).collect()
}

/// Makes the accounts that order; those that are there already are taken as they are.
pub(super) async fn accounts<D: Dial>(dial: &D, target: &Target, ids: &[String]) -> Result<(), Trouble> {
    let next = Cell::new(0);
    let lines = (0..ids.len().min(ACCOUNTS_AT_ONCE)).map(|_| async {
        let mut line = Line::default();
        while let Some(id) = ids.get(next.get()) {
            next.set(next.get() + 1);
            account(dial, target, &mut line, id, next.get()).await?;
        }
        Ok(())
    });
    futures_util::future::try_join_all(lines).await.map(drop)
}

async fn account<D: Dial>(
    dial: &D,
    target: &Target,
    line: &mut Line<D::Io>,
    id: &str,
    number: usize,
) -> Result<(), Trouble> {
    let wanted = NewAccount {
        id: Some(id.to_owned()),
        name: format!("Load test {number}"),
        kind: AccountKind::Business,
        status: None,
    };
    let body = serde_json::to_vec(&wanted).expect("string keys only");
    let why = match ask(dial, target, line, "POST", "/api/accounts", &body).await {
        Ok(200..300 | 409) => return Ok(()),
        Ok(status) => format!("it answers {status}"),
        Err(why) => why.as_str().to_owned(),
    };
    Err(Trouble::Account {
        target: target.shown(),
        id: id.to_owned(),
        why,
    })
}

/// The answer's status; what it says is on the line then.
async fn ask<D: Dial>(
    dial: &D,
    target: &Target,
    line: &mut Line<D::Io>,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<u16, NoAnswer> {
    let asked = line.ask(dial, |request| {
        request.begin(method, &target.path(path), &target.lines());
        if !body.is_empty() {
            request
                .head
                .extend_from_slice(b"content-type: application/json\r\n");
            request.body.extend_from_slice(body);
        }
    });
    timeout(PATIENCE, asked).await.unwrap_or(Err(NoAnswer::Silent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_to_this_machine_come_from_as_many_addresses_as_they_need_ports() {
        assert_eq!(sources(2_000, 28_232, true), Some(1));
        assert_eq!(sources(60_000, 28_232, true), Some(5));
        assert_eq!(sources(10_000_000, 28_232, true), None);
        assert_eq!(sources(28_232, 28_232, false), Some(1));
        assert_eq!(sources(28_233, 28_232, false), None);
    }
}
