//! NATS: a message a record, on `PREFIX.drones.ID` or `PREFIX.orders`.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use tokio::time::timeout;

use super::Broken;
use super::destination::Broker;
use crate::emit::Record;
use crate::emit::tally::Sent;

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Publisher {
    client: Client,
    broker: Broker,
}

impl Publisher {
    pub async fn open(broker: &Broker) -> Result<Self, String> {
        let mut options = ConnectOptions::new()
            .name("skyhaul emit")
            .connection_timeout(PATIENCE);
        if let Some(login) = &broker.login {
            options = options.user_and_password(login.user.clone(), login.password.clone());
        }
        let address = format!("nats://{}:{}", broker.host, broker.port);
        match timeout(PATIENCE, options.connect(address)).await {
            Ok(Ok(client)) => Ok(Publisher {
                client,
                broker: broker.clone(),
            }),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer within 10 s".to_owned()),
        }
    }

    /// Answers when the server has read them all.
    pub async fn send(&mut self, records: Vec<Record>) -> Result<Sent, Broken> {
        let count = records.len() as u64;
        let mut sent = Sent::default();
        for record in records {
            let subject = self.broker.topic(".", &record.key);
            let bytes = record.json.len() as u64;
            if let Err(error) = self.client.publish(subject, record.json.into()).await {
                sent.add(Sent::failed(1, error.to_string()));
                continue;
            }
            sent.records += 1;
            sent.bytes += bytes;
        }
        match timeout(PATIENCE, self.client.flush()).await {
            Ok(Ok(())) => Ok(sent),
            Ok(Err(error)) => Ok(Sent::failed(count, error.to_string())),
            Err(_) => Ok(Sent::failed(count, "the server took nothing for 10 s")),
        }
    }

    pub async fn close(self) -> Result<Sent, Broken> {
        let _closes_anyway = self.client.drain().await;
        Ok(Sent::default())
    }
}
