//! The live world's answers to what the outside asks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::actors::ingestion::{IngestionHandle, NotTaken};
use crate::engine::live::Control;
use crate::sim::fault::Fault;
use crate::sim::order::Order;
use crate::sim::time::Tick;
use crate::store::Writer;
use crate::view::View;
use crate::view::commands::{Accepted, Answer, Commands, PaceChange, Refusal};
use crate::view::reading::RunState;

use super::Started;

/// When a refused client may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub struct Door {
    ingestion: IngestionHandle,
    controls: mpsc::Sender<Control>,
    writer: Writer,
    view: Arc<View>,
    closing: watch::Receiver<bool>,
}

impl Door {
    pub fn new(started: &Started, closing: watch::Receiver<bool>) -> Self {
        Door {
            ingestion: started.ingestion.clone(),
            controls: started.controls.clone(),
            writer: started.writer.clone(),
            view: Arc::clone(&started.view),
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

    async fn ask<T>(
        &self,
        control: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Control,
    ) -> Result<T, Refusal> {
        self.check_open()?;
        let (answer, answered) = oneshot::channel();
        self.controls
            .send(control(answer))
            .await
            .map_err(|_| Refusal::ShuttingDown)?;
        answered.await.unwrap_or(Err(Refusal::ShuttingDown))
    }
}

fn refusal(not_taken: NotTaken) -> Refusal {
    match not_taken {
        NotTaken::Full => Refusal::Full {
            retry_after: RETRY_AFTER,
        },
        NotTaken::StoreGone => Refusal::StoreGone {
            retry_after: RETRY_AFTER,
        },
    }
}

impl Commands for Door {
    fn request_delivery(
        &self,
        order: Order,
        idempotency_key: Option<String>,
    ) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async move {
            self.check_open()?;
            let receipt = self.ingestion.submit(order, idempotency_key).await;
            receipt
                .map(|(id, repeated)| Accepted { id, repeated })
                .map_err(refusal)
        })
    }

    fn inject(&self, fault: Fault) -> Answer<'_, (), Refusal> {
        Box::pin(async move {
            self.check_open()?;
            if self.view.clock().pace.state == RunState::Paused {
                return Err(Refusal::Paused);
            }
            let seq = self.ingestion.inject(fault).await.map_err(refusal)?;
            self.view.admitted(seq).await;
            Ok(())
        })
    }

    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(self.ask(move |answer| Control::Change(change, answer)))
    }

    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(self.ask(move |answer| Control::Step(ticks, answer)))
    }
}
