//! Sessions that speak through the body of an HTTP answer.

use std::pin::Pin;
use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::stand::{Stand, delivery_id, drones, etas, flying, happened, order, took_off};
use crate::auth::{Grant, Role, Viewer, now};
use crate::sim::event::DeliveryEvent;
use crate::sim::geo::{BoundingBox, LatLon};
use crate::sim::ids::DroneId;
use crate::wire::stream::ErrorCode;
use crate::wire::stream::client::Topic;
use crate::ws::sse::PIECE;
use crate::ws::{Config, NoStream, Patience, Wish};

const PATIENCE: Duration = Duration::from_secs(20);
const EVERYWHERE: BoundingBox = BoundingBox {
    west: -122.52,
    south: 37.70,
    east: -122.35,
    north: 37.83,
};

fn anyone() -> Grant {
    Grant {
        viewer: Viewer::anyone(),
        expires: None,
    }
}

impl Stand {
    fn stream_of(&self, wish: Wish) -> Result<Reader, NoStream> {
        let body = self.gateway.stream(wish)?;
        Ok(Reader {
            body: Box::pin(body.into_data_stream()),
            text: String::new(),
            last_event_id: None,
        })
    }

    fn stream(&self, topics: &[Topic], last_event_id: Option<&str>) -> Reader {
        let wish = Wish {
            grant: anyone(),
            topics: topics.to_vec(),
            max_hz: Some(10.0),
            last_event_id: last_event_id.map(str::to_owned),
        };
        self.stream_of(wish).unwrap()
    }
}

/// Reads events as browsers do.
struct Reader {
    body: Pin<Box<BodyDataStream>>,
    text: String,
    last_event_id: Option<String>,
}

/// One block of lines, by the rules of the format.
#[derive(Debug, Default, PartialEq)]
struct Block {
    event: Option<String>,
    id: Option<String>,
    data: Option<Value>,
    retry: Option<u64>,
    comments: usize,
}

impl Reader {
    /// The next bytes; `None` at the end, and an error where it broke off.
    async fn piece(&mut self) -> Option<Result<Bytes, axum::Error>> {
        timeout(PATIENCE, self.body.next())
            .await
            .expect("something in time")
    }

    /// `None` at the end of a stream that ended in good order.
    async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = read_block(block);
                self.text = rest.to_owned();
                if block.id.is_some() {
                    self.last_event_id.clone_from(&block.id);
                }
                return Some(block);
            }
            let Some(piece) = self.piece().await else {
                assert_eq!(self.text, "", "it ends with a whole event");
                return None;
            };
            self.text += std::str::from_utf8(&piece.expect("it goes on")).unwrap();
        }
    }

    /// The next message, whose type is the event's name.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let block = self.block().await?;
            if let Some(data) = block.data {
                assert_eq!(data["type"], block.event.unwrap(), "{data}");
                let has_id = ["event", "snapshot"].contains(&data["type"].as_str().unwrap());
                assert_eq!(block.id.is_some(), has_id, "{data}");
                return Some(data);
            }
        }
    }

    async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await.expect("it goes on");
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// All messages to the end.
    async fn rest(&mut self) -> Vec<Value> {
        let mut seen = Vec::new();
        while let Some(message) = self.next().await {
            seen.push(message);
        }
        seen
    }
}

