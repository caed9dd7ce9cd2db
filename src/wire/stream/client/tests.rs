//! What clients may say, in both encodings.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn code_of(text: &str) -> (Option<u64>, ErrorCode) {
    let refused = ClientMessage::read_json(text).expect_err(text);
    (refused.id, refused.code)
}

#[test]
fn every_mistake_gets_its_code_and_its_id() {
    use ErrorCode::*;
    let cases = [
        ("", None, BadMessage),
        ("[1]", None, BadMessage),
        ("{\"type\":", None, BadMessage),
        (r#"{"id":4}"#, Some(4), BadMessage),
        (r#"{"type":7,"id":4}"#, Some(4), BadMessage),
        (r#"{"type":"dance","id":4}"#, Some(4), UnknownType),
        (r#"{"type":"subscribe","topic":"fleet"}"#, None, BadMessage),
        (
            r#"{"type":"subscribe","id":-1,"topic":"fleet"}"#,
            None,
            BadMessage,
        ),
        (r#"{"type":"subscribe","id":4}"#, Some(4), BadMessage),
        (
            r#"{"type":"subscribe","id":4,"topic":"area"}"#,
            Some(4),
            BadMessage,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"area","bbox":[1,2,3]}"#,
            Some(4),
            BadMessage,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"area","bbox":[3,1,2,2]}"#,
            Some(4),
            BadMessage,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"area","bbox":[1,1,2,91]}"#,
            Some(4),
            BadMessage,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"fleet","maxHz":0}"#,
            Some(4),
            BadMessage,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"fleet","maxHz":"5"}"#,
            Some(4),
            BadMessage,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"fleet/1"}"#,
            Some(4),
            UnknownTopic,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"events/1"}"#,
            Some(4),
            UnknownTopic,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"delivery/7"}"#,
            Some(4),
            NotFound,
        ),
        (
            r#"{"type":"subscribe","id":4,"topic":"drone/d-01"}"#,
            Some(4),
            NotFound,
        ),
        (
            r#"{"type":"update","id":4,"bbox":[181,1,182,2]}"#,
            Some(4),
            BadMessage,
        ),
        (r#"{"type":"unsubscribe"}"#, None, BadMessage),
        (r#"{"type":"ping","sent":"now"}"#, None, BadMessage),
    ];
    for (text, id, code) in cases {
        assert_eq!(code_of(text), (id, code), "{text}");
    }
}

