//! `/asyncapi.json` against what a real server says: each message fits its schema with not
//! one member more, and each message and error code that is described was heard.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::client::{Client, parcel};
use crate::support::server::{Running, lively};
use crate::support::stream::Stream;
use crate::support::worlds::busy;

/// What is described and cannot be heard here, and why.
const UNHEARD: [(&str, &str); 12] = [
    ("auth", "takes a token; the journey of access says it"),
    ("authorized", "answers a token; the journey of access hears it"),
    ("discontinuity", "takes a recording that goes to another moment"),
    ("clock", "takes a recording; the journey of own moments hears it"),
    ("seek", "the same"),
    ("play", "the same"),
    ("live", "the same"),
    ("not_recorded", "the same"),
    ("pressure", "takes a client that does not read"),
    ("density", "takes a viewer who may not see drones one by one"),
    ("forbidden", "takes a viewer with a role"),
    ("unauthorized", "takes a server that asks for tokens"),
];

/// The description, and which of it was heard.
struct Description {
    schemas: BTreeMap<String, Validator>,
    codes: BTreeSet<String>,
    heard: BTreeSet<String>,
}

impl Description {
    async fn read(client: &Client) -> Self {
        let (_, document) = client.get("/asyncapi.json").await;
        let components = closed_below(&document["components"]);
        let messages = document["components"]["messages"].as_object().unwrap();
        let schemas = messages.iter().map(|(name, message)| {
            let mut schema = closed(message["payload"].clone());
            schema["components"] = components.clone();
            (name.clone(), jsonschema::draft202012::new(&schema).unwrap())
        });
        let codes = document["components"]["schemas"]["ErrorCode"]["oneOf"]
            .as_array()
            .unwrap();
        Description {
            schemas: schemas.collect(),
            codes: codes.iter().map(|code| text(&code["enum"][0])).collect(),
            heard: BTreeSet::new(),
        }
    }

    fn errors(&self, message: &Value) -> Vec<String> {
        let name = text(&message["type"]);
        match self.schemas.get(&name) {
            Some(schema) => schema
                .iter_errors(message)
                .map(|error| error.to_string())
                .collect(),
            None => vec![format!("`{name}` is not described")],
        }
    }

    /// Checks what was said, by either side.
    fn hear(&mut self, message: &Value) {
        let errors = self.errors(message);
        assert!(errors.is_empty(), "{errors:?} in {message}");
        if self.heard.insert(text(&message["type"])) {
            self.notices_what_is_not_described(message);
        }
        if message["type"] == "error" {
            self.heard.insert(text(&message["code"]));
        }
    }

    /// With one member more, wherever it is, a message must not pass.
    fn notices_what_is_not_described(&self, message: &Value) {
        for place in objects(message, "") {
            // There the members' names are the statuses.
            if place.ends_with("/byStatus") {
                continue;
            }
            let mut more = message.clone();
            more.pointer_mut(&place).unwrap()["undescribed"] = 1.into();
            assert!(!self.errors(&more).is_empty(), "{place:?} is open in {message}");
        }
    }

    fn not_heard(&self) -> Vec<&str> {
        let described = self.schemas.keys().chain(&self.codes);
        described
            .filter(|name| !self.heard.contains(*name))
            .map(String::as_str)
            .collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The schema of a value that holds nothing but what is described.
fn closed(schema: Value) -> Value {
    let mut schema = closed_below(&schema);
    if let Value::Object(members) = &mut schema {
        members.insert("unevaluatedProperties".into(), false.into());
    }
    schema
}

/// Closes the schemas of all values inside, and leaves those open that only add to another.
fn closed_below(schema: &Value) -> Value {
    let all = |schemas: &Value| match schemas {
        Value::Object(named) => {
            let named = named
                .iter()
                .map(|(name, schema)| (name.clone(), closed(schema.clone())));
            Value::Object(named.collect())
        }
        Value::Array(listed) => listed.iter().cloned().map(closed).collect(),
        other => other.clone(),
    };
    match schema {
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                let member = match name.as_str() {
                    "properties" | "prefixItems" => all(member),
                    "items" | "additionalProperties" => closed(member.clone()),
                    "examples" | "example" | "default" | "enum" => member.clone(),
                    _ => closed_below(member),
                };
                (name.clone(), member)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(schemas) => schemas.iter().map(closed_below).collect(),
        other => other.clone(),
    }
}

/// Pointers to all objects in a value, itself first.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => return Vec::new(),
    };
    let own = value.is_object().then(|| at.to_owned());
    let inside = below
        .into_iter()
        .flat_map(|(name, value)| objects(value, &format!("{at}/{name}")));
    own.into_iter().chain(inside).collect()
}

/// A client that checks all that is said.
struct Listener {
    stream: Stream,
    description: Description,
}

impl Listener {
    async fn open(server: &Running) -> Self {
        let mut description = Description::read(&server.client()).await;
        let stream = server.stream().await;
        description.hear(&stream.welcome);
        Listener { stream, description }
    }

