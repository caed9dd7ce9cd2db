//! The description of the WebSocket and of server-sent events as an AsyncAPI 3.0 document, made from the
//! types of the messages, so that it says what they are.
//!
//! A new variant of `ServerMessage` or a new member is in it by itself; a message without
//! an example is refused by the tests, and so is one that the description does not fit.

mod examples;
mod shapes;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::{Encoding, ServerMessage};
pub use shapes::{Bbox, Subject};
use shapes::{ClientShapes, ServerShapes};

const WINDOW: &str = "\
One connection follows up to 64 topics. A topic begins with a `snapshot`, or with the events \
that were missed, and goes on with what changes. Events are numbered per topic without holes; \
`since` asks for those after the last one seen, also on a new connection and after a restart. \
Positions are conflated: who is slow gets the newest, never a backlog.

The encoding is chosen by sub-protocol: `skyhaul.v1.json` (text frames, the default) or \
`skyhaul.v1.msgpack` (the same messages as MessagePack maps with string keys in binary frames).

Where tokens are required they come as `Authorization: Bearer`, as a sub-protocol entry \
`skyhaul.token.<jwt>`, or as a first message `auth`.

Closes with 1001 when the server shuts down, 1007 after broken UTF-8, 1009 after a message of \
more than 64 KiB, 1013 when nothing was read for 30 s, 4401 without a valid token.";

const STREAM: &str = "\
What the server says, without a WebSocket: each message is an event, its type the event's name \
and its JSON the data. `topic` may be given up to 64 times; subscriptions are numbered from 1 on \
in that order. `bbox` (west,south,east,north) belongs to `area`, `maxHz` to all positions. A topic \
that cannot be followed is answered with a status before any stream begins.

Events and snapshots have an id: the epoch, then for each topic the number of its last event, or \
`-` where it has none, as in `e7.57.-.12`. With it as `Last-Event-ID`, which browsers send by \
themselves, the same address goes on after those events, also after a restart; with one that is \
not this stream's it begins anew. The token comes as `Authorization: Bearer`; when it expires the \
last message is `error` with code `unauthorized`. A comment every 15 s breaks the silence. Who \
reads slowly is treated as on the WebSocket, and cut off when nothing was read for 30 s.";

/// What only answers a client's words, which a stream does not hear.
const ANSWERS: [&str; 3] = ["authorized", "clock", "pong"];

/// The document.
pub fn document() -> Value {
    let mut schemas = Map::new();
    let mut messages = Map::new();
    let from_server = [
        describe::<ServerMessage<'static>>(&mut schemas, &mut messages),
        describe::<ServerShapes>(&mut schemas, &mut messages),
    ]
    .concat();
    let from_client = describe::<ClientShapes>(&mut schemas, &mut messages);
    for (name, payload) in examples::all() {
        if let Some(Value::Array(examples)) = messages[&name].get_mut("examples") {
            examples.push(json!({ "payload": payload }));
        }
    }
    let window = [from_server.as_slice(), &from_client].concat();
    let mut unasked = from_server.clone();
    unasked.retain(|name| !ANSWERS.contains(&name.as_str()));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Skyhaul, live",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Drones and deliveries of one simulated world as they go. Times are simulated, \
                            RFC 3339 in UTC; metres above the ground, m/s, Wh and kg.",
            "license": { "name": "Apache-2.0 OR MIT" },
            "externalDocs": { "description": "The HTTP interface", "url": "/openapi.json" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "window": { "host": "127.0.0.1:8080", "protocol": "ws" },
            "door": { "host": "127.0.0.1:8080", "protocol": "http" },
        },
        "channels": {
            "window": {
                "address": "/ws",
                "title": "WebSocket",
                "description": WINDOW,
                "servers": [{ "$ref": "#/servers/window" }],
                "messages": references(&window, "#/components/messages"),
                "bindings": { "ws": { "method": "GET", "headers": handshake(), "bindingVersion": "0.1.0" } },
            },
            "stream": {
                "address": "/api/stream",
                "title": "Server-sent events",
                "description": STREAM,
                "servers": [{ "$ref": "#/servers/door" }],
                "messages": references(&unasked, "#/components/messages"),
            },
        },
        "operations": {
            "tell": operation("send", "window", &from_server),
            "hear": operation("receive", "window", &from_client),
            "stream": operation("send", "stream", &unasked),
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

/// Adds a message for each variant of an enum that is tagged by `type`, with all schemas
/// that it needs, and gives the messages' names.
fn describe<T: ToSchema>(schemas: &mut Map<String, Value>, messages: &mut Map<String, Value>) -> Vec<String> {
    let mut needed = Vec::new();
    T::schemas(&mut needed);
    schemas.extend(needed.into_iter().map(|(name, schema)| (name, as_json(&schema))));
    let Value::Array(variants) = as_json(&T::schema())["oneOf"].take() else {
        unreachable!("an enum is one of its variants")
    };
    variants
        .into_iter()
        .map(|variant| {
            let name = type_of(&variant).expect("each variant has a `type`").to_owned();
            let schema = format!("{}Message", capitalised(&name));
            let mut message = json!({
                "name": name,
                "title": schema,
                "payload": { "$ref": format!("#/components/schemas/{schema}") },
                "examples": [],
            });
            if let Some(description) = variant.get("description") {
                message["summary"] = description.clone();
            }
            schemas.insert(schema, variant);
            messages.insert(name.clone(), message);
            name
        })
        .collect()
}

/// The one value that the `type` of a message may have.
fn type_of(variant: &Value) -> Option<&str> {
    let own = variant.pointer("/properties/type/enum/0").and_then(Value::as_str);
    own.or_else(|| variant["allOf"].as_array()?.iter().find_map(type_of))
}

fn as_json(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).expect("schemas have only string keys")
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn references(names: &[String], at: &str) -> Value {
    let reference = |name: &String| (name.clone(), json!({ "$ref": format!("{at}/{name}") }));
    Value::Object(names.iter().map(reference).collect())
}

fn operation(action: &str, channel: &str, messages: &[String]) -> Value {
    let messages = references(messages, &format!("#/channels/{channel}/messages"));
    let messages: Vec<_> = messages.as_object().into_iter().flat_map(Map::values).collect();
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": messages,
    })
}

fn handshake() -> Value {
    json!({
        "type": "object",
        "properties": {
            "Sec-WebSocket-Protocol": {
                "type": "string",
                "description": "one of the encodings, and perhaps `skyhaul.token.<jwt>`",
                "default": Encoding::Json.protocol(),
                "examples": Encoding::ALL.map(Encoding::protocol),
            },
            "Authorization": { "type": "string", "description": "`Bearer <jwt>`" },
        },
    })
}
