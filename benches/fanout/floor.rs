//! What the operating system asks for the same frames: one thread that writes them, made
//! beforehand, to every socket, one `write` each, and does nothing else. No server of this
//! kind can cost less on this machine.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::HZ;
use crate::crowd::wall_ms;

/// Serves until it is killed; every second connection gets frames of the one size, the
/// others of the other.
pub fn serve(bytes: [usize; 2]) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    eprintln!("http://{}/", listener.local_addr()?);
    let sockets = Arc::new(Mutex::new(Vec::<TcpStream>::new()));
    let broadcast_to = Arc::clone(&sockets);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1) / HZ);
            let frames = bytes.map(frame);
            let sockets = broadcast_to.lock().unwrap_or_else(PoisonError::into_inner);
            for (number, mut socket) in sockets.iter().enumerate() {
                // One that is full misses a frame.
                let _ = socket.write(&frames[number % 2]);
            }
        }
    });
    loop {
        let (mut socket, _) = listener.accept()?;
        let mut request = Vec::new();
        let mut room = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            match socket.read(&mut room)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => request.extend_from_slice(&room[..read]),
            }
        }
        socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(socket);
    }
}

/// A text frame of this length, its head included.
fn frame(bytes: usize) -> Vec<u8> {
    let head = if bytes > 127 { 4 } else { 2 };
    let payload = format!("{{\"sentAt\":{:013},", wall_ms());
    let length = bytes.saturating_sub(head).max(payload.len());
    let mut frame = vec![0x81];
    match u16::try_from(length) {
        Ok(short @ 0..=125) => frame.push(short as u8),
        Ok(medium) => {
            frame.push(126);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        Err(_) => unreachable!("frames are a few kilobytes"),
    }
    frame.extend_from_slice(format!("{payload:x<length$}").as_bytes());
    frame
}
