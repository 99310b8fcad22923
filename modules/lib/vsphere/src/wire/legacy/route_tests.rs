use proptest::prelude::*;

use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpListener;

use super::{Route, status};

#[tokio::test]
async fn connections_are_kept_alive_and_found_dead() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let route = Route { host: "127.0.0.1".to_owned(), port, proxy: None };
    let stream = route.open().await.unwrap();
    let socket = SockRef::from(&stream);
    assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(15));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
    assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
}

#[test]
fn only_http_has_a_status() {
    for (head, code) in [
        ("HTTP/1.1 200 OK\r\n\r\n", Some(200)),
        ("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", Some(200)),
        ("HTTP/1.1 407\r\n\r\n", Some(407)),
        ("HTTP/1.1 2000 OK\r\n\r\n", None),
        ("HTTP/1.1 +20 OK\r\n\r\n", None),
        ("HTTP/1.1 20", None),
        ("HTTP/2 200 OK\r\n\r\n", None),
        ("SSH-2.0-OpenSSH\r\n\r\n", None),
        ("", None),
    ] {
        assert_eq!(status(head.as_bytes()), code, "{head:?}");
    }
}

proptest! {
    #[test]
    fn a_status_is_read_whatever_follows_it(code in 100u16..1000, rest in any::<Vec<u8>>()) {
        let head = [format!("HTTP/1.1 {code} ").as_bytes(), &rest].concat();
        prop_assert_eq!(status(&head), Some(code));
    }

    #[test]
    fn any_answer_is_read(head in any::<Vec<u8>>()) {
        prop_assert!(status(&head).is_none() || head.starts_with(b"HTTP/1."));
    }
}
