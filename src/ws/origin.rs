//! Which web pages may open a session. A browser says whose page it is and lets any page
//! connect anywhere, so that the server must look; other clients send no origin.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

/// Pages from this machine, and pages that came from the host that is being asked.
pub(super) fn may_connect(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok()) else {
        return false;
    };
    let (Some(name), Some(authority)) = (origin.host(), origin.authority()) else {
        return false;
    };
    let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    is_loopback(name) || asked.is_some_and(|asked| asked.eq_ignore_ascii_case(authority.as_str()))
}

fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn pages_of_this_machine_and_of_the_host_itself_may_connect_and_others_not() {
        let may = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("drones.example:8080"));
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            may_connect(&headers)
        };
        assert!(may_connect(&HeaderMap::new()));
        assert!(may("http://localhost:5173") && may("http://127.0.0.1:8080") && may("http://[::1]:1"));
        assert!(may("https://drones.example:8080"));
        for other in [
            "https://elsewhere.example",
            "https://localhost.example",
            "null",
            "",
            "file://",
        ] {
            assert!(!may(other), "{other}");
        }
    }
}
