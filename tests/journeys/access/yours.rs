//! Over HTTP: what is one's own, and what is another's.

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::auth::Viewer;

use super::{House, LONG, business, customer, link, lunch_of, token};
use crate::support::client::Client;

/// What tells of one delivery.
const OF_A_DELIVERY: [&str; 5] = [
    "/api/deliveries/",
    "/api/deliveries/public/",
    "/api/deliveries/{id}/owner",
    "/api/deliveries/{id}/status",
    "/api/deliveryrequests/",
];

fn path_of(route: &str, id: &str) -> String {
    match route.contains("{id}") {
        true => route.replace("{id}", id),
        false => format!("{route}{id}"),
    }
}

async fn refused(client: &Client, path: &str) -> Value {
    let (status, problem) = client.get(path).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {problem}");
    problem
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("a list").iter();
    items.map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn another_accounts_delivery_is_not_shown_and_nothing_is_told_of_it() {
    let house = House::open().await;
    let [cafe, bakery] = ["cafe", "bakery"].map(|account| house.caller(&business(account)));
    let id = cafe.order(&lunch_of("cafe")).await;
    let theirs = bakery.order(&lunch_of("bakery")).await;
    let guest = house.caller(&customer("cafe"));
    let sent_a_link = house.caller(&link("cafe", &id));
    let other_link = house.caller(&link("cafe", &theirs));
    let second = cafe.order(&lunch_of("cafe")).await;
    let nowhere = "01890a5d-ac96-774b-bcce-b302099a8057";
    for route in OF_A_DELIVERY {
        for own in [&cafe, &guest, &sent_a_link, &house.operator()] {
            assert_eq!(own.get(&path_of(route, &id)).await.0, StatusCode::OK, "{route}");
            assert_eq!(
                own.get(&path_of(route, nowhere)).await.0,
                StatusCode::NOT_FOUND,
                "{route}"
            );
        }
        for (caller, id) in [
            (&bakery, &id),
            (&cafe, &theirs),
            (&guest, &theirs),
            (&sent_a_link, &second),
            (&sent_a_link, &theirs),
            // A link for what is not its account's shows nothing at all.
            (&other_link, &theirs),
            (&other_link, &id),
        ] {
            let problem = refused(caller, &path_of(route, id)).await;
            let told = problem.to_string();
            assert!(
                !told.contains("General Hospital") && !told.contains("droneId"),
                "{told}"
            );
        }
    }
    let listed = async |caller: &Client, query: &str| {
        let (status, list) = caller.get(&format!("/api/deliveries{query}")).await;
        assert_eq!(status, StatusCode::OK, "{list}");
        list
    };
    assert_eq!(ids(&listed(&cafe, "").await), [&id, &second]);
    assert_eq!(ids(&listed(&bakery, "").await), [&theirs]);
    assert_eq!(ids(&listed(&sent_a_link, "").await), [&id]);
    assert_eq!(ids(&listed(&other_link, "").await), Vec::<&str>::new());
    assert_eq!(ids(&listed(&house.operator(), "").await).len(), 3);
    for caller in [&cafe, &guest, &sent_a_link] {
        refused(caller, "/api/deliveries?ownerId=bakery").await;
        refused(caller, "/api/deliveries?ownerId=nobody").await;
    }

    // A cursor says where to go on, not whose list it is.
    let page = listed(&cafe, "?limit=1").await;
    let cursor = page["next"].as_str().expect("there is more");
    for (caller, expected) in [
        (&bakery, vec![]),
        (&sent_a_link, vec![]),
        (&cafe, vec![second.as_str()]),
    ] {
        let rest = listed(caller, &format!("?cursor={cursor}")).await;
        let seen = ids(&rest);
        assert!(
            seen.iter().all(|id| *id == theirs || expected.contains(id)),
            "{rest}"
        );
    }
    let everybody = listed(&house.operator(), "?limit=1").await;
    let cursor = everybody["next"].as_str().expect("there is more");
    assert_eq!(ids(&listed(&cafe, &format!("?cursor={cursor}")).await), [&second]);
    house.close().await;
}

#[tokio::test]
async fn nobody_orders_in_anothers_name() {
    let house = House::open().await;
    let cafe = house.caller(&business("cafe"));
    let id = cafe.order(&lunch_of("cafe")).await;
    let sent_a_link = house.caller(&link("cafe", &id));
    for (who, caller, owner) in [
        ("a business", &cafe, "bakery"),
        ("another spelling", &cafe, "Cafe"),
        ("a space more", &cafe, "cafe "),
        ("a customer", &house.caller(&customer("ada")), "cafe"),
        ("a link", &sent_a_link, "cafe"),
    ] {
        let (status, body) = caller.post("/api/deliveryrequests", &lunch_of(owner)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{who}: {body}");
    }
    // Other fields that name somebody change nothing about whose it is.
    let mut sly = lunch_of("cafe");
    sly["owner"] = json!({"userId": "bakery", "accountId": "bakery"});
    sly["accountId"] = "bakery".into();
    sly["userId"] = "bakery".into();
    sly["deliveryId"] = id.as_str().into();
    let placed = cafe.order(&sly).await;
    assert_ne!(placed, id, "the server gives the ids");
    let (_, owner) = cafe.get(&format!("/api/deliveries/{placed}/owner")).await;
    assert_eq!(owner, json!({"userId": "cafe", "accountId": "cafe"}));
    let all = house.operator().get("/api/deliveries").await.1;
    assert_eq!(ids(&all), [&id, &placed]);
    house.close().await;
}

#[tokio::test]
async fn anothers_idempotency_key_reveals_nothing() {
    let house = House::open().await;
    let ask = async |viewer: &Viewer, owner: &str| {
        let answer = reqwest::Client::new()
            .post(format!("http://{}/api/deliveryrequests", house.server.address()))
            .bearer_auth(token(viewer, LONG))
            .header("idempotency-key", "lunch-1")
            .json(&lunch_of(owner))
            .send()
            .await
            .expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        (
            status,
            format!("{headers:?}"),
            answer.json::<Value>().await.expect("JSON"),
        )
    };
    let (status, _, first) = ask(&business("cafe"), "cafe").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let id = first["deliveryId"].as_str().expect("an id");
    let (_, _, again) = ask(&business("cafe"), "cafe").await;
    assert_eq!(again["deliveryId"], id, "a repeat gets the first answer");

    let (status, headers, own) = ask(&business("bakery"), "bakery").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{own}");
    assert_ne!(own["deliveryId"], id, "another account's key is another key");
    assert!(!headers.contains(id), "{headers}");
    for thief in [business("bakery"), customer("bakery"), link("cafe", id)] {
        let (status, headers, problem) = ask(&thief, "cafe").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        assert!(!format!("{headers}{problem}").contains(id), "{headers}{problem}");
    }
    house.close().await;
}

#[tokio::test]
async fn steering_and_figures_are_for_operators() {
    let house = House::open().await;
    let operator = house.operator();
    let id = operator.order(&lunch_of("cafe")).await;
    let before = operator.simulation().await;
    for caller in [business("cafe"), customer("cafe"), link("cafe", &id)] {
        let caller = house.caller(&caller);
        let forbidden = |(status, body): (StatusCode, Value)| {
            assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
        };
        forbidden(caller.put("/api/simulation", &json!({"state": "running"})).await);
        forbidden(caller.post("/api/simulation/step", &json!({"ticks": 1})).await);
        let fault = json!({"kind": "hub_closed", "target": "mission", "duration": "1m"});
        forbidden(caller.post("/api/simulation/faults", &fault).await);
        let wish = json!({"role": "business", "account": "bakery"});
        forbidden(caller.post("/api/tokens", &wish).await);
        forbidden(caller.get("/metrics").await);
        // The clock, and what stands still, is for all who were let in.
        for path in ["/api/simulation", "/api/hubs", "/api/zones", "/api/world"] {
            assert_eq!(caller.get(path).await.0, StatusCode::OK, "{path}");
        }
    }
    assert_eq!(operator.simulation().await, before);
    house.close().await;
}

#[tokio::test]
async fn operators_hand_out_tokens_that_are_no_more_than_was_asked_for() {
    let house = House::open().await;
    let operator = house.operator();
    let id = operator.order(&lunch_of("cafe")).await;
    let theirs = operator.order(&lunch_of("bakery")).await;
    let wish = json!({"role": "customer", "account": "cafe", "delivery": id, "ttl": "10m"});
    let (status, handed) = operator.post("/api/tokens", &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{handed}");
    let guest = house
        .server
        .client_with(handed["token"].as_str().expect("a token"));
    assert_eq!(guest.status(&id).await["stage"], "Created");
    refused(&guest, &format!("/api/deliveries/{theirs}")).await;
    for wish in [
        json!({"role": "operator"}),
        json!({"role": "operator", "account": "cafe"}),
        json!({"role": "Business", "account": "cafe"}),
        json!({"role": "business"}),
        json!({"role": "business", "account": "cafe", "delivery": id}),
        json!({"role": "business", "account": ""}),
        json!({"role": "business", "account": "ca\u{1f}fe"}),
        json!({"role": "customer", "account": "bakery", "delivery": id}),
        json!({"role": "customer", "account": "cafe", "delivery": "01890a5d-ac96-774b-bcce-b302099a8057"}),
        json!({"role": "customer", "account": "cafe", "ttl": "25h"}),
        json!({"role": "customer", "account": "cafe", "ttl": "0s"}),
        json!({"role": "customer", "account": "cafe", "ttl": -1}),
    ] {
        let (status, problem) = operator.post("/api/tokens", &wish).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wish}: {problem}");
    }
    house.close().await;
}

#[tokio::test]
async fn nobody_overwrites_what_is_anothers() {
    let house = House::open().await;
    let place = |latitude: f64| json!({"latitude": latitude, "longitude": -122.4045});
    let body = |account: &str| json!({"owner": {"accountId": account, "userId": "eve"}, "pickup": place(37.7557), "dropoff": place(37.7596)});
    let errand = json!({"pickup": place(37.7557), "dropoff": place(37.7596)});
    let [cafe, bakery] = ["cafe", "bakery"].map(|account| house.caller(&business(account)));
    let guest = house.caller(&customer("bakery"));
    let path = "/api/deliveries/lunch";
    let (status, made) = cafe.put(path, &body("cafe")).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let id = made["id"].as_str().expect("an id");
    let sent_a_link = house.caller(&link("cafe", id));
    for (caller, account) in [
        (&bakery, "bakery"),
        (&bakery, "cafe"),
        (&guest, "bakery"),
        (&sent_a_link, "cafe"),
    ] {
        for path in [path, &format!("/api/deliveries/{id}")] {
            let (status, problem) = caller.put(path, &body(account)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
            // Nor is anybody told what would be wrong with it.
            let (status, problem) = caller.put(path, &json!({})).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        }
        let drone = "/api/dronedeliveries/lunch";
        assert_eq!(caller.put(drone, &errand).await.0, StatusCode::FORBIDDEN);
        assert_eq!(caller.delete(drone).await.0, StatusCode::FORBIDDEN);
        let van = "/api/thirdpartydeliveries/lunch";
        assert_eq!(caller.put(van, &errand).await.0, StatusCode::FORBIDDEN);
    }
    // Nor ordered for.
    let (status, problem) = bakery.put("/api/deliveries/dinner", &body("cafe")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    let (status, _) = cafe.get("/api/deliveries/dinner").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(cafe.get(path).await.1, made);
    let (status, problem) = cafe.put(path, &body("bakery")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (status, problem) = house.operator().put(path, &body("cafe")).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    house.close().await;
}
