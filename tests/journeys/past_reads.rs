//! One truth about a moment that one session looks at: what it hears, what HTTP answers, and what a
//! live world said then; for each no more than they might see then.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skyhaul::sim::event::{DeliveryEvent, Happening};
use skyhaul::sim::ids::DeliveryId;

use crate::own_moments::{bearer, seek, token, watcher};
use crate::recordings::{replay, serve_and_record};
use crate::support::client::{Client, parcel};

/// What all see, and what belongs to this show.
async fn both(client: &Client, show: &str, path: &str) -> (Value, Value) {
    let (status, own) = client.get(&format!("/shows/{show}{path}")).await;
    assert_eq!(status.as_u16(), 200, "{path}: {own}");
    (client.get(path).await.1, own)
}

#[tokio::test(flavor = "multi_thread")]
async fn http_answers_with_the_moment_that_the_session_sees() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    client
        .control(json!({"simTime": served.clocks[5]["simTime"]}))
        .await;
    let mut stream = watcher(server.address()).await;
    let (_, clock, full) = seek(&mut stream, &served.clocks[1]["simTime"]).await;
    let show = clock["show"].as_str().unwrap().to_owned();

    let (common, own) = both(&client, &show, "/api/drones?limit=100").await;
    assert_eq!(own, served.drones[1], "as it was said live");
    assert_ne!(common, own);
    let mut compared = 0;
    for row in full["drones"].as_array().unwrap() {
        let path = format!("/shows/{show}/api/drones/{}", row[0].as_str().unwrap());
        let drone = client.get(&path).await.1;
        let place = &drone["location"];
        let told = json!([
            drone["id"],
            place["latitude"],
            place["longitude"],
            drone["status"]
        ]);
        assert_eq!(told, json!([row[0], row[1], row[2], row[7]]), "{drone}");
        compared += 1;
    }
    assert_eq!(compared, 40);
    let (common, own) = both(&client, &show, "/api/simulation").await;
    assert_eq!(
        (&own["tick"], &own["digest"]),
        (&clock["tick"], &served.clocks[1]["digest"])
    );
    assert_eq!(common["tick"], served.clocks[5]["tick"], "nobody else was moved");
    let (common, own) = both(&client, &show, "/api/deliveries?limit=1000").await;
    let count = |list: &Value| list["items"].as_array().unwrap().len();
    assert!(
        count(&own) < count(&common),
        "what was ordered later is not there yet"
    );
    let (_, hubs) = both(&client, &show, "/api/hubs").await;
    assert_eq!(hubs["items"].as_array().unwrap().len(), 2);

    // It goes with the session.
    let there = &served.clocks[3];
    stream
        .send(json!({"type": "seek", "simTime": there["simTime"]}))
        .await;
    // A beat may show it before it is answered.
    let is_there = |message: &Value| message["type"] == "clock" && message["tick"] == there["tick"];
    let later = stream.next_where(is_there).await;
    assert_eq!(later["show"], clock["show"]);
    assert_eq!(
        both(&client, &show, "/api/drones?limit=100").await.1,
        served.drones[3]
    );

    // And reads are all that it has.
    let prefix = format!("/shows/{show}");
    for (path, body) in [
        ("/api/deliveryrequests", parcel("Dolores Park", "City Hall", 2.0)),
        ("/api/simulation/step", json!({})),
    ] {
        let (status, why) = client.post(&format!("{prefix}{path}"), &body).await;
        assert_eq!(status.as_u16(), 409, "{why}");
    }
    for path in ["/", "/metrics", "/ws", "/api/stream?topic=fleet", "/docs/"] {
        let (status, why) = client.get(&format!("{prefix}{path}")).await;
        assert_eq!(status.as_u16(), 404, "{path}: {why}");
    }
    stream.send(json!({"type": "live"})).await;
    let back = stream.next_of("clock").await;
    assert_eq!((&back["live"], back.get("show")), (&json!(true), None));
    assert_eq!(client.get(&format!("{prefix}/api/drones")).await.0.as_u16(), 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_is_its_sessions_and_shows_no_more_than_its_token_may_see() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    client
        .control(json!({"simTime": served.clocks[5]["simTime"]}))
        .await;
    let at = &served.clocks[3]["simTime"];
    let mut operator = watcher(server.address()).await;
    let name = |clock: &Value| clock["show"].as_str().unwrap().to_owned();
    let theirs = name(&seek(&mut operator, at).await.1);

    let cafe = token(&client, json!({"role": "customer", "account": "cafe"})).await;
    let mut guest = bearer(server.address(), &cafe).await;
    guest.send(json!({"type": "seek", "simTime": at})).await;
    let own = name(&guest.next_of("clock").await);
    assert_ne!(own, theirs);
    let bakery = token(&client, json!({"role": "customer", "account": "bakery"})).await;
    let as_guest = |token: &str| Client::with_token(token, server.address(), client.view());
    let status = async |caller: &Client, path: String| caller.get(&path).await.0.as_u16();
    let (cafe, bakery) = (as_guest(&cafe), as_guest(&bakery));
    assert_eq!(status(&cafe, format!("/shows/{own}/api/simulation")).await, 200);
    for (caller, show) in [
        (&cafe, &theirs),
        (&bakery, &own),
        (&bakery, &theirs),
        (&client, &own),
    ] {
        assert_eq!(status(caller, format!("/shows/{show}/api/simulation")).await, 404);
    }
    assert_eq!(status(&client, format!("/shows/{theirs}/api/world")).await, 200);
    assert_eq!(status(&cafe, format!("/shows/{own}/api/timeline")).await, 403);
    let list = cafe
        .get(&format!("/shows/{own}/api/deliveries?limit=1000"))
        .await
        .1;
    for delivery in list["items"].as_array().unwrap() {
        assert_eq!(delivery["owner"]["accountId"], "cafe", "{delivery}");
    }
    // What nobody looks at is not there to be written to, either.
    for path in ["/api/simulation", "/api/simulation/step"] {
        let (status, why) = client.post(&format!("/shows/nobodys{path}"), &json!({})).await;
        assert_eq!(status.as_u16(), 404, "{path}: {why}");
    }
    drop(guest);
    while status(&cafe, format!("/shows/{own}/api/simulation")).await == 200 {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

/// Of a delivery that is on its way to the door: its account, drone, and the tick since when.
async fn aboard(client: &Client) -> (String, String, String, u64) {
    let (_, list) = client
        .get("/api/deliveries?stage=HeadedToDropoff&limit=1000")
        .await;
    for item in list["items"].as_array().unwrap() {
        let id: DeliveryId = item["id"].as_str().unwrap().parse().unwrap();
        let record = client.view().delivery(id).unwrap();
        let Some(drone) = record.drone() else { continue };
        let is_start = |happening: &Happening| {
            matches!(
                happening,
                Happening::Delivery(_, DeliveryEvent::HeadedToDropoff { .. })
            )
        };
        let start = record
            .events
            .iter()
            .rfind(|event| is_start(&event.happening))
            .unwrap();
        let tick = start.at.0.div_ceil(client.view().world().tick.0);
        return (
            id.to_string(),
            record.order.owner.account.clone(),
            drone.to_string(),
            tick,
        );
    }
    panic!("nothing is aboard: {list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn backwards_a_customer_sees_the_drone_for_as_long_as_it_was_theirs() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let last = served.clocks[5]["simTime"].clone();
    client.control(json!({"simTime": last})).await;
    let (id, account, drone, aboard_since) = aboard(&client).await;
    let wish = json!({"role": "customer", "account": account, "delivery": id});
    let link = token(&client, wish).await;
    let guest = Client::with_token(&link, server.address(), client.view());
    let mut streams = [
        watcher(server.address()).await,
        bearer(server.address(), &link).await,
    ];
    let mut seen = Vec::new();
    for stream in &mut streams {
        stream.send(json!({"type": "seek", "simTime": last})).await;
        let clock = stream.next_of("clock").await;
        let show = clock["show"].as_str().unwrap().to_owned();
        stream.follow(7, &format!("delivery/{id}")).await;
        stream.follow(8, &format!("drone/{drone}")).await;
        stream
            .next_where(|message| message["id"] == 8 && message["type"] == "positions")
            .await;
        stream.send(json!({"type": "play", "speed": -20})).await;
        let mut rows = BTreeMap::new();
        // It stands still at the beginning of what is recorded.
        loop {
            let message = stream.next_where(|_| true).await;
            if message["type"] == "clock" && message["state"] == "paused" {
                break;
            }
            let is_row = [7, 8].iter().any(|topic| message["id"] == *topic) && message["type"] == "positions";
            for row in message["drones"]
                .as_array()
                .filter(|_| is_row)
                .into_iter()
                .flatten()
            {
                assert_eq!(row[0], json!(drone), "no other drone");
                rows.insert(
                    (message["tick"].as_u64().unwrap(), message["id"].as_u64().unwrap()),
                    row.clone(),
                );
            }
        }
        seen.push((rows, show));
    }
    let (theirs, show) = seen.pop().unwrap();
    let (operators, _) = seen.pop().unwrap();
    let ticks: Vec<u64> = theirs.keys().map(|(tick, _)| *tick).collect();
    assert!(
        ticks.iter().all(|tick| *tick >= aboard_since),
        "{ticks:?}, aboard since {aboard_since}"
    );
    for topic in [7, 8] {
        let own: Vec<u64> = theirs
            .keys()
            .filter(|(_, of)| *of == topic)
            .map(|(tick, _)| *tick)
            .collect();
        assert!(own.len() > 2, "it was seen backwards in topic {topic}: {own:?}");
    }
    assert!(
        operators.keys().any(|(tick, _)| *tick < aboard_since),
        "operators see on"
    );
    for (key, row) in &theirs {
        if let Some(same) = operators.get(key) {
            assert_eq!(row, same, "{key:?}");
        }
    }
    // Where it has come to the drone is not theirs, and the package waits, or was not ordered yet.
    assert_eq!(
        guest
            .get(&format!("/shows/{show}/api/drones/{drone}"))
            .await
            .0
            .as_u16(),
        403
    );
    let (status, told) = guest
        .get(&format!("/shows/{show}/api/deliveries/{id}/status"))
        .await;
    assert!(
        status.as_u16() == 404 || told["stage"] != "HeadedToDropoff",
        "{told}"
    );
    server.stop().await;
}
