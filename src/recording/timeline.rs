//! What the timeline shows, gathered from a recording's events by a thread of its own: a long
//! recording is played before all of it has been read.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::sim::time::SimTime;
use crate::view::timeline::{Mark, MarkKind, Marked, Timeline};

use super::export::clock;
use super::file::{FileError, Message, Recording};
use super::layout::Topic;
use super::recorder::Recorder;

/// What of an event is of interest here; the channel has it as the stream tells it.
#[derive(Deserialize)]
struct Told {
    event: Happening,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Happening {
    kind: String,
    drone_id: Option<String>,
    delivery_id: Option<String>,
    other_drone_id: Option<String>,
    hub: Option<Value>,
    fault: Option<Value>,
    reason: Option<Value>,
}

/// Reads all of the recording's events, until nobody wants the timeline any more.
///
/// # Errors
/// A file that cannot be read, or no thread to be had.
pub fn gather(path: &Path, timeline: &Arc<Timeline>) -> Result<(), FileError> {
    let recording = Recording::open(path)?;
    let timeline = Arc::downgrade(timeline);
    std::thread::Builder::new()
        .name("timeline".to_owned())
        .spawn(move || {
            if let Err(error) = read(&recording, &timeline) {
                tracing::error!(%error, "the timeline ends where the recording cannot be read");
            }
            if let Some(timeline) = timeline.upgrade() {
                timeline.finish();
            }
        })?;
    Ok(())
}

/// The same of a recording that is being written, until it ends.
///
/// # Errors
/// See [`gather`].
pub(super) fn follow(
    path: &Path,
    recorder: Arc<Recorder>,
    timeline: &Arc<Timeline>,
) -> Result<(), FileError> {
    let mut recording = Recording::open_growing(path, Arc::clone(&recorder))?;
    let timeline = Arc::downgrade(timeline);
    std::thread::Builder::new()
        .name("timeline".to_owned())
        .spawn(move || {
            let mut known = 0;
            loop {
                let has_ended = recorder.progress().has_ended();
                if let (Some(from), Some(timeline)) = (recorder.progress().from(), timeline.upgrade()) {
                    timeline.begin(from);
                }
                let read = recording
                    .grow()
                    .and_then(|_| read_from(&recording, known, &timeline));
                if let Err(error) = read {
                    tracing::error!(%error, "the timeline ends where the recording cannot be read");
                    return;
                }
                known = recording.chunks().len();
                if has_ended || timeline.strong_count() == 0 {
                    return;
                }
                std::thread::sleep(FOLLOWED_EVERY);
            }
        })?;
    Ok(())
}

const FOLLOWED_EVERY: Duration = Duration::from_secs(1);

pub(super) fn read(recording: &Recording, timeline: &Weak<Timeline>) -> Result<(), FileError> {
    read_from(recording, 0, timeline)
}

/// From this chunk on.
fn read_from(recording: &Recording, first: usize, timeline: &Weak<Timeline>) -> Result<(), FileError> {
    for chunk in &recording.chunks()[first..] {
        if !chunk.topics.contains(&Topic::Events) {
            continue;
        }
        let messages = match recording.messages(chunk) {
            Err(FileError::Damaged(why)) => {
                let at = clock(recording.origin.at(chunk.from_ns));
                tracing::warn!(
                    at,
                    why,
                    "a part of the recording is damaged; its timeline goes on without it"
                );
                continue;
            }
            other => other?,
        };
        let mut completed = Vec::new();
        let mut marks = Vec::new();
        for message in messages.iter().filter(|message| message.topic == Topic::Events) {
            let at = recording.origin.at(message.time_ns);
            let told = told(message)?;
            match mark_of(at, &told) {
                Some(mark) => marks.push(mark),
                None if told.kind == "Completed" => completed.push(at),
                None => {}
            }
        }
        let Some(timeline) = timeline.upgrade() else {
            return Ok(());
        };
        timeline.gather(recording.origin.at(chunk.until_ns), completed, marks);
    }
    Ok(())
}

fn told(message: &Message) -> Result<Happening, FileError> {
    let told: Result<Told, _> = serde_json::from_slice(&message.data);
    told.map(|told| told.event)
        .map_err(|error| FileError::Damaged(error.to_string()))
}

fn mark_of(at: SimTime, told: &Happening) -> Option<Mark> {
    let mark = |kind, what: &str, of, with| {
        Some(Mark {
            at,
            kind,
            what: what.to_owned(),
            of,
            with,
        })
    };
    if let ("Closed", Some(hub)) = (told.kind.as_str(), text(&told.hub)) {
        let of = Marked::Hub(hub.to_owned());
        return mark(MarkKind::Fault, "hub_closed", of, None);
    }
    if let Some(drone) = &told.drone_id
        && told.delivery_id.is_none()
    {
        let of = Marked::Drone(drone.clone());
        return match (told.kind.as_str(), &told.other_drone_id) {
            ("Fault", _) => mark(MarkKind::Fault, text(&told.fault).unwrap_or("fault"), of, None),
            // Both tell of it.
            ("LossOfSeparation", Some(other)) if drone < other => {
                mark(MarkKind::Loss, "separation", of, Some(other.clone()))
            }
            ("Lost", _) => mark(MarkKind::Failure, "drone_lost", of, None),
            _ => None,
        };
    }
    let delivery = told.delivery_id.as_ref().filter(|_| told.kind == "Failed")?;
    let of = Marked::Delivery(delivery.clone());
    mark(
        MarkKind::Failure,
        text(&told.reason).unwrap_or("failed"),
        of,
        None,
    )
}

/// Other events have other things by these names.
fn text(value: &Option<Value>) -> Option<&str> {
    value.as_ref().and_then(Value::as_str)
}