#[test]
fn a_member_of_the_wrong_type_is_named() {
    let cases = [
        (
            r#"{"type":"subscribe","id":1,"topic":"fleet","since":{"epoch":"e1","seq":"9"}}"#,
            "`since.seq`",
        ),
        (
            r#"{"type":"subscribe","id":1,"topic":"fleet","since":{"epoch":1,"seq":9}}"#,
            "`since.epoch`",
        ),
        (
            r#"{"type":"subscribe","id":1,"topic":"fleet","since":{"epoch":"e1"}}"#,
            "`since.seq` is missing",
        ),
        (
            r#"{"type":"subscribe","id":1,"topic":"area","bbox":[1,2,"3",4]}"#,
            "`bbox[2]`",
        ),
        (r#"{"type":"subscribe","id":1,"topic":7}"#, "`topic`"),
        (r#"{"type":"update","id":1,"maxHz":[]}"#, "`maxHz`"),
        (r#"{"type":"ping","sent":"now"}"#, "`sent`"),
        (r#"{"type":"auth","token":7}"#, "`token`"),
        (r#"{"type":"auth"}"#, "`token` is missing"),
        (r#"{"type":"subscribe","id":1}"#, "`topic` is missing"),
        (
            r#"{"type":"subscribe","id":"1","topic":"fleet"}"#,
            "`id` must be a whole number from 0",
        ),
        (
            r#"{"type":"subscribe","id":1,"topic":"fleet","since":7}"#,
            "`since` must be an object with `epoch` and `seq`",
        ),
        (
            r#"{"type":"subscribe","id":1,"topic":"area","bbox":[1,2,3]}"#,
            "`bbox` must be four numbers: west, south, east, north",
        ),
        (
            r#"{"type":"subscribe","id":1,"topic":"area","bbox":7}"#,
            "`bbox` must be four numbers: west, south, east, north",
        ),
        ("[1, 2", "not JSON: it ends too soon"),
        ("{\"type\" 7}", "not JSON: it goes wrong at line 1, column 9"),
    ];
    for (text, named) in cases {
        let refused = ClientMessage::read_json(text).expect_err(text);
        assert_eq!(refused.code, ErrorCode::BadMessage, "{text}");
        assert!(refused.message.contains(named), "{text}: {}", refused.message);
    }
}

#[test]
fn a_token_is_read_and_never_shown() {
    let message = ClientMessage::read_json(r#"{"type":"auth","token":"eyJh.secret"}"#).expect("a message");
    assert!(!format!("{message:?}").contains("secret"), "{message:?}");
    assert_eq!(
        message,
        ClientMessage::Auth {
            token: Token::new("eyJh.secret")
        }
    );
}

#[test]
fn a_topic_has_one_name_however_it_was_spelled() {
    let read = |topic: &str| {
        let text = format!(r#"{{"type":"subscribe","id":1,"topic":"{topic}","future":true}}"#);
        match ClientMessage::read_json(&text) {
            Ok(ClientMessage::Subscribe(subscribe)) => subscribe.topic.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let canonical = "delivery/01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(read(canonical), canonical);
    assert_eq!(read("delivery/01890A5DAC96774BBCCEB302099A8057"), canonical);
    assert_eq!(read("drone/d-17"), "drone/d-17");
}

#[test]
fn nothing_that_a_client_sends_is_echoed_at_length() {
    let long = "ä".repeat(10_000);
    for text in [
        format!(r#"{{"type":"{long}"}}"#),
        format!(r#"{{"type":"subscribe","id":1,"topic":"{long}"}}"#),
        format!(r#"{{"type":"subscribe","id":"{long}","topic":"fleet"}}"#),
    ] {
        let refused = ClientMessage::read_json(&text).expect_err("a mistake");
        assert!(refused.message.len() < 500, "{}", refused.message.len());
    }
}

/// Anything that JSON can say, with the words of the protocol among its keys and values.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "id",
        "topic",
        "bbox",
        "maxHz",
        "since",
        "epoch",
        "seq",
        "sent",
        "token",
        "subscribe",
        "update",
        "unsubscribe",
        "ping",
        "auth",
        "area",
        "fleet",
        "drone/d-17",
        "hub/mission",
        "e1",
        "ä",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-200.0..200.0_f64).prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|members| members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Map<_, _>>())
                .prop_map(Value::from),
        ]
    })
}

/// Messages that are right, or wrong in one member or two.
fn nearly_right() -> impl Strategy<Value = Value> {
    let right = prop::sample::select(vec![
        json!({"type": "subscribe", "id": 1, "topic": "delivery/01890a5d-ac96-774b-bcce-b302099a8057",
               "since": {"epoch": "e7", "seq": 41}}),
        json!({"type": "subscribe", "id": 2, "topic": "area", "bbox": [-122.5, 37.7, -122.4, 37.8], "maxHz": 5}),
        json!({"type": "update", "id": 2, "bbox": [-122.5, 37.7, -122.4, 37.8], "maxHz": 0.5}),
        json!({"type": "unsubscribe", "id": 2}),
        json!({"type": "ping", "sent": 12.5}),
        json!({"type": "auth", "token": "a.b.c"}),
    ]);
    let mistakes = prop::collection::vec((any::<prop::sample::Index>(), anything()), 0..3);
    (right, mistakes).prop_map(|(mut message, mistakes)| {
        for (member, value) in mistakes {
            if let Some(members) = message.as_object_mut() {
                let at = member.index(members.len());
                if let Some(member) = members.values_mut().nth(at) {
                    *member = value;
                }
            }
        }
        message
    })
}

proptest! {
    #[test]
    fn both_encodings_are_read_alike(message in prop_oneof![anything(), nearly_right()]) {
        let packed = rmp_serde::to_vec_named(&message).unwrap();
        prop_assert_eq!(ClientMessage::read_msgpack(&packed), ClientMessage::read_json(&message.to_string()));
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let _ = ClientMessage::read_msgpack(&bytes);
        let _ = ClientMessage::read_json(&text);
    }

    #[test]
    fn a_message_that_was_damaged_is_read_or_refused(
        message in nearly_right(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut packed = rmp_serde::to_vec_named(&message).unwrap();
        let at = at.index(packed.len());
        packed[at] = byte;
        let _ = ClientMessage::read_msgpack(&packed);
        packed.truncate(at);
        prop_assert!(ClientMessage::read_msgpack(&packed).is_err());
    }
}

#[test]
fn what_json_cannot_say_is_refused() {
    let message = rmp_serde::to_vec_named(&json!({"type": "ping"})).unwrap();
    let mut followed = message.clone();
    followed.push(0xc0);
    let deep = [vec![0x91; 60_000], vec![0xc0]].concat();
    let cases: [(&str, &[u8]); 6] = [
        ("nothing", &[]),
        ("bytes behind it", &followed),
        ("a key that is a number", &[0x81, 0x01, 0x02]),
        ("bytes", &[0x81, 0xa4, b't', b'y', b'p', b'e', 0xc4, 0x01, 0x00]),
        ("a string that claims 4 GB", &[0xdb, 0xff, 0xff, 0xff, 0xff, b'a']),
        ("depth", &deep),
    ];
    for (what, bytes) in cases {
        let refused = ClientMessage::read_msgpack(bytes).expect_err(what);
        assert_eq!(
            (refused.id, refused.code),
            (None, ErrorCode::BadMessage),
            "{what}"
        );
    }
    assert_eq!(
        ClientMessage::read_msgpack(&message),
        Ok(ClientMessage::Ping { sent: None })
    );
}
