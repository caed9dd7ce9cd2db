//! What `/metrics` shows beyond the tick and the requests: numbers that other rooms keep,
//! read when somebody asks.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::actors::ingestion::IngestionHandle;
use crate::actors::shelf;
use crate::engine::controls::Controls;
use crate::engine::inbox::Inbox;
use crate::http::RateLimit;
use crate::notify;
use crate::recording::{BACKLOG_BYTES_MOST, BACKLOG_MOST};
use crate::sim::breaker::BreakerState;
use crate::sim::event::HubQueues;
use crate::sim::flight::STACK_PLACES;
use crate::sim::workflow::WaitingFor;
use crate::store::{Reader, Writer};
use crate::view::View;
use crate::view::recordings::Recordings;
use crate::ws::Telemetry;

use super::connections::Connections;
use super::process_metrics::ProcessMetrics;
use super::recording_metrics::RecordingMetrics;
use super::{Started, eta_metrics};

/// Answers with all metrics in OpenMetrics text.
pub fn render(
    mut registry: Registry,
    started: &Started,
    connections: Arc<Connections>,
    rate_limit: Option<Arc<RateLimit>>,
    sessions: Arc<Telemetry>,
    notices: Arc<notify::Telemetry>,
    recordings: Arc<dyn Recordings>,
) -> Arc<dyn Fn() -> String + Send + Sync> {
    registry.register_collector(Box::new(House {
        view: Arc::clone(&started.view),
        writer: started.writer.clone(),
        reader: started.reader.clone(),
        ingestion: started.ingestion.clone(),
        controls: started.controls.clone(),
        inbox: Arc::clone(&started.inbox),
        connections,
        rate_limit,
        sessions,
        notices,
        recordings: Arc::clone(&recordings),
    }));
    registry.register_collector(Box::new(RecordingMetrics(recordings)));
    registry.register_collector(Box::new(ProcessMetrics));
    Arc::new(move || {
        let mut page = String::new();
        if let Err(error) = text::encode(&mut page, &registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        page
    })
}

struct House {
    view: Arc<View>,
    writer: Writer,
    reader: Reader,
    ingestion: IngestionHandle,
    controls: Controls,
    inbox: Arc<Inbox>,
    connections: Arc<Connections>,
    rate_limit: Option<Arc<RateLimit>>,
    sessions: Arc<Telemetry>,
    notices: Arc<notify::Telemetry>,
    recordings: Arc<dyn Recordings>,
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("House")
    }
}

type Labelled = Family<Vec<(&'static str, &'static str)>, Gauge>;

