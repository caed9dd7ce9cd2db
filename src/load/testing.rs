//! What the tests of this room share: stages and loads with everything else as usual.

use std::time::Duration;

use crate::scenario::{Arrivals, Load, Model, Stage};

pub fn stage(from: f64, to: f64, lasts_s: f64) -> Stage {
    Stage {
        name: String::new(),
        lasts: Duration::from_secs_f64(lasts_s),
        from,
        to,
    }
}

pub fn load_of(mut stages: Vec<Stage>) -> Load {
    for (number, stage) in (1..).zip(&mut stages) {
        stage.name = format!("{number}");
    }
    Load {
        warmup: Duration::ZERO,
        drain: Duration::from_secs(30),
        model: Model::Open,
        arrivals: Arrivals::Even,
        connections: 2_000,
        timeout: Duration::from_secs(60),
        accounts: 0,
        stages,
    }
}
