//! The head of an answer: its status, and where its body ends.

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// With the connection.
    UntilClosed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    pub framing: Framing,
    /// The connection takes one more request.
    pub keeps_open: bool,
}

/// What came is no head of HTTP/1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong;

impl Head {
    /// The head and its length; `None` where it has not come to its end.
    pub fn read(bytes: &[u8]) -> Result<Option<(usize, Head)>, Wrong> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes).map_err(|_| Wrong)?;
        let (httparse::Status::Complete(length), Some(status)) = (parsed, response.code) else {
            return Ok(None);
        };
        // Nobody asks for another protocol.
        if status == 101 {
            return Err(Wrong);
        }
        let mut keeps_open = response.version == Some(1);
        let (mut body, mut is_chunked) = (None, false);
        for header in response.headers.iter() {
            let value = header.value.trim_ascii();
            if header.name.eq_ignore_ascii_case("content-length") {
                body = Some(number(value).ok_or(Wrong)?);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                is_chunked = has_word(value, b"chunked");
            } else if header.name.eq_ignore_ascii_case("connection") {
                keeps_open = (keeps_open || has_word(value, b"keep-alive")) && !has_word(value, b"close");
            }
        }
        let framing = match (status, body) {
            (..200 | 204 | 304, _) => Framing::Length(0),
            _ if is_chunked => Framing::Chunked,
            (_, Some(length)) => Framing::Length(length),
            (_, None) => Framing::UntilClosed,
        };
        let head = Head {
            status,
            framing,
            keeps_open: keeps_open && framing != Framing::UntilClosed,
        };
        Ok(Some((length, head)))
    }
}

fn number(value: &[u8]) -> Option<u64> {
    // A sign would be read as a number's too.
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok()?.parse().ok().filter(|_| digits)
}

/// Whether a list has this word.
fn has_word(value: &[u8], word: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Head> {
        let read = Head::read(text.as_bytes()).expect("it is a head");
        read.map(|(length, head)| {
            assert_eq!(length, text.len());
            head
        })
    }

    #[test]
    fn a_head_says_where_its_body_ends_and_whether_another_may_follow() {
        let head = |framing, keeps_open| {
            Some(Head {
                status: 200,
                framing,
                keeps_open,
            })
        };
        let of = |headers: &str| read(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n"));
        assert_eq!(of("Content-Length: 12\r\n"), head(Framing::Length(12), true));
        assert_eq!(
            of("transfer-encoding: gzip, Chunked\r\n"),
            head(Framing::Chunked, true)
        );
        assert_eq!(
            of("content-length: 1\r\nConnection: Close\r\n"),
            head(Framing::Length(1), false)
        );
        assert_eq!(of(""), head(Framing::UntilClosed, false));
        assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n"), None);
        let old = read("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(old, head(Framing::Length(0), true));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for text in [
            "SMTP ready\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        ] {
            assert_eq!(Head::read(text.as_bytes()), Err(Wrong), "{text}");
        }
    }
}
