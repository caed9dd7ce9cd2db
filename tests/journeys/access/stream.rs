//! The same by server-sent events: no topic of others, and no stream that outlives its
//! token.

use serde_json::Value;
use skyhaul::auth::Viewer;
use tokio::time::timeout;

use super::{House, LONG, business, customer, link, lunch_of, token};
use crate::support::PATIENCE;

async fn ask(house: &House, query: &str, token: Option<&str>, last_event_id: &str) -> reqwest::Response {
    let url = format!("http://{}/api/stream?{query}", house.server.address());
    let mut request = reqwest::Client::new().get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if !last_event_id.is_empty() {
        request = request.header("last-event-id", last_event_id);
    }
    let answer = timeout(PATIENCE, request.send()).await;
    answer.expect("an answer in time").expect("an answer")
}

#[tokio::test]
async fn nobody_streams_what_they_may_not_follow() {
    let house = House::open().await;
    let cafe = house.caller(&business("cafe"));
    let id = cafe.order(&lunch_of("cafe")).await;
    let own = cafe.order(&lunch_of("cafe")).await;
    house.operator().step(5).await;
    let honest = token(&Viewer::anyone(), LONG);
    for query in ["topic=fleet".to_owned(), format!("topic=fleet&token={honest}")] {
        let answer = ask(&house, &query, None, "").await;
        assert_eq!(answer.status(), 401, "{query}");
    }
    let [bakery, linked] = [customer("bakery"), link("cafe", &own)].map(|viewer| token(&viewer, LONG));
    for shown in [&bakery, &linked] {
        for topics in [
            "topic=fleet".to_owned(),
            "topic=events".to_owned(),
            "topic=hub/mission".to_owned(),
            "topic=drone/d-0".to_owned(),
            "topic=area&bbox=-122.44,37.74,-122.39,37.78".to_owned(),
            format!("topic=delivery/{id}"),
            format!("topic=delivery/{own}&topic=delivery/{id}"),
        ] {
            for last_event_id in ["", "e0.0", "e0.1.1"] {
                let answer = ask(&house, &topics, Some(shown), last_event_id).await;
                assert_eq!(answer.status(), 403, "{topics} {last_event_id}");
                let told = answer.text().await.expect("a problem");
                assert!(!told.contains("Accepted"), "{told}");
            }
        }
    }
    let answer = ask(&house, &format!("topic=delivery/{own}"), Some(&linked), "").await;
    assert_eq!(answer.status(), 200);
    house.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_while_nothing_happens() {
    let house = House::open().await;
    let id = house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    let brief = token(&customer("cafe"), 2);
    let answer = ask(&house, &format!("topic=delivery/{id}"), Some(&brief), "").await;
    assert_eq!(answer.status(), 200);
    let said = timeout(PATIENCE, answer.text()).await;
    let said = said.expect("it ends").expect("in order");
    assert!(!said.contains(&brief), "{said}");
    let last = said.lines().rev().find_map(|line| line.strip_prefix("data: "));
    let last: Value = serde_json::from_str(last.expect("a message")).expect("JSON");
    assert_eq!(
        (&last["type"], &last["code"]),
        (&"error".into(), &"unauthorized".into())
    );
    let again = ask(&house, &format!("topic=delivery/{id}"), Some(&brief), "").await;
    assert_eq!(again.status(), 401);
    house.close().await;
}
