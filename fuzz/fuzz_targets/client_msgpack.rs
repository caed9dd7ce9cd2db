//! What a MessagePack session may hear: any bytes are a message or a refusal of bounded
//! length, quickly and without much memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skyhaul::wire::stream::client::ClientMessage;

fuzz_target!(|bytes: &[u8]| {
    if let Err(refused) = ClientMessage::read_msgpack(bytes) {
        assert!(refused.message.len() < 1_000, "{}", refused.message.len());
    }
});
