//! Through the window: topics of others, tokens that end, and tokens that are renewed.

use serde_json::{Value, json};
use skyhaul::auth::Viewer;
use skyhaul::ws::Config;

use super::{House, LONG, business, customer, link, lunch_of, token};
use crate::support::stream::Stream;
use crate::support::worlds::tiny;

const EVERYWHERE: [f64; 4] = [-122.44, 37.74, -122.39, 37.78];
const HALF: [f64; 4] = [-122.42, 37.74, -122.39, 37.78];

/// The answer to a subscription: `subscribed`, or the code of the error.
async fn answered(stream: &mut Stream, id: u64, topic: Value) -> String {
    let mut request = json!({"type": "subscribe", "id": id});
    let fields = topic.as_object().expect("fields").clone();
    request.as_object_mut().expect("an object").extend(fields);
    stream.send(request).await;
    let answer = stream
        .next_where(|message| {
            message["id"] == id && (message["type"] == "subscribed" || message["type"] == "error")
        })
        .await;
    let word = if answer["type"] == "error" {
        &answer["code"]
    } else {
        &answer["type"]
    };
    word.as_str().expect("a word").to_owned()
}

async fn renewed(stream: &mut Stream, viewer: &Viewer, ttl_s: u64) {
    stream
        .send(json!({"type": "auth", "token": token(viewer, ttl_s)}))
        .await;
    stream.next_where(|message| message["type"] == "authorized").await;
}

/// All that is said up to the answer to a ping.
async fn said_by_now(stream: &mut Stream) -> Vec<Value> {
    stream.send(json!({"type": "ping", "sent": 1})).await;
    let mut said = Vec::new();
    loop {
        let message = stream.next().await;
        if message["type"] == "pong" {
            return said;
        }
        said.push(message);
    }
}

#[tokio::test]
async fn topics_of_others_are_forbidden_whatever_is_said_to_have_been_seen() {
    let house = House::open().await;
    let operator = house.operator();
    let id = house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    let second = house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    operator.step(5).await;
    let epoch = house.enter(&Viewer::anyone()).await.welcome["epoch"].clone();
    let delivery = format!("delivery/{id}");
    for (viewer, strange) in [
        (business("bakery"), &delivery),
        (customer("bakery"), &delivery),
        (link("bakery", &id), &delivery),
        (link("cafe", &second), &delivery),
    ] {
        let mut stream = house.enter(&viewer).await;
        for (topic, expected) in [
            (json!({"topic": strange}), "forbidden"),
            (
                json!({"topic": strange, "since": {"epoch": epoch, "seq": 0}}),
                "forbidden",
            ),
            (
                json!({"topic": strange, "since": {"epoch": epoch, "seq": 3}}),
                "forbidden",
            ),
            (
                json!({"topic": strange, "since": {"epoch": "e0", "seq": 3}}),
                "forbidden",
            ),
            (
                json!({"topic": "drone/d-0", "since": {"epoch": epoch, "seq": 0}}),
                "forbidden",
            ),
            (json!({"topic": "drone/d-99"}), "not_found"),
            (
                json!({"topic": "delivery/01890a5d-ac96-774b-bcce-b302099a8057"}),
                "not_found",
            ),
            (json!({"topic": "fleet"}), "forbidden"),
            (json!({"topic": "events"}), "forbidden"),
            (
                json!({"topic": "events", "since": {"epoch": epoch, "seq": 0}}),
                "forbidden",
            ),
            (json!({"topic": "hub/mission"}), "forbidden"),
            (json!({"topic": "area", "bbox": EVERYWHERE}), "forbidden"),
        ] {
            assert_eq!(
                answered(&mut stream, 1, topic.clone()).await,
                expected,
                "{topic} {viewer:?}"
            );
        }
        operator.step(5).await;
        assert_eq!(said_by_now(&mut stream).await, Vec::<Value>::new());
    }
    let mut own = house.enter(&customer("cafe")).await;
    own.follow_from_the_start(1, &delivery).await;
    assert_eq!(own.next_of("subscribed").await["recovered"], true);
    house.close().await;
}

#[tokio::test]
async fn what_was_followed_ends_with_its_token_unless_it_is_renewed() {
    let house = House::open().await;
    let id = house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    let topic = json!({"topic": format!("delivery/{id}")});
    let short = token(&customer("cafe"), 2);
    let bearer = format!("Bearer {short}");
    let offered = format!("skyhaul.v1.json, skyhaul.token.{short}");
    let mut by_header = house.knock(&[("authorization", &bearer)]).await.unwrap().0;
    let mut by_protocol = house
        .knock(&[("sec-websocket-protocol", &offered)])
        .await
        .unwrap()
        .0;
    let mut by_message = house.knock(&[]).await.unwrap().0;
    by_message.send(json!({"type": "auth", "token": short})).await;
    let mut renewing = house.knock(&[("authorization", &bearer)]).await.unwrap().0;
    for stream in [&mut by_header, &mut by_protocol, &mut by_message, &mut renewing] {
        stream.welcome = stream.next_of("welcome").await;
        assert_eq!(answered(stream, 1, topic.clone()).await, "subscribed");
    }
    renewed(&mut renewing, &customer("cafe"), LONG).await;
    // Nobody says anything, and nothing moves: the world stands still.
    for stream in [&mut by_header, &mut by_protocol, &mut by_message] {
        let (said, code) = stream.read_out().await;
        assert_eq!(code, 4401, "{said:?}");
        let last = said.last().expect("it is told why");
        assert_eq!(
            (&last["type"], &last["code"]),
            (&json!("error"), &json!("unauthorized"))
        );
    }
    let operator = house.operator();
    operator.step(5).await;
    assert_eq!(
        renewing.next_of("event").await["id"],
        1,
        "what was followed goes on"
    );
    // The token that has expired is no way back.
    let (again, _) = house.knock(&[("authorization", &bearer)]).await.unwrap();
    let mut again = again;
    assert_eq!(again.read_out().await.1, 4401);
    house.close().await;
}

