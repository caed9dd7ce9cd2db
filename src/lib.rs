//! Skyhaul: a drone delivery service as one living, simulated world.
//!
//! A request comes in at the front door ([`http`]), is made durable by ingestion
//! ([`actors::ingestion`], [`store`]), and is admitted at the next tick ([`engine`]). The
//! scheduler carries its workflow, the fleet picks a drone, the drone flies, the delivery
//! follows it ([`actors`]); what each may decide is pure ([`sim`]), and all airborne drones
//! move in one pass a tick ([`sim::sky`]). What a tick brought about is committed, then
//! published to the read side ([`view`]), where HTTP and WebSocket sessions ([`ws`]) look.
//!
//! The rooms, from the bottom up; imports point down only:
//! - [`sim`] – the rules; pure and deterministic
//! - [`actors`] – who owns what; messages in, effects out
//! - [`store`] – durable truth: journal, snapshots, records
//! - [`scenario`] – TOML in, a world out
//! - [`wire`] – shapes of HTTP bodies and WebSocket messages
//! - [`view`] – the read side; fed by the engine
//! - [`auth`] – tokens, roles, and who may see what
//! - [`notify`] – outgoing mail and web hooks, from an outbox
//! - [`engine`] – the tick, and what drives it
//! - [`recording`] – runs as files, and what is made of them
//! - [`ws`] – the window: sessions and fan-out
//! - [`http`] – the front door
//! - [`run`] – a world without listeners, and its summary
//! - [`emit`] – a world whose telemetry or orders go to somebody else's backend
//! - [`load`] – the capacity test: a client of the public interface only
//! - [`server`] – composition
//! - [`cli`] – the command line

pub mod actors;
pub mod auth;
pub mod cli;
pub mod emit;
pub mod engine;
pub mod http;
pub mod load;
pub mod notify;
pub mod recording;
pub mod run;
pub mod scenario;
pub mod server;
pub mod sim;
pub mod store;
pub mod view;
pub mod wire;
pub mod ws;
