//! Logs of hosts, page by page, and the ends of files on datastores.

mod server;

use server::{Asked, Server, fault, http, service_content, soap, with_header};
use vsphere::{DatastorePath, Error, Moref, WireError};

/// The text of a tail and the number of bytes before it, or a part of the error.
type Expected = Result<(&'static str, Option<u64>), &'static str>;

/// Returns the text of the element `name` in a request.
fn field<'a>(asked: &'a Asked, name: &str) -> Option<&'a str> {
    asked.body.split_once(&format!("<{name}>"))?.1.split('<').next()
}

/// Starts a server with a log of that many lines, which returns at most 500 at once. After `rotated` calls, only that many
/// are left.
fn log_of(lines: i32, rotated: Option<(usize, i32)>) -> impl FnMut(&Asked) -> Option<String> {
    let mut calls = 0;
    move |asked| match asked.method.as_str() {
        "RetrieveServiceContent" => {
            let manager = r#"<diagnosticManager type="DiagnosticManager">dm</diagnosticManager></returnval>"#;
            Some(soap("RetrieveServiceContent", &service_content("6.7").replace("</returnval>", manager)))
        }
        "BrowseDiagnosticLog" => {
            calls += 1;
            let lines = rotated.filter(|(after, _)| calls > *after).map_or(lines, |(_, left)| left);
            let start: i32 = field(asked, "start")?.parse().ok()?;
            // The call for the end asks for no lines, because some servers could not add them to such a large start.
            let wanted = match field(asked, "lines") {
                Some(wanted) => wanted.parse().ok()?,
                None if start == i32::MAX => 0,
                None => return Some(fault("InvalidArgument", "lines")),
            };
            if wanted > 500 {
                return Some(fault("InvalidArgument", "lines"));
            }
            let first = start.min(lines + 1);
            let last = lines.min(first.saturating_add(wanted) - 1);
            let text: Vec<String> =
                (first..=last).map(|number| format!("<lineText>line {number}</lineText>")).collect();
            let text = text.concat();
            let header = format!("<lineStart>{first}</lineStart><lineEnd>{last}</lineEnd>");
            Some(soap("BrowseDiagnosticLog", &format!("<returnval>{header}{text}</returnval>")))
        }
        _ => None,
    }
}