#[tokio::test]
async fn a_renewal_may_shorten_and_never_lengthens_with_a_spent_token() {
    let house = House::open().await;
    let mut stream = house.enter(&Viewer::anyone()).await;
    assert_eq!(
        answered(&mut stream, 1, json!({"topic": "fleet"})).await,
        "subscribed"
    );
    renewed(&mut stream, &Viewer::anyone(), 1).await;
    let (said, code) = stream.read_out().await;
    assert_eq!(code, 4401, "{said:?}");

    let mut stream = house.enter(&Viewer::anyone()).await;
    assert_eq!(
        answered(&mut stream, 1, json!({"topic": "fleet"})).await,
        "subscribed"
    );
    stream
        .send(json!({"type": "auth", "token": token(&Viewer::anyone(), 0)}))
        .await;
    let (said, code) = stream.read_out().await;
    assert_eq!(code, 4401, "{said:?}");
    assert_eq!(said.last().expect("it is told why")["code"], "unauthorized");
    house.close().await;
}

#[tokio::test]
async fn another_accounts_token_takes_over_nothing() {
    let house = House::open().await;
    let operator = house.operator();
    let id = house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    let theirs = house.caller(&business("bakery")).order(&lunch_of("bakery")).await;
    let [own, strange] = [&id, &theirs].map(|id| json!({"topic": format!("delivery/{id}")}));
    let mut stream = house.enter(&customer("cafe")).await;
    assert_eq!(answered(&mut stream, 1, own.clone()).await, "subscribed");
    assert_eq!(answered(&mut stream, 2, strange.clone()).await, "forbidden");

    renewed(&mut stream, &customer("bakery"), LONG).await;
    let ended = stream.next_where(|message| message["type"] == "error").await;
    assert_eq!((&ended["id"], &ended["code"]), (&json!(1), &json!("forbidden")));
    assert_eq!(answered(&mut stream, 3, own.clone()).await, "forbidden");
    assert_eq!(answered(&mut stream, 4, strange.clone()).await, "subscribed");
    stream.next_of("snapshot").await;
    operator.step(5).await;
    stream.next_where(|message| message["type"] == "event").await;
    let said = said_by_now(&mut stream).await;
    assert!(said.iter().all(|message| message["id"] == 4), "{said:?}");

    // An operator who hands the session on keeps nothing of it either.
    let mut stream = house.enter(&Viewer::anyone()).await;
    for (id, topic) in [
        (1, json!({"topic": "fleet"})),
        (2, json!({"topic": "events"})),
        (3, json!({"topic": "area", "bbox": EVERYWHERE})),
        (4, json!({"topic": "hub/mission"})),
        (5, json!({"topic": "drone/d-2"})),
        (6, own),
        (7, strange),
    ] {
        assert_eq!(answered(&mut stream, id, topic).await, "subscribed");
    }
    renewed(&mut stream, &link("cafe", &id), LONG).await;
    let mut ended = Vec::new();
    while ended.len() < 6 {
        let error = stream.next_where(|message| message["type"] == "error").await;
        assert_eq!(error["code"], "forbidden");
        ended.push(error["id"].as_u64().expect("a number"));
    }
    ended.sort_unstable();
    assert_eq!(ended, [1, 2, 3, 4, 5, 7]);
    operator.step(5).await;
    let said = said_by_now(&mut stream).await;
    let ends = |message: &Value| message["type"] == "unsubscribed";
    assert!(
        said.iter().all(|message| message["id"] == 6 || ends(message)),
        "{said:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn areas_are_counts_for_customers_where_the_scenario_allows_it_and_stay_so() {
    let mut world = tiny();
    world.density_shown = true;
    let house = House::with(world, Config::default(), &[]).await;
    let operator = house.operator();
    house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    operator.step(100).await;
    for viewer in [business("cafe"), customer("bakery")] {
        let mut stream = house.enter(&viewer).await;
        let area = json!({"topic": "area", "bbox": EVERYWHERE, "maxHz": 10});
        assert_eq!(answered(&mut stream, 1, area).await, "subscribed");
        let density = stream.next_of("density").await;
        let cells = density["cells"].as_array().expect("cells");
        let flying: u64 = cells.iter().map(|cell| cell[2].as_u64().expect("a count")).sum();
        assert_eq!(flying, 1, "{density}");
        let update = json!({"type": "update", "id": 1, "bbox": HALF, "maxHz": 10});
        stream.send(update.clone()).await;
        stream.next_of("subscribed").await;
        stream.next_of("density").await;
        // A better token widens nothing that was asked for with a lesser one.
        renewed(&mut stream, &Viewer::anyone(), LONG).await;
        stream.send(update).await;
        stream.next_of("subscribed").await;
        operator.step(5).await;
        let told =
            stream.next_where(|message| message["type"] == "density" || message["type"] == "positions");
        assert_eq!(told.await["type"], "density");
    }
    house.close().await;
}