    /// Says what is described.
    async fn say(&mut self, message: Value) {
        self.description.hear(&message);
        self.stream.send(message).await;
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.stream.next().await;
            self.description.hear(&message);
            if wanted(&message) {
                return message;
            }
        }
    }

    async fn follow(&mut self, id: u64, topic: &str, more: Value) {
        let mut message = json!({"type": "subscribe", "id": id, "topic": topic});
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.say(message).await;
        self.until(|message| message["type"] == "subscribed" && message["id"] == id)
            .await;
    }

    async fn refused(&mut self, message: Value, code: &str) {
        self.stream.send(message).await;
        self.until(|message| message["code"] == code).await;
    }
}

#[tokio::test]
async fn all_that_is_said_is_described_and_all_that_is_described_is_said() {
    let server = Running::start(busy(), lively()).await;
    let operator = server.client();
    let mut listener = Listener::open(&server).await;
    let start = json!({"since": {"epoch": listener.stream.welcome["epoch"], "seq": 0}});

    // Live: the first frame, what changes, gauges.
    let everywhere = json!({"bbox": [-123, 37, -122, 38], "maxHz": 10});
    listener.follow(1, "area", everywhere).await;
    listener.until(|message| message["full"] == true).await;
    listener.follow(2, "fleet", json!({})).await;
    let delivery = operator.order(&parcel("Dolores Park", "City Hall", 1.0)).await;
    operator.run_to(9_000).await;
    listener.until(|message| message["full"] == false).await;
    listener.until(|message| message["type"] == "fleet").await;
    let nearby = json!({"type": "update", "id": 1, "bbox": [-122.42, 37.75, -122.40, 37.77], "maxHz": 0.5});
    listener.say(nearby).await;
    listener
        .until(|message| message["type"] == "positions" && message["full"] == true)
        .await;
    listener.say(json!({"type": "unsubscribe", "id": 1})).await;
    listener.until(|message| message["type"] == "unsubscribed").await;

    // From the start: everything that a busy quarter of an hour holds.
    for (id, topic) in [(3, "drone/d-0"), (4, "hub/mission"), (5, "hub/potrero")] {
        listener.follow(id, topic, json!({})).await;
        listener
            .until(|message| message["type"] == "snapshot" && message["id"] == id)
            .await;
    }
    listener
        .follow(6, &format!("delivery/{delivery}"), start.clone())
        .await;
    listener
        .until(|message| ["Completed", "Failed"].contains(&message["event"]["kind"].as_str().unwrap_or("")))
        .await;
    listener.follow(7, "events", json!({})).await;
    let now = listener
        .until(|message| message["type"] == "snapshot" && message["id"] == 7)
        .await;
    listener.say(json!({"type": "unsubscribe", "id": 7})).await;
    listener.follow(8, "events", start).await;
    listener
        .until(|message| message["id"] == 8 && message["seq"] == now["seq"])
        .await;

    // What goes wrong, and the end.
    listener
        .refused(json!({"type": "subscribe", "id": 9}), "bad_message")
        .await;
    listener
        .refused(json!({"type": "dance", "id": 9}), "unknown_type")
        .await;
    for (topic, id, code) in [
        ("weather", 9, "unknown_topic"),
        ("drone/d-999", 9, "not_found"),
        ("drone/d-1", 2, "duplicate_id"),
        ("fleet", 9, "duplicate_topic"),
    ] {
        let request = json!({"type": "subscribe", "id": id, "topic": topic});
        listener.refused(request, code).await;
    }
    listener
        .refused(json!({"type": "unsubscribe", "id": 9}), "unknown_id")
        .await;
    let (_, deliveries) = operator.get("/api/deliveries?limit=1000").await;
    let deliveries = deliveries["items"].as_array().unwrap().iter();
    let drones = (1..24).map(|number| format!("drone/d-{number}"));
    let more = deliveries.map(|delivery| format!("delivery/{}", text(&delivery["id"])));
    for (id, topic) in (100..).zip(drones.chain(more)) {
        listener
            .stream
            .send(json!({"type": "subscribe", "id": id, "topic": topic}))
            .await;
    }
    listener.until(|message| message["code"] == "too_many").await;
    listener.say(json!({"type": "ping", "sent": 1})).await;
    listener.until(|message| message["type"] == "pong").await;
    for _ in 0..1_000 {
        listener.stream.send(json!({"type": "ping"})).await;
    }
    listener.until(|message| message["code"] == "rate_limited").await;
    let said_bye = listener.until(|message| message["type"] == "bye");
    tokio::join!(server.stop(), said_bye);

    let unheard = UNHEARD.map(|(name, _)| name);
    let mut silent = listener.description.not_heard();
    silent.retain(|name| !unheard.contains(name));
    assert!(silent.is_empty(), "described, and never heard: {silent:?}");
}