fn read_block(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines() {
        let (field, value) = line.split_once(": ").unwrap_or((line, ""));
        match field {
            "event" => block.event = Some(value.to_owned()),
            "id" => block.id = Some(value.to_owned()),
            "data" => block.data = Some(serde_json::from_str(value).unwrap()),
            "retry" => block.retry = Some(value.parse().unwrap()),
            ":" => block.comments += 1,
            other => panic!("{other:?} in {text:?}"),
        }
    }
    block
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_says_what_a_socket_hears() {
    let mut stand = Stand::with_drones(3).await;
    let accepted = DeliveryEvent::Accepted { order: order() };
    stand.publish(vec![], vec![(1, happened(1, accepted))]);
    let topics = [
        Topic::Delivery(delivery_id(1)),
        Topic::Area(EVERYWHERE),
        Topic::Drone(DroneId(0)),
        Topic::Hub("mission".into()),
        Topic::Events,
    ];
    let mut stream = stand.stream(&topics, None);
    let begin = stream.block().await.unwrap();
    assert_eq!(begin.retry, Some(1000));
    let mut client = stand.client().await;
    let welcome = stream.next().await.unwrap();
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(welcome["epoch"], "e7");
    for (id, topic) in (1..).zip(&topics) {
        let name = topic.to_string();
        let subscribed = match topic {
            Topic::Area(bounds) => {
                let bbox = [bounds.west, bounds.south, bounds.east, bounds.north];
                client.subscribe_area(id, bbox).await
            }
            _ => client.subscribe(id, &name, 10.0).await,
        };
        assert_eq!(stream.next().await.unwrap(), subscribed, "{name}");
    }

    // Each message of a topic is the same, at the same tick.
    let drone = DroneId(0);
    let mut seen = [Vec::new(), Vec::new()];
    for step in 0..3_u32 {
        let etas = etas(60.0, 600.0 + f64::from(step));
        let kind = match step {
            0 => DeliveryEvent::Created,
            1 => DeliveryEvent::Assigned { drone, etas },
            _ => DeliveryEvent::HeadedToPickup { etas },
        };
        let rows = vec![flying(0, 37.76 + f64::from(step) * 1e-3, -122.44)];
        let tick = stand.publish(rows, vec![(step + 1, took_off(0)), (step + 2, happened(1, kind))]);
        let last_event = json!(2 * step + 3);
        let is_event = |message: &Value| message["id"] == 5 && message["seq"] == last_event;
        let is_row =
            |message: &Value| message["id"] == 2 && message["type"] == "positions" && message["tick"] == tick;
        while !(seen[0].iter().any(is_event) && seen[0].iter().any(is_row)) {
            seen[0].push(client.next().await);
        }
        while !(seen[1].iter().any(is_event) && seen[1].iter().any(is_row)) {
            seen[1].push(stream.next().await.unwrap());
        }
    }
    let said = |from: &[Value], id: u64, kind: &str| -> Vec<Value> {
        let of = |message: &&Value| message["id"] == id && message["type"] == kind;
        from.iter().filter(of).cloned().collect()
    };
    for (id, kind, least) in [(1, "event", 3), (3, "event", 3), (5, "event", 6)] {
        let [socket, stream] = seen.each_ref().map(|seen| said(seen, id, kind));
        assert!(socket.len() >= least, "{socket:?}");
        assert_eq!(socket, stream);
    }
    // Who came earlier may have had one beat more.
    let at_ticks = |from: &[Value]| -> Vec<Value> {
        let told = said(from, 2, "positions").into_iter();
        told.filter(|message| message["full"] == false).collect()
    };
    let [socket, stream] = seen.each_ref().map(|seen| at_ticks(seen));
    assert!(socket.len() >= 2, "{socket:?}");
    assert_eq!(socket[socket.len() - 2..], stream[stream.len() - 2..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_with_the_last_id_misses_nothing_and_sees_nothing_twice() {
    let mut stand = Stand::with_drones(3).await;
    let topics = [
        Topic::Drone(DroneId(0)),
        Topic::Fleet,
        Topic::Drone(DroneId(1)),
        Topic::Events,
    ];
    let mut last_event_id: Option<String> = None;
    let mut told: [Vec<u64>; 3] = Default::default();
    for round in 1..=30 {
        stand.publish(vec![], vec![(2 * round - 1, took_off(0)), (round, took_off(1))]);
        let mut stream = stand.stream(&topics, last_event_id.as_deref());
        stand.publish(vec![], vec![(2 * round, took_off(0))]);
        // Cut after a number of messages that has nothing to do with how many there are.
        let left = if round < 30 { (round * 7) % 9 } else { u32::MAX };
        let mut read = 0;
        while read < left && told.iter().map(Vec::len).sum::<usize>() < 6 * round as usize {
            let message = stream.next().await.unwrap();
            let place = match message["id"].as_u64() {
                Some(1) => 0,
                Some(3) => 1,
                Some(4) => 2,
                _ => continue,
            };
            let (told, seq) = (&mut told[place], message["seq"].as_u64());
            match message["type"].as_str().unwrap() {
                "subscribed" => assert_eq!(message["recovered"], !told.is_empty(), "{message}"),
                "snapshot" => {
                    assert!(told.is_empty(), "it could go on: {message}");
                    told.extend(1..=seq.unwrap());
                    read += 1;
                }
                "event" => {
                    told.push(seq.unwrap());
                    read += 1;
                }
                _ => {}
            }
        }
        last_event_id = stream.last_event_id.or(last_event_id);
    }
    let expected = [60, 30, 90].map(|last| (1..=last).collect::<Vec<u64>>());
    assert_eq!(told, expected);
    assert_eq!(last_event_id.as_deref(), Some("e7.60.-.30.90"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_none_of_ours_begins_anew() {
    let mut stand = Stand::with_drones(1).await;
    stand.publish(vec![], vec![(1, took_off(0)), (2, took_off(0))]);
    let topics = [Topic::Drone(DroneId(0)), Topic::Fleet];
    for id in ["e6.1.-", "e7.1", "e7.1.-.3", "e7.3.-", "e7.-.-", "nonsense", ""] {
        let mut stream = stand.stream(&topics, Some(id));
        assert_eq!(stream.next_of("subscribed").await["recovered"], false, "{id:?}");
        assert_eq!(stream.next_of("snapshot").await["seq"], 2, "{id:?}");
        assert_eq!(stream.last_event_id.as_deref(), Some("e7.2.-"), "{id:?}");
    }
    let mut stream = stand.stream(&topics, Some("e7.1.-"));
    assert_eq!(stream.next_of("subscribed").await["recovered"], true);
    assert_eq!(stream.next_of("event").await["seq"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_followed_is_said_before_there_is_a_stream() {
    let config = Config {
        max_sessions: 1,
        ..Config::default()
    };
    let stand = Stand::new(70, config).await;
    let asked = |topics: Vec<Topic>| {
        let wish = Wish {
            grant: anyone(),
            topics,
            max_hz: None,
            last_event_id: None,
        };
        stand.stream_of(wish).map(drop)
    };
    let everybody = (0..65).map(|drone| Topic::Drone(DroneId(drone))).collect();
    for (topics, id, code) in [
        (
            vec![Topic::Fleet, Topic::Drone(DroneId(70))],
            2,
            ErrorCode::NotFound,
        ),
        (vec![Topic::Delivery(delivery_id(1))], 1, ErrorCode::NotFound),
        (vec![Topic::Hub("nowhere".into())], 1, ErrorCode::NotFound),
        (vec![Topic::Fleet, Topic::Fleet], 2, ErrorCode::DuplicateTopic),
        (everybody, 65, ErrorCode::TooMany),
    ] {
        match asked(topics) {
            Err(NoStream::Refused(refused)) => assert_eq!((refused.id, refused.code), (Some(id), code)),
            other => panic!("{other:?} instead of {code:?}"),
        }
    }
    // None of them took the only seat.
    let stream = stand.stream(&[Topic::Fleet], None);
    assert_eq!(asked(vec![Topic::Fleet]), Err(NoStream::Full));
    drop(stream);
    stand.gateway.drained().await;
    assert_eq!(asked(vec![Topic::Fleet]), Ok(()));
    stand.gateway.drained().await;
    stand.shut_down();
    assert_eq!(asked(vec![Topic::Fleet]), Err(NoStream::ShuttingDown));
}

fn short(close_after_ms: u64) -> Config {
    Config {
        patience: Patience {
            ping_every: Duration::from_millis(100),
            degrade_after: [300, 600, 900].map(Duration::from_millis),
            close_after: Duration::from_millis(close_after_ms),
        },
        ..Config::default()
    }
}

fn levels(seen: &[Value]) -> Vec<u64> {
    let told = seen.iter().filter(|message| message["type"] == "pressure");
    told.map(|message| message["level"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_is_sent_less_and_all_again_when_awake() {
    let mut stand = Stand::new(2, short(60_000)).await;
    let mut stream = stand.stream(&[Topic::Area(EVERYWHERE), Topic::Drone(DroneId(0))], None);
    stream.next_of("positions").await;
    let mut other = stand.client().await;
    other.subscribe(1, "drone/d-0", 10.0).await;
    let mut seq = 0;
    while stand.gateway.telemetry().slow_sessions()[2] == 0 {
        seq += 1;
        let tick = stand.publish(vec![flying(0, 37.75, -122.44)], vec![(seq, took_off(0))]);
        other.positions_at(1, tick).await;
    }
    assert!(
        stand.gateway.telemetry().bytes_waiting() < 4096,
        "one batch, whatever goes by"
    );
    drop(other);

    let (mut seen, mut told) = (Vec::new(), 0);
    while levels(&seen).last() != Some(&0) {
        seq += 1;
        stand.publish(vec![flying(0, 37.75, -122.44)], vec![(seq, took_off(0))]);
        while told < seq {
            let message = stream.next().await.unwrap();
            match message["type"].as_str().unwrap() {
                "snapshot" => told = message["seq"].as_u64().unwrap() as u32,
                "event" => {
                    told += 1;
                    assert_eq!(message["seq"], told, "no event is left out");
                }
                _ => {}
            }
            seen.push(message);
        }
    }
    let mut levels = levels(&seen);
    levels.dedup();
    assert_eq!(levels, [3, 2, 1, 0]);
    let conflated = seen.iter().find(|message| message["type"] == "pressure").unwrap();
    assert!(conflated["conflated"].as_u64().unwrap() > 0, "{conflated}");
    assert_eq!(stand.gateway.telemetry().slow_sessions(), [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_get_written_for_too_long_ends_the_connection() {
    let mut stand = Stand::new(2, short(400)).await;
    let mut stream = stand.stream(&[Topic::Area(EVERYWHERE)], None);
    let mut unwritten = Vec::new();
    let error = loop {
        stand.publish(vec![flying(0, 37.75, -122.44)], vec![]);
        match stream.piece().await.expect("it does not end in good order") {
            Ok(piece) if unwritten.is_empty() => unwritten.push(piece),
            Ok(_) => panic!("a piece is handed out while another waits"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "nothing was read for too long");
    assert_eq!(stand.gateway.telemetry().closed_slow(), 1);
    drop(stream);
    stand.gateway.drained().await;
    assert_eq!(stand.gateway.telemetry().bytes_waiting(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_batch_comes_in_pieces() {
    let mut stand = Stand::with_drones(6_000).await;
    let rows = (0..6_000).map(|drone| flying(drone, 37.76, -122.44)).collect();
    stand.publish(rows, vec![]);
    let mut stream = stand.stream(&[Topic::Area(EVERYWHERE)], None);
    let mut longest = 0;
    while !stream.text.contains("positions") || !stream.text.ends_with("\n\n") {
        let piece = stream.piece().await.unwrap().unwrap();
        longest = longest.max(piece.len());
        stream.text += std::str::from_utf8(&piece).unwrap();
    }
    assert_eq!(longest, PIECE);
    let positions = stream.next_of("positions").await;
    assert_eq!(drones(&positions).len(), 6_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_token() {
    let mut stand = Stand::guarded(1, Config::default()).await;
    let accepted = DeliveryEvent::Accepted { order: order() };
    stand.publish(vec![], vec![(1, happened(1, accepted))]);
    let cafe = Viewer::new(Role::Customer, Some("cafe".into()), None, None).unwrap();
    let ada = Viewer::new(Role::Customer, Some("ada".into()), None, None).unwrap();
    let wish = |viewer: &Viewer, topic: Topic, ttl| Wish {
        grant: Grant {
            viewer: viewer.clone(),
            expires: Some(now() + ttl),
        },
        topics: vec![topic],
        max_hz: None,
        last_event_id: None,
    };
    let delivery = || Topic::Delivery(delivery_id(1));
    for (viewer, topic) in [
        (&ada, delivery()),
        (&cafe, Topic::Fleet),
        (&cafe, Topic::Events),
        (&cafe, Topic::Hub("mission".into())),
        (&cafe, Topic::Drone(DroneId(0))),
    ] {
        match stand.stream_of(wish(viewer, topic, 600)).map(drop) {
            Err(NoStream::Refused(refused)) => assert_eq!(refused.code, ErrorCode::Forbidden),
            other => panic!("{other:?}"),
        }
    }

    let mut stream = stand.stream_of(wish(&cafe, delivery(), 1)).unwrap();
    assert_eq!(stream.next_of("snapshot").await["seq"], 1);
    let seen = stream.rest().await;
    let last = seen.last().expect("a reason");
    assert_eq!(
        (&last["type"], &last["code"]),
        (&json!("error"), &json!("unauthorized"))
    );
    // One that has expired on the way tells nothing at all.
    let mut late = stand.stream_of(wish(&cafe, delivery(), 0)).unwrap();
    let seen = late.rest().await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0]["code"], "unauthorized");
    drop((stream, late));
    stand.gateway.drained().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_ends_with_the_right_to_it() {
    let mut stand = Stand::guarded(1, Config::default()).await;
    let at = LatLon {
        lat: 37.77,
        lon: -122.43,
    };
    let etas = etas(60.0, 600.0);
    let kinds = [
        DeliveryEvent::Accepted { order: order() },
        DeliveryEvent::Created,
        DeliveryEvent::Assigned {
            drone: DroneId(0),
            etas,
        },
        DeliveryEvent::HeadedToPickup { etas },
        DeliveryEvent::PickedUp { location: at },
        DeliveryEvent::HeadedToDropoff { etas },
    ];
    let events = (1..).zip(kinds).map(|(seq, kind)| (seq, happened(1, kind)));
    let events = events.chain([(1, took_off(0))]).collect();
    stand.publish(vec![flying(0, at.lat, at.lon)], events);
    let wish = Wish {
        grant: Grant {
            viewer: Viewer::new(Role::Customer, Some("cafe".into()), None, None).unwrap(),
            expires: None,
        },
        topics: vec![Topic::Drone(DroneId(0)), Topic::Delivery(delivery_id(1))],
        max_hz: None,
        last_event_id: None,
    };
    let mut stream = stand.stream_of(wish).unwrap();
    assert_eq!(stream.next_of("positions").await["id"], 1);
    let completed = DeliveryEvent::Completed { location: at };
    stand.publish(vec![flying(0, at.lat, at.lon)], vec![(7, happened(1, completed))]);
    let error = stream.next_of("error").await;
    assert_eq!((&error["id"], &error["code"]), (&json!(1), &json!("forbidden")));
    assert_eq!(stream.next_of("event").await["event"]["kind"], "Completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shuts_down_ends_its_streams() {
    let stand = Stand::with_drones(1).await;
    let mut stream = stand.stream(&[Topic::Events], None);
    stream.next_of("snapshot").await;
    stand.shut_down();
    let seen = stream.rest().await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(
        (&seen[0]["type"], &seen[0]["code"]),
        (&json!("bye"), &json!("server_shutdown"))
    );
    drop(stream);
    stand.gateway.drained().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_happens_the_server_is_still_there() {
    let config = Config {
        silence_most: Duration::from_millis(50),
        ..Config::default()
    };
    let mut stand = Stand::new(1, config).await;
    let mut stream = stand.stream(&[Topic::Events], None);
    stream.next_of("snapshot").await;
    for _ in 0..2 {
        let comment = stream.block().await.unwrap();
        assert_eq!((comment.comments, &comment.event), (1, &None));
    }
    stand.publish(vec![], vec![(1, took_off(0))]);
    assert_eq!(stream.next_of("event").await["seq"], 1);
}
