//! The house's own rules, read off the source: imports point down, every file has a
//! header, no file outgrows its topic.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms from the bottom up; rooms on one floor may use each other without circles,
/// in the order given.
const FLOORS: [&[&str]; 7] = [
    &["sim"],
    &["store", "scenario", "wire", "actors"],
    &["view", "auth", "notify", "engine"],
    &["recording", "ws", "http", "run", "emit", "load"],
    &["server"],
    &["cli"],
    &["main"],
];

/// Who sees the world only through the view and its commands, so that playback needs no
/// actors: these rooms name none of those, though they lie below.
const LISTENERS: [&str; 4] = ["view", "auth", "ws", "http"];
const UNSEEN: [&str; 3] = ["engine", "actors", "store"];

/// Who knows the public interface only, and these rooms.
const OUTSIDER: &str = "load";
const ITS_WORLD: [&str; 3] = ["sim", "scenario", "wire"];

fn rank(room: &str) -> Option<(usize, usize)> {
    FLOORS.iter().enumerate().find_map(|(floor, rooms)| {
        let place = rooms.iter().position(|candidate| *candidate == room)?;
        Some((floor, place))
    })
}

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

/// `src/ws/session.rs` is in the room `ws`.
fn room_of(path: &Path) -> String {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Rooms named after `crate::` anywhere in a text, grouped imports included.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(members(group).map(first_name)),
            None => {
                named.insert(first_name(rest));
            }
        }
    }
    named
}

/// What stands between the commas of a group whose brace is open, groups within it left whole.
fn members(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 1;
    let end = group.find(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    let mut depth = 0;
    group[..end.unwrap_or(group.len())].split(move |c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
}

fn first_name(path: &str) -> String {
    let path = path.trim_start();
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    path[..end.unwrap_or(path.len())].to_owned()
}

/// Imports that point up, or to what a room may not see, as `file: room`.
fn pointing_up(path: &Path, text: &str) -> Vec<String> {
    let own = room_of(path);
    let Some(own_rank) = rank(&own) else {
        return Vec::new();
    };
    let named = rooms_named(text).into_iter();
    let unseen = |other: &str| LISTENERS.contains(&own.as_str()) && UNSEEN.contains(&other);
    let points_up = |other: &str| rank(other).is_some_and(|other| other > own_rank);
    let inside = |other: &str| own == OUTSIDER && rank(other).is_some() && !ITS_WORLD.contains(&other);
    let up = named.filter(|other| *other != own && (points_up(other) || unseen(other) || inside(other)));
    up.map(|other| format!("{}: {other}", path.display())).collect()
}

#[test]
fn imports_point_down() {
    let up: Vec<String> = sources()
        .iter()
        .flat_map(|path| pointing_up(path, &std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(up.is_empty(), "imports that point up:\n{}", up.join("\n"));
}

#[test]
fn an_import_that_points_up_is_found() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let up = |file: &str, text: &str| pointing_up(&src.join(file), text).len();
    assert_eq!(up("sim/sky.rs", "use crate::engine::Engine;"), 1);
    assert_eq!(up("view/mod.rs", "let x: crate::ws::Gateway = y;"), 1);
    assert_eq!(up("view/mod.rs", "use crate::{sim::geo, http::Api};"), 1);
    let nested = "use crate::{sim::{geo::{Area, Point}, time}, http::Api, ws};";
    assert_eq!(up("view/mod.rs", nested), 2);
    assert_eq!(up("http/mod.rs", "use crate::actors::fleet::Fleet;"), 1);
    assert_eq!(up("ws/mod.rs", "use crate::{engine, store::Store};"), 2);
    assert_eq!(up("load/mod.rs", "use crate::{view::View, wire::time, sim};"), 1);
    assert_eq!(
        up("http/mod.rs", "use crate::ws::Gateway; use crate::sim::geo;"),
        0
    );
}

#[test]
fn every_room_is_on_the_plan() {
    let unknown: BTreeSet<String> = sources()
        .iter()
        .map(|path| room_of(path))
        .filter(|room| room != "lib" && rank(room).is_none())
        .collect();
    assert!(unknown.is_empty(), "rooms that no floor lists: {unknown:?}");
}

/// Lines of a file, as CONTRIBUTING says.
const LONGEST: usize = 400;
/// Stories and their stages are told in one piece.
const LONGEST_TEST: usize = 600;

#[test]
fn every_file_says_what_it_is_for_and_keeps_to_one_topic() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not open with //!",
            path.display()
        );
        let lines = text.lines().count();
        let inside = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        let named = inside.to_string_lossy();
        let longest = if named.contains("tests") {
            LONGEST_TEST
        } else {
            LONGEST
        };
        assert!(
            lines <= longest,
            "{} has {lines} lines: it holds a second topic",
            path.display()
        );
    }
}