#[tokio::test]
async fn the_end_of_a_log_is_read_in_pages_that_the_server_allows() {
    // Lines in the log, lines wanted, number of the first returned line, number of calls.
    for (there, wanted, first, calls) in
        [(1700, 1200, 501, 4), (300, 1200, 1, 2), (500, 500, 1, 2), (0, 100, 1, 1), (1, 1, 1, 2)]
    {
        let server = Server::start(log_of(there, None)).await;
        let session = server.session().await.unwrap();
        let tail = session.log_tail(&Moref::new("HostSystem", "host-9"), "vmkernel", wanted).await.unwrap();
        assert_eq!((tail.start, tail.end), (first, there), "{there} {wanted}");
        let expected: Vec<String> = (first..=there).map(|number| format!("line {number}")).collect();
        assert_eq!(tail.lines, expected, "{there} {wanted}");
        let browses: Vec<Asked> = server.asked().into_iter().filter(|it| it.method == "BrowseDiagnosticLog").collect();
        assert_eq!(browses.len(), calls, "{there} {wanted}");
        assert!(
            browses.iter().all(|it| it.body.contains(r#"<host type="HostSystem">host-9</host><key>vmkernel</key>"#))
        );
        session.close().await;
    }
}

#[tokio::test]
async fn the_rest_of_a_rotated_log_is_read() {
    let server = Server::start(log_of(1000, Some((2, 10)))).await;
    let session = server.session().await.unwrap();
    let tail = session.log_tail(&Moref::new("HostSystem", "host-9"), "vmkernel", 1000).await.unwrap();
    assert_eq!((tail.end, tail.lines.len()), (500, 500));
    session.close().await;
}

#[tokio::test]
async fn the_end_of_a_file_comes_from_servers_with_ranges_and_without() {
    let ranged = with_header(&http("206 Partial Content", "tail"), "Content-Range: bytes 96-99/100");
    let unsaid = http("206 Partial Content", "tail");
    let cases: [(String, Expected); 7] = [
        (ranged, Ok(("tail", Some(96)))),
        (unsaid, Ok(("tail", None))),
        (http("200 OK", "all of it, tail"), Ok(("tail", Some(11)))),
        (http("416 Range Not Satisfiable", ""), Ok(("", Some(0)))),
        (http("404 Not Found", ""), Err("cannot find the file [ds 1] inner/vmware.log")),
        (http("403 Forbidden", ""), Err("this user may not read [ds 1] inner/vmware.log (HTTP status 403)")),
        (http("500 Internal Server Error", ""), Err("status 500")),
    ];
    for (answer, expected) in cases {
        let server = Server::start(move |asked| asked.method.starts_with("/folder").then(|| answer.clone())).await;
        let session = server.session().await.unwrap();
        let file = DatastorePath::parse("[ds 1] inner/vmware.log").unwrap();
        let tail = session.file_tail("Lab", &file, 4).await;
        match (&tail, expected) {
            (Ok(tail), Ok(expected)) => assert_eq!((tail.text.as_str(), tail.skipped), expected),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (tail, expected) => panic!("{tail:?} is not {expected:?}"),
        }
        let asked = server.asked().into_iter().find(|it| it.method.starts_with("/folder")).unwrap();
        assert_eq!(asked.method, "/folder/inner/vmware.log?dcPath=Lab&dsName=ds%201");
        assert!(asked.head.contains("range: bytes=-4") && asked.head.contains("cookie: vmware_soap_session"));
        session.close().await;
    }
}

#[tokio::test]
async fn a_redirect_of_a_file_is_not_followed() {
    let other = Server::start(|_| Some(http("200 OK", "its log"))).await;
    let elsewhere = format!("http://127.0.0.1:{}", other.port);
    // The redirect's location, and a part of the error. A ticket in the location must not be shown.
    for (location, says) in [
        (format!("{elsewhere}/folder/inner/vmware.log?ticket=S3CRET"), format!("it redirects to {elsewhere}, ")),
        (
            "https://root:S3CRET@esxi01.lab.example/x".to_owned(),
            "it redirects to https://esxi01.lab.example, ".to_owned(),
        ),
        ("/elsewhere?ticket=S3CRET".to_owned(), "it redirects to another path on the same server".to_owned()),
        ("nonsense:S3CRET".to_owned(), "it redirects to an address that is not HTTP".to_owned()),
    ] {
        let answer = with_header(&http("307 Temporary Redirect", ""), &format!("Location: {location}"));
        let server = Server::start(move |asked| asked.method.starts_with("/folder").then(|| answer.clone())).await;
        let session = server.session().await.unwrap();
        let file = DatastorePath::parse("[ds] inner/vmware.log").unwrap();
        let error = session.file_tail("Lab", &file, 4).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains(&says) && !told.contains("S3CRET"), "{told}");
        let named = matches!(&error, Error::Wire(WireError::Elsewhere { what, .. }) if what == "[ds] inner/vmware.log");
        assert_eq!(named, location.contains("//"), "{told}");
        session.close().await;
    }
    assert!(other.asked().is_empty(), "no request, and no cookie, reaches it");
}

#[tokio::test]
async fn a_file_is_requested_again_in_a_new_session_but_only_once() {
    let mut calls = 0;
    let server = Server::start(move |asked| {
        calls += usize::from(asked.method.starts_with("/folder"));
        let refused = calls == 1 || calls > 2;
        let answer = if refused { http("401 Unauthorized", "") } else { http("206 Partial Content", "tail") };
        asked.method.starts_with("/folder").then_some(answer)
    })
    .await;
    let session = server.session().await.unwrap();
    let file = DatastorePath::parse("[ds] inner/vmware.log").unwrap();
    assert_eq!(session.file_tail("Lab", &file, 4).await.unwrap().text, "tail");
    let refused = session.file_tail("Lab", &file, 4).await.unwrap_err();
    assert!(matches!(refused, Error::Unreadable { status: 401, .. }), "{refused}");
    assert_eq!(server.methods().iter().filter(|method| *method == "Login").count(), 3);
    session.close().await;
}
