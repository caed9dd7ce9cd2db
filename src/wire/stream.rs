//! Messages of the WebSocket interface.
