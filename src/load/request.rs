//! A request, in the words of the wire.

use std::io::Write;

/// Made anew in the same memory each time.
#[derive(Default)]
pub(super) struct Request {
    /// All before the body's length.
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

impl Request {
    /// Method, path and what every request says alike; the rest is the caller's.
    pub fn begin(&mut self, method: &str, path: &str, headers: &[u8]) {
        for part in [
            method.as_bytes(),
            b" ",
            path.as_bytes(),
            b" HTTP/1.1\r\n",
            headers,
        ] {
            self.head.extend_from_slice(part);
        }
    }

    pub fn clear(&mut self) {
        self.head.clear();
        self.body.clear();
    }

    /// The whole of it, where the head was.
    pub fn whole(&mut self) -> &[u8] {
        if !self.body.is_empty() || !self.head.starts_with(b"GET ") {
            let length = self.body.len();
            write!(self.head, "content-length: {length}\r\n").expect("there is always room in memory");
        }
        self.head.extend_from_slice(b"\r\n");
        self.head.extend_from_slice(&self.body);
        &self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_length_where_it_has_a_body() {
        let mut request = Request::default();
        request.begin("POST", "/x", b"host: a\r\n");
        request.body.extend_from_slice(b"{}");
        assert_eq!(
            request.whole(),
            b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"
        );
    }
}
