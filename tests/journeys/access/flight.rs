//! A drone on its way for a customer: seen from pick-up to drop-off, over HTTP and through
//! the window, and at no other time.

use serde_json::{Value, json};

use super::{House, business, customer, link, lunch_of};
use crate::support::client::Client;
use crate::support::stream::Stream;

/// Ticks between two looks: short beside any stage of the flight.
const STRIDE: u64 = 20;

/// Lets time pass until the delivery is in this stage; the world stands still then.
async fn until(operator: &Client, id: &str, stage: &str) -> u64 {
    loop {
        let clock = operator.step(STRIDE).await;
        let status = operator.status(id).await;
        if status["stage"] == stage {
            return clock["tick"].as_u64().expect("a tick");
        }
        assert_ne!(status["stage"], "Completed", "{stage} never came");
        assert_ne!(status["stage"], "Failed", "{stage} never came");
    }
}

/// What somebody is told who asks for a drone in each of the ways there are: one status for
/// the drone and its route, and whether lists show it.
async fn sees(caller: &Client, drone: &str) -> (u16, bool) {
    let (one, _) = caller.get(&format!("/api/drones/{drone}")).await;
    let (route, _) = caller.get(&format!("/api/drones/{drone}/route")).await;
    let (_, list) = caller.get("/api/drones").await;
    let (_, map) = caller.get("/api/drones.geojson?bbox=-123,37,-122,38").await;
    let on = |listed: &Value| {
        listed
            .as_array()
            .expect("a list")
            .iter()
            .any(|item| item["id"] == drone)
    };
    assert_eq!(one, route, "the drone and its route are one matter");
    assert_eq!(on(&list["items"]), on(&map["features"]), "{list} {map}");
    (one.as_u16(), on(&list["items"]))
}

/// The code that a subscription to a drone is answered with, `subscribed` where it is taken.
async fn follows(stream: &mut Stream, id: u64, drone: &str) -> String {
    stream.follow(id, &format!("drone/{drone}")).await;
    let answer = stream
        .next_where(|message| {
            message["id"] == id
                && ["error", "subscribed"]
                    .iter()
                    .any(|kind| message["type"] == *kind)
        })
        .await;
    let code = if answer["type"] == "error" {
        &answer["code"]
    } else {
        &answer["type"]
    };
    code.as_str().expect("a word").to_owned()
}

const SEEN: (u16, bool) = (200, true);
const HIDDEN: (u16, bool) = (403, false);

#[tokio::test]
async fn a_customer_sees_the_drone_from_pick_up_to_drop_off() {
    let house = House::open().await;
    let operator = house.operator();
    let id = house.caller(&customer("cafe")).order(&lunch_of("cafe")).await;
    let [guest, linked] = [customer("cafe"), link("cafe", &id)];
    let [cafe, bakery, guest_http, link_http] = [
        business("cafe"),
        business("bakery"),
        guest.clone(),
        linked.clone(),
    ]
    .map(|viewer| house.caller(&viewer));
    let mut window = house.enter(&linked).await;
    window.follow(1, &format!("delivery/{id}")).await;

    until(&operator, &id, "HeadedToPickup").await;
    let drone = operator.delivery(&id).await["droneId"]
        .as_str()
        .expect("a drone")
        .to_owned();
    let by_all = async || {
        let mut seen = Vec::new();
        for caller in [&cafe, &guest_http, &link_http, &bakery, &operator] {
            seen.push(sees(caller, &drone).await);
        }
        seen
    };
    assert_eq!(
        by_all().await,
        [SEEN, HIDDEN, HIDDEN, HIDDEN, SEEN],
        "on the way to the pick-up"
    );
    let dolores_park = json!({"latitude": 37.7596, "longitude": -122.4269});
    let place = |status: &Value| {
        let place = &status["lastKnownLocation"];
        json!({"latitude": place["latitude"], "longitude": place["longitude"]})
    };
    assert_eq!(
        place(&guest_http.status(&id).await),
        dolores_park,
        "where it waits"
    );
    assert_ne!(place(&operator.status(&id).await), dolores_park);
    for viewer in [&guest, &linked, &business("bakery")] {
        let mut early = house.enter(viewer).await;
        assert_eq!(follows(&mut early, 2, &drone).await, "forbidden");
    }

    let picked_up = until(&operator, &id, "HeadedToDropoff").await;
    assert_eq!(
        by_all().await,
        [SEEN, SEEN, SEEN, HIDDEN, SEEN],
        "with the package"
    );
    assert_eq!(
        place(&guest_http.status(&id).await),
        place(&operator.status(&id).await)
    );
    assert_eq!(follows(&mut window, 2, &drone).await, "subscribed");
    let mut nosy = house.enter(&business("bakery")).await;
    assert_eq!(follows(&mut nosy, 2, &drone).await, "forbidden");
    let row = window
        .next_where(|message| {
            message["type"] == "positions"
                && message["id"] == 2
                && message["tick"].as_u64() >= Some(picked_up)
        })
        .await;
    assert_eq!(row["drones"][0][0], drone, "{row}");

    until(&operator, &id, "Completed").await;
    assert_eq!(
        by_all().await,
        [HIDDEN, HIDDEN, HIDDEN, HIDDEN, SEEN],
        "after the drop-off"
    );
    let ended = window.next_where(|message| message["type"] == "error").await;
    assert_eq!((&ended["id"], &ended["code"]), (&json!(2), &json!("forbidden")));
    operator.step(STRIDE).await;
    window.send(json!({"type": "ping", "sent": 1})).await;
    loop {
        let message = window.next_where(|_| true).await;
        if message["type"] == "pong" {
            break;
        }
        assert_ne!(message["type"], "positions", "it flies home unseen: {message}");
        let ends = message["type"] == "unsubscribed";
        assert!(ends || message["id"] != 2, "it has ended: {message}");
    }
    assert_eq!(follows(&mut window, 3, &drone).await, "forbidden");
    house.close().await;
}

#[tokio::test]
async fn before_the_pick_up_a_customers_window_shows_no_place_of_the_drone() {
    let house = House::open().await;
    let operator = house.operator();
    let id = house.caller(&customer("cafe")).order(&lunch_of("cafe")).await;
    let mut window = house.enter(&link("cafe", &id)).await;
    window.follow(1, &format!("delivery/{id}")).await;
    until(&operator, &id, "HeadedToPickup").await;
    operator.step(STRIDE).await;
    until(&operator, &id, "HeadedToDropoff").await;
    let before = window.until_event("PickedUp").await;
    for message in &before {
        assert_ne!(message["type"], "positions", "{message}");
    }
    let snapshot = &before
        .iter()
        .find(|message| message["type"] == "snapshot")
        .expect("a snapshot")["delivery"];
    assert_eq!(snapshot["location"]["latitude"], 37.7596, "{snapshot}");
    let row = window.next_of("positions").await;
    assert_eq!(row["drones"].as_array().map(Vec::len), Some(1), "{row}");
    house.close().await;
}