pub(super) fn gauge(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> std::fmt::Result {
    let gauge = ConstGauge::new(value as i64);
    let described = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    gauge.encode(described)
}

fn counter(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> std::fmt::Result {
    let counter = ConstCounter::new(value);
    let described = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
    counter.encode(described)
}

impl House {
    /// Every bounded queue of the house, and what clients fill: what is there, and how much may be.
    fn queues(&self) -> Vec<(&'static str, usize, usize)> {
        let (waiting, capacity) = self.ingestion.queue();
        let mut queues = vec![
            ("ingestion", waiting, capacity),
            ("inbox", self.inbox.len(), capacity),
        ];
        let (asked, bound) = self.controls.queue();
        queues.push(("controls", asked, bound));
        queues.extend(self.writer.queues());
        queues.extend(self.reader.queue());
        let (connections, bound) = self.connections.queue();
        queues.push(("http_connections", connections, bound));
        let accounts = self.view.world().accounts.capacity;
        queues.push(("accounts", self.view.account_count(), accounts));
        let world = self.view.world();
        let dispatch = &world.dispatch;
        let waits = |what| self.view.waiting_for(what);
        let retries = waits(WaitingFor::Retry) + waits(WaitingFor::Carrier);
        let for_drones = waits(WaitingFor::Drone) + waits(WaitingFor::Weather);
        queues.push(("fleet", for_drones, dispatch.backlog));
        queues.push(("retries", retries, dispatch.backlog));
        queues.push(("scheduled", waits(WaitingFor::PickupTime), dispatch.scheduled));
        let hubs = self.view.hubs();
        let at_hubs = |of: fn(&HubQueues) -> u32| hubs.iter().map(|hub| of(&hub.queues) as usize).sum();
        let drones = world.drone_count() as usize;
        queues.push(("departures", at_hubs(|queues| queues.departing), drones));
        let stacks = hubs.len() * usize::from(STACK_PLACES);
        queues.push(("stacks", at_hubs(|queues| queues.holding), stacks));
        let recording = self.recordings.reading();
        queues.push(("recording", recording.waiting, BACKLOG_MOST));
        queues.push(("recording_bytes", recording.waiting_bytes, BACKLOG_BYTES_MOST));
        queues.push(("packages", self.view.stored_package_count(), shelf::PLACES));
        queues
    }

    fn encode_queues(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let (depth, bound) = (Labelled::default(), Labelled::default());
        for (queue, waiting, capacity) in self.queues() {
            let label = vec![("queue", queue)];
            depth.get_or_create(&label).set(waiting as i64);
            bound.get_or_create(&label).set(capacity as i64);
        }
        let help = "What waits in each queue";
        depth.encode(encoder.encode_descriptor("skyhaul_queue_depth", help, None, depth.metric_type())?)?;
        let help = "How much may wait in each queue";
        bound.encode(encoder.encode_descriptor("skyhaul_queue_bound", help, None, bound.metric_type())?)
    }

    fn encode_supervision(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let help = "Requests that could not be undone, and wait for an operator";
        let letters = self.view.dead_letter_count() as u64;
        gauge(encoder, "skyhaul_dead_letters", help, letters)?;
        let states = Labelled::default();
        for state in BreakerState::ALL {
            let label = vec![("breaker", "carrier"), ("state", state.as_str())];
            let is_in_it = i64::from(self.view.breaker() == state);
            states.get_or_create(&label).set(is_in_it);
        }
        let help = "1 for the state that each circuit breaker is in";
        states.encode(encoder.encode_descriptor("skyhaul_breaker_state", help, None, states.metric_type())?)
    }

    fn encode_deliveries(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let in_memory = self.view.deliveries_in_memory() as u64;
        let help = "Deliveries whose records are in memory: those that go on, and the last that ended";
        gauge(encoder, "skyhaul_deliveries_in_memory", help, in_memory)?;
        let counts = self.view.fleet().deliveries;
        let by_state = Labelled::default();
        let states = [
            ("waiting", counts.waiting),
            ("under_way", counts.under_way),
            ("completed", counts.completed),
            ("failed", counts.failed),
            ("cancelled", counts.cancelled),
        ];
        for (state, count) in states {
            by_state.get_or_create(&vec![("state", state)]).set(count as i64);
        }
        let help = "Deliveries by how far they have come";
        let described =
            encoder.encode_descriptor("skyhaul_deliveries", help, None, by_state.metric_type())?;
        by_state.encode(described)
    }

    fn encode_store(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let store = self.writer.gauges();
        counter(
            encoder,
            "skyhaul_store_flushes",
            "Flushed transactions",
            store.flushes(),
        )?;
        counter(
            encoder,
            "skyhaul_store_rows",
            "Journal rows in them",
            store.rows(),
        )?;
        let micros = store.last_flush_micros();
        gauge(
            encoder,
            "skyhaul_store_last_flush_microseconds",
            "How long the last flush took",
            micros,
        )?;
        let stalled = u64::from(store.is_stalled());
        gauge(
            encoder,
            "skyhaul_store_stalled",
            "1 while the store takes no writes",
            stalled,
        )
    }

    fn encode_log(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let log = self.view.log();
        let gauges = [
            ("skyhaul_event_log_last", "Number of the last event", log.last),
            (
                "skyhaul_event_log_kept",
                "Events that listeners may go on from",
                log.kept as u64,
            ),
            (
                "skyhaul_event_log_bound",
                "How many may be kept",
                log.bound as u64,
            ),
            (
                "skyhaul_event_log_subjects",
                "Drones and hubs with events in the log",
                log.subjects as u64,
            ),
        ];
        for (name, help, value) in gauges {
            gauge(encoder, name, help, value)?;
        }
        Ok(())
    }

    fn encode_connections(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let help = "Connections for which there was no place";
        let turned_away = self.connections.turned_away();
        counter(encoder, "skyhaul_http_connections_turned_away", help, turned_away)?;
        if let Some(limit) = &self.rate_limit {
            let help = "Clients that asked lately, where what they ask is limited";
            gauge(encoder, "skyhaul_http_clients", help, limit.clients() as u64)?;
        }
        Ok(())
    }

    fn encode_sessions(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let ws = &self.sessions;
        gauge(
            encoder,
            "skyhaul_ws_sessions_open",
            "WebSocket sessions",
            ws.sessions_open(),
        )?;
        gauge(
            encoder,
            "skyhaul_ws_bytes_waiting",
            "Bytes that sockets have yet to write",
            ws.bytes_waiting(),
        )?;
        let slow = Labelled::default();
        for (level, sessions) in ["1", "2", "3"].into_iter().zip(ws.slow_sessions()) {
            slow.get_or_create(&vec![("level", level)]).set(sessions as i64);
        }
        let help = "Sessions that are sent less because their client is slow";
        slow.encode(encoder.encode_descriptor(
            "skyhaul_ws_sessions_slow",
            help,
            None,
            slow.metric_type(),
        )?)?;
        let tick = self.view.clock().tick;
        gauge(
            encoder,
            "skyhaul_published_tick",
            "The newest tick that can be seen",
            tick,
        )?;
        let counters = [
            (
                "skyhaul_ws_sessions",
                "Sessions since the start",
                ws.sessions_total(),
            ),
            (
                "skyhaul_ws_sessions_refused",
                "Handshakes refused",
                ws.sessions_refused(),
            ),
            (
                "skyhaul_ws_messages_sent",
                "Messages sent to sessions",
                ws.messages_sent(),
            ),
            ("skyhaul_ws_bytes_sent", "Bytes sent to sessions", ws.bytes_sent()),
            ("skyhaul_ws_beats", "Beats of the fan-out", ws.beats()),
            (
                "skyhaul_ws_beats_skipped",
                "Beats that slow sessions skipped",
                ws.beats_skipped(),
            ),
            (
                "skyhaul_ws_closed_slow",
                "Sessions closed for not reading",
                ws.closed_slow(),
            ),
        ];
        for (name, help, value) in counters {
            counter(encoder, name, help, value)?;
        }
        let errors: u64 = ws.errors().map(|(_, count)| count).sum();
        counter(
            encoder,
            "skyhaul_ws_errors",
            "Error messages sent to sessions",
            errors,
        )
    }
}

impl House {
    fn encode_notices(&self, encoder: &mut DescriptorEncoder) -> std::fmt::Result {
        let notices = &self.notices;
        gauge(
            encoder,
            "skyhaul_notices_in_hand",
            "Notices on their way to people; the outbox may have more",
            notices.in_hand(),
        )?;
        let counters = [
            (
                "skyhaul_notices_delivered",
                "Notices delivered",
                notices.delivered(),
            ),
            (
                "skyhaul_notices_retried",
                "Tries that failed and are repeated",
                notices.retried(),
            ),
            ("skyhaul_notices_given_up", "Notices given up", notices.given_up()),
        ];
        for (name, help, value) in counters {
            counter(encoder, name, help, value)?;
        }
        Ok(())
    }
}

impl Collector for House {
    fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
        self.encode_queues(&mut encoder)?;
        self.encode_deliveries(&mut encoder)?;
        if let Some(quotes) = self.view.fleet().quotes {
            eta_metrics::encode(&quotes, &mut encoder)?;
        }
        self.encode_supervision(&mut encoder)?;
        self.encode_store(&mut encoder)?;
        self.encode_log(&mut encoder)?;
        self.encode_notices(&mut encoder)?;
        self.encode_connections(&mut encoder)?;
        self.encode_sessions(&mut encoder)
    }
}
