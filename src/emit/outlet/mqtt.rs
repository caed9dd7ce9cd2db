//! MQTT 3.1.1: a message a record, on `PREFIX/drones/ID` or `PREFIX/orders`, at most once.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Broken;
use super::destination::Broker;
use crate::emit::Record;
use crate::emit::tally::Sent;

/// Messages that wait for the network.
const AHEAD: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries at a broker that went away.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

pub struct Publisher {
    client: AsyncClient,
    broker: Broker,
    /// Ends with the connection, and says what was lost.
    connection: JoinHandle<Option<String>>,
}

impl Publisher {
    pub async fn open(broker: &Broker) -> Result<Self, String> {
        let name = format!("skyhaul-emit-{}", std::process::id());
        let mut options = MqttOptions::new(name, broker.host.trim_matches(['[', ']']), broker.port);
        options.set_keep_alive(Duration::from_secs(30));
        if let Some(login) = &broker.login {
            options.set_credentials(&login.user, &login.password);
        }
        let (client, events) = AsyncClient::new(options, AHEAD);
        let (ready, is_ready) = oneshot::channel();
        let connection = tokio::spawn(carry(events, ready));
        match timeout(PATIENCE, is_ready).await {
            Ok(Ok(Ok(()))) => Ok(Publisher {
                client,
                broker: broker.clone(),
                connection,
            }),
            Ok(Ok(Err(why))) => Err(why),
            Ok(Err(_)) | Err(_) => Err("no answer within 10 s".to_owned()),
        }
    }

    /// Answers when all are in the queue to the network.
    pub async fn send(&mut self, records: Vec<Record>) -> Result<Sent, Broken> {
        let mut sent = Sent::default();
        for record in records {
            let topic = self.broker.topic("/", &record.key);
            let bytes = record.json.len() as u64;
            let published = self.client.publish(topic, QoS::AtMostOnce, false, record.json);
            published.await.map_err(|_| Broken)?;
            sent.records += 1;
            sent.bytes += bytes;
        }
        Ok(sent)
    }

    /// What is queued goes first.
    pub async fn close(self) -> Result<Sent, Broken> {
        self.client.disconnect().await.map_err(|_| Broken)?;
        let why = match timeout(PATIENCE, self.connection).await {
            Ok(Ok(why)) => why,
            Ok(Err(_)) | Err(_) => Some("the broker took nothing any more".to_owned()),
        };
        Ok(why.map_or_else(Sent::default, |why| Sent::failed(1, why)))
    }
}

/// Keeps the connection going until it is closed on purpose; answers why it was interrupted, if
/// it was: what was under way then is lost.
async fn carry(mut events: EventLoop, ready: oneshot::Sender<Result<(), String>>) -> Option<String> {
    let mut ready = Some(ready);
    let mut interrupted = None;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                if let Some(ready) = ready.take() {
                    let _nobody_waits = ready.send(Ok(()));
                }
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return interrupted,
            Ok(_) => {}
            Err(error) => {
                if let Some(ready) = ready.take() {
                    let _nobody_waits = ready.send(Err(error.to_string()));
                    return None;
                }
                interrupted.get_or_insert_with(|| error.to_string());
                sleep(AGAIN_AFTER).await;
            }
        }
    }
}
