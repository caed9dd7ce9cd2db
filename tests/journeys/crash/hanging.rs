//! A database that stands still and does not say so, as on a disk that hangs.

use std::process::Command;

use crate::support::postgres::Cluster;

/// The processes of a cluster, which go on when this is dropped.
pub struct Hanging(Vec<String>);

impl Hanging {
    pub fn of(cluster: &Cluster) -> Self {
        let first = cluster.postmaster();
        // Before its children are looked at, so that it makes no more.
        send("-STOP", std::slice::from_ref(&first));
        let children = format!("/proc/{first}/task/{first}/children");
        let children = std::fs::read_to_string(children).unwrap();
        let mut processes: Vec<_> = children.split_whitespace().map(str::to_owned).collect();
        send("-STOP", &processes);
        processes.push(first);
        Hanging(processes)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        send("-CONT", &self.0);
    }
}

fn send(signal: &str, processes: &[String]) {
    let sent = Command::new("kill").arg(signal).args(processes).status();
    assert!(sent.unwrap().success(), "{signal} to {processes:?}");
}
