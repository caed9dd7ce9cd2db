//! The live world's answers to what the outside asks.

use std::time::Duration;

use tokio::sync::watch;

use crate::actors::ingestion::{IngestionHandle, Receipt};
use crate::engine::controls::{Control, Controls, Reply, refusal};
use crate::engine::writes::Writes;
use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::Tick;
use crate::store::Writer;
use crate::view::commands::{Accepted, Answer, Commands, PaceChange, Refusal, Written};

use super::Started;

/// When a refused client may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub struct Door {
    ingestion: IngestionHandle,
    controls: Controls,
    writes: Writes,
    writer: Writer,
    closing: watch::Receiver<bool>,
}

impl Door {
    pub fn new(started: &Started, closing: watch::Receiver<bool>) -> Self {
        Door {
            ingestion: started.ingestion.clone(),
            controls: started.controls.clone(),
            writes: started.writes.clone(),
            writer: started.writer.clone(),
            closing,
        }
    }

    fn check_open(&self) -> Result<(), Refusal> {
        if *self.closing.borrow() {
            return Err(Refusal::ShuttingDown);
        }
        if self.writer.gauges().is_stalled() {
            return Err(Refusal::StoreGone {
                retry_after: RETRY_AFTER,
            });
        }
        Ok(())
    }

    async fn ask<T>(&self, control: impl FnOnce(Reply<T>) -> Control) -> Result<T, Refusal> {
        self.check_open()?;
        self.controls.ask(control).await
    }
}

fn accepted(receipt: Receipt) -> Result<Accepted, Refusal> {
    receipt
        .map(|(id, repeated)| Accepted { id, repeated })
        .map_err(refusal)
}

impl Commands for Door {
    fn can_change(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn request_delivery(
        &self,
        order: Order,
        idempotency_key: Option<String>,
    ) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async move {
            self.check_open()?;
            accepted(self.ingestion.submit(order, idempotency_key).await)
        })
    }

    fn put_delivery(&self, id: DeliveryId, order: Order) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async move {
            self.check_open()?;
            accepted(self.ingestion.put(id, order).await)
        })
    }

    fn write(&self, command: Command) -> Answer<'_, Written, Refusal> {
        Box::pin(async move {
            self.check_open()?;
            self.writes.write(command).await
        })
    }

    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(self.ask(move |reply| Control::Change(change, reply)))
    }

    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(self.ask(move |reply| Control::Step(ticks, reply)))
    }
}
