//! What a JSON session may hear: any text is a message or a refusal of bounded length, and
//! the same value as MessagePack reads as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skyhaul::wire::stream::client::ClientMessage;

fuzz_target!(|text: &str| {
    let read = ClientMessage::read_json(text);
    if let Err(refused) = &read {
        assert!(refused.message.len() < 1_000, "{}", refused.message.len());
    }
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return };
    let Ok(bytes) = rmp_serde::to_vec(&value) else { return };
    let again = ClientMessage::read_msgpack(&bytes);
    assert_eq!(read.is_ok(), again.is_ok(), "{text}\n{read:?}\n{again:?}");
    if let (Ok(read), Ok(again)) = (read, again) {
        assert_eq!(read, again, "{text}");
    }
});
