//! The page's files, and the world that its map shows.

use axum::body::Body;
use axum::http::Request;

use super::{Basemap, Door, Reply};
use crate::auth::Mode;
use crate::sim::world::UnknownPlaces;

fn get(door: &Door, path: &str, header: (&str, &str)) -> Reply {
    let request = Request::get(path).header(header.0, header.1);
    door.send(request.body(Body::empty()).unwrap())
}

#[test]
fn the_page_may_run_its_own_scripts_alone() {
    let door = Door::open(UnknownPlaces::Refuse);
    let page = door.get("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
}

#[test]
fn the_page_may_talk_to_the_server_that_it_is_of_and_to_no_other() {
    let door = Door::guarded(UnknownPlaces::Refuse, Mode::Required, &[]);
    let may_reach = |host| {
        let page = get(&door, "/", ("host", host));
        let policy = page.header("content-security-policy").to_owned();
        let rest = policy.split_once("connect-src ").unwrap().1;
        assert_eq!(policy.matches("script-src").count(), 1, "{policy}");
        rest.split_once(';').unwrap().0.trim().to_owned()
    };
    let (here, named) = ("127.0.0.1:8080", "Sky.example");
    assert_eq!(may_reach(here), format!("'self' ws://{here} wss://{here}"));
    assert_eq!(may_reach(named), "'self' ws://sky.example wss://sky.example");
    for no_name in ["*", "a b", "a;script-src", "a/b", "a@b", "a,b", "'none'", ""] {
        assert_eq!(may_reach(no_name), "'self'", "{no_name}");
    }
}

#[test]
fn only_the_embedded_page_goes_into_others_frames() {
    let door = Door::open(UnknownPlaces::Refuse);
    let ancestors = |path| {
        let policy = door.get(path).header("content-security-policy").to_owned();
        policy.rsplit_once("frame-ancestors ").unwrap().1.to_owned()
    };
    assert_eq!(ancestors("/?embed"), "*");
    assert_eq!(ancestors("/?kiosk&embed=1"), "*");
    assert_eq!(ancestors("/?embedded"), "'self'");
}

#[test]
fn files_of_no_build_are_not_there() {
    let door = Door::open(UnknownPlaces::Refuse);
    for path in [
        "/assets/nothing.js",
        "/assets/../../Cargo.toml",
        "/assets/..%2f..%2f..%2fCargo.toml",
    ] {
        assert!(door.get(path).pointers(404).is_empty(), "{path}");
    }
}

#[test]
fn the_world_is_told_as_a_map_needs_it() {
    let door = Door::open(UnknownPlaces::Scatter);
    let world = door.get("/api/world").json();
    assert_eq!(world["name"], "small");
    assert_eq!(
        world["area"]["bbox"],
        serde_json::json!([-122.52, 37.70, -122.35, 37.83])
    );
    assert!(
        world["area"]["land"].is_null() && world["basemap"].is_null(),
        "{world}"
    );
    assert_eq!(world["unknownPlaces"], "scatter");
    assert_eq!(world["places"][0]["name"], "Ferry Building");
    assert_eq!(world["drones"], 3);
    // The hub and the place, with some room.
    let bounds: Vec<f64> = serde_json::from_value(world["camera"]["bounds"].clone()).unwrap();
    let inside = |longitude, latitude| {
        bounds[0] < longitude && longitude < bounds[2] && bounds[1] < latitude && latitude < bounds[3]
    };
    assert!(
        inside(-122.4148, 37.7599) && inside(-122.3937, 37.7955),
        "{bounds:?}"
    );
}

#[test]
fn a_world_is_compressed_for_whom_that_suits() {
    let door = Door::open(UnknownPlaces::Scatter);
    let compressed = get(&door, "/api/world", ("accept-encoding", "gzip"));
    assert_eq!(compressed.header("content-encoding"), "gzip");
    let plain = get(&door, "/api/world", ("accept-encoding", "identity"));
    assert!(plain.headers.get("content-encoding").is_none());
}

#[test]
fn a_local_basemap_is_read_by_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.pmtiles");
    std::fs::write(&path, b"PMTiles\x03 and the tiles").unwrap();
    let basemap = Basemap::open(path.to_str().unwrap()).unwrap();
    let door = Door::over(UnknownPlaces::Refuse, Some(basemap));
    let world = door.get("/api/world").json();
    assert_eq!(
        world["basemap"],
        serde_json::json!({"kind": "pmtiles", "url": "/basemap.pmtiles"})
    );
    let part = get(&door, "/basemap.pmtiles", ("range", "bytes=0-6"));
    assert_eq!(part.status, 206);
    assert_eq!(part.body, b"PMTiles");
    assert_eq!(part.header("content-range"), "bytes 0-6/22");
    let beyond = get(&door, "/basemap.pmtiles", ("range", "bytes=100-"));
    assert_eq!(beyond.status, 416);
}

#[test]
fn the_page_may_fetch_from_the_basemap_it_was_given() {
    let basemap = Basemap::open("https://tiles.example/{z}/{x}/{y}.png").unwrap();
    let door = Door::over(UnknownPlaces::Refuse, Some(basemap));
    let page = door.get("/");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("connect-src 'self' https://tiles.example;"),
        "{policy}"
    );
    assert!(policy.contains("script-src 'self';"), "{policy}");
}
