//! What a request's headers say of who sends it: the same for both doors.

use axum::http::{HeaderMap, HeaderName, Uri, header};

use super::{Denied, Presented};

/// The name under which the server was asked: `Host`, or what stands for it in HTTP/2.
pub fn host_of<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let authority = || uri.authority().map(|authority| authority.as_str());
    text_of(headers, &header::HOST).or_else(authority)
}

/// The page that a browser asks for.
pub fn origin_of(headers: &HeaderMap) -> Option<&str> {
    text_of(headers, &header::ORIGIN)
}

/// The token of `Authorization: Bearer`, where there is one.
///
/// # Errors
/// `NotOurs` where something else is shown there, or more than one.
pub fn bearer_of(headers: &HeaderMap) -> Result<Option<Presented>, Denied> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Presented::bearer(value).map(Some),
        _ => Err(Denied::NotOurs),
    }
}

/// What cannot be read must not pass for what is not there.
fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("unreadable"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_bearer_is_the_one_way_to_show_a_token_here() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            bearer_of(&headers)
        };
        assert_eq!(read(&[]), Ok(None));
        let token = Ok(Some(Presented::new("a.b.c")));
        assert_eq!(read(&["Bearer a.b.c"]), token);
        assert_eq!(read(&["bearer  a.b.c "]), token);
        for wrong in [
            &["a.b.c"][..],
            &["Basic YTpi"],
            &["Bearer"],
            &[""],
            &["Bearer a.b.c", "Bearer a.b.c"],
        ] {
            assert_eq!(read(wrong), Err(Denied::NotOurs), "{wrong:?}");
        }
    }
}
