//! Sessions: opening, expiry, closing, and answers that are not from a vSphere API.

mod server;

use std::cell::RefCell;
use std::rc::Rc;

use server::{Server, credentials, endpoint, fault, http, object, objects, service_content, soap, with_header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vsphere::{Error, Moref, OptionValue, Scheme, Session, TypedValue, VmPaths, WireError, WriteError};

fn vm() -> Moref {
    Moref::new("VirtualMachine", "vm-63")
}

fn inner() -> String {
    objects(&[object("VirtualMachine", "vm-63", &[("name", "inner")])])
}

/// Answers the first call of `method` as an expired session does, and the others by the script.
fn expired_once(method: &'static str, then: &'static str) -> impl FnMut(&server::Asked) -> Option<String> {
    let mut calls = 0;
    move |asked| {
        if asked.method != method {
            return None;
        }
        calls += 1;
        Some(if calls == 1 {
            fault("NotAuthenticated", "The session is not authenticated.")
        } else {
            soap(method, then)
        })
    }
}

#[tokio::test]
async fn the_session_cookie_goes_back_as_it_came() {
    let server = Server::start(|asked| (asked.method == "RetrievePropertiesEx").then(inner)).await;
    let session = server.session().await.unwrap();
    let found = session.vm_again(&vm(), &VmPaths::default()).await.unwrap();
    assert_eq!(found.vm.name(), "inner");
    session.close().await;
    session.close().await;
    assert_eq!(server.methods().len(), 4);
    let asked = server.asked();
    let methods: Vec<&str> = asked.iter().map(|it| it.method.as_str()).collect();
    assert_eq!(methods, ["RetrieveServiceContent", "Login", "RetrievePropertiesEx", "Logout"]);
    let cookie = "cookie: vmware_soap_session=\"0a1b2c\"";
    for (at, sent) in [(0, false), (1, false), (2, true), (3, true)] {
        assert_eq!(asked[at].head.contains(cookie), sent, "{}", asked[at].head);
    }
    assert!(asked[0].head.contains("soapaction: \"urn:vim25/4.1\""));
    assert!(asked[1].head.contains("soapaction: \"urn:vim25/6.7\""));
    assert!(asked[1].body.contains("<password>p&lt;&amp;&gt;&quot;&apos;w</password>"));
}

#[tokio::test]
async fn a_session_serves_one_run_after_another() {
    let server = Server::start(|asked| (asked.method == "RetrievePropertiesEx").then(inner)).await;
    let session = server.session().await.unwrap();
    let told = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&told);
    session.serve(Some(Rc::new(move |request: &str, _, _, _| heard.borrow_mut().push(request.to_owned()))), None);
    session.vm_again(&vm(), &VmPaths::default()).await.unwrap();
    session.serve(None, None);
    session.vm_again(&vm(), &VmPaths::default()).await.unwrap();
    assert_eq!(*told.borrow(), ["RetrievePropertiesEx"]);
    session.close().await;
}

#[tokio::test]
async fn a_refused_login_is_its_fault_and_shows_no_password() {
    let server = Server::start(|asked| {
        (asked.method == "Login").then(|| {
            with_header(
                &fault("InvalidLogin", "Cannot complete login."),
                "Set-Cookie: vmware_soap_session=\"dead\"; Path=/",
            )
        })
    })
    .await;
    let error = server.session().await.unwrap_err();
    assert!(matches!(&error, Error::Login { fault, .. } if fault.is("InvalidLogin")));
    let text = error.to_string();
    assert!(
        text.starts_with("127.0.0.1:")
            && text.ends_with(" refused the login of root: InvalidLogin: Cannot complete login"),
        "{text}"
    );
    let debug = format!("{error:?} {:?}", credentials());
    assert!(!debug.contains(server::PASSWORD), "{debug}");
}

#[tokio::test]
async fn the_session_of_a_damaged_login_is_closed_by_the_cookie_of_its_headers() {
    let whole = with_header(&soap("Login", "<returnval/>"), "Set-Cookie: vmware_soap_session=\"first\"; Path=/");
    let cut = whole[..whole.len() - 40].to_owned();
    let mut damaged = Some(cut);
    let server = Server::start(move |asked| if asked.method == "Login" { damaged.take() } else { None }).await;
    let session = server.session().await.unwrap();
    session.close().await;
    let asked = server.asked();
    let methods: Vec<&str> = asked.iter().map(|it| it.method.as_str()).collect();
    assert_eq!(methods, ["RetrieveServiceContent", "Login", "Logout", "Login", "Logout"]);
    assert!(asked[2].head.contains("vmware_soap_session=\"first\""), "{}", asked[2].head);
    assert!(asked[4].head.contains("vmware_soap_session=\"0a1b2c\""), "{}", asked[4].head);
}

#[tokio::test]
async fn a_logout_is_retried_until_the_session_is_gone() {
    let mut answers =
        vec![http("503 Service Unavailable", ""), String::new(), fault("NotAuthenticated", "")].into_iter();
    let server = Server::start(move |asked| if asked.method == "Logout" { answers.next() } else { None }).await;
    server.session().await.unwrap().close().await;
    assert_eq!(server.methods()[2..], ["Logout", "Logout", "Logout"]);
}

#[tokio::test]
async fn a_connection_that_drops_is_not_one_that_cannot_be_made() {
    let server = Server::start(|asked| (asked.method == "RetrieveServiceContent").then(String::new)).await;
    let error = server.session().await.unwrap_err();
    assert!(matches!(&error, Error::Wire(WireError::Dropped { .. })), "{error:?}");
    let expected = format!("the connection to 127.0.0.1:{} was lost during RetrieveServiceContent: ", server.port);
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test]
async fn a_read_survives_an_expired_session() {
    let server = Server::start(expired_once(
        "QueryOptions",
        "<returnval><key>A.B</key><value xsi:type=\"xsd:long\">1</value></returnval>",
    ))
    .await;
    let session = server.session().await.unwrap();
    let manager = Moref::new("OptionManager", "m");
    let option = session.query_option(&manager, "A.B").await.unwrap();
    assert_eq!(option.unwrap().value.kind, "long");
    assert_eq!(server.methods()[2..], ["QueryOptions", "Logout", "Login", "QueryOptions"]);
    let asked = server.asked();
    assert!(!asked[4].head.contains("cookie"), "the dead cookie is dropped");
}

#[tokio::test]
async fn properties_that_are_not_authenticated_count_as_an_expired_session() {
    let mut calls = 0;
    let server = Server::start(move |asked| {
        (asked.method == "RetrievePropertiesEx").then(|| {
            calls += 1;
            if calls > 1 {
                return inner();
            }
            soap(
                "RetrievePropertiesEx",
                r#"<returnval><objects><obj type="VirtualMachine">vm-63</obj><missingSet><path>name</path>
                <fault><fault xsi:type="NotAuthenticated"/></fault></missingSet></objects></returnval>"#,
            )
        })
    })
    .await;
    let session = server.session().await.unwrap();
    let found = session.vm_again(&vm(), &VmPaths::default()).await.unwrap();
    assert_eq!(found.vm.name(), "inner");
    assert_eq!(server.methods()[3..5], ["Logout", "Login"]);
}

#[tokio::test]
async fn reads_at_the_same_time_renew_the_session_once() {
    let mut logins = 0;
    let server = Server::start(move |asked| match asked.method.as_str() {
        "Login" => {
            logins += 1;
            None
        }
        "RetrievePropertiesEx" if logins == 1 => Some(fault("NotAuthenticated", "")),
        "RetrievePropertiesEx" => Some(inner()),
        _ => None,
    })
    .await;
    let session = server.session().await.unwrap();
    let (vm, paths) = (vm(), VmPaths::default());
    let reads = futures_util::future::join_all((0..5).map(|_| session.vm_again(&vm, &paths)));
    assert!(reads.await.iter().all(Result::is_ok));
    let methods = server.methods();
    let logins = methods.iter().filter(|method| *method == "Login");
    assert_eq!(logins.count(), 2);
}

#[tokio::test]
async fn a_change_is_not_repeated_in_a_new_session() {
    let server = Server::start(expired_once("UpdateOptions", "")).await;
    let session = server.session().await.unwrap();
    let manager = Moref::new("OptionManager", "m");
    let values = [OptionValue {
        key: "Migrate.VMotionStreamDisable".to_owned(),
        value: TypedValue { kind: "long".to_owned(), text: "1".to_owned() },
    }];
    let outcome = session.update_options(&manager, &values).await;
    assert!(matches!(outcome, Err(WriteError::Refused(Error::SessionRenewed))), "{outcome:?}");
    assert_eq!(server.methods()[2..], ["UpdateOptions", "Logout", "Login"]);
    session.update_options(&manager, &values).await.unwrap();
    let asked = server.asked();
    assert!(asked[5].body.contains(
        r#"<changedValue><key>Migrate.VMotionStreamDisable</key><value xsi:type="xsd:long">1</value></changedValue>"#
    ));
}

#[tokio::test]
async fn sessions_are_not_renewed_forever_for_writes() {
    let server = Server::start(|asked| (asked.method == "UpdateOptions").then(|| fault("NotAuthenticated", ""))).await;
    let session = server.session().await.unwrap();
    let manager = Moref::new("OptionManager", "m");
    for renewed in [true, true, false] {
        let Err(WriteError::Refused(error)) = session.update_options(&manager, &[]).await else { panic!() };
        assert_eq!(matches!(error, Error::SessionRenewed), renewed, "{error:?}");
    }
    session.close().await;
    let count = |wanted: &str| server.methods().iter().filter(|method| *method == wanted).count();
    assert_eq!((count("Login"), count("Logout")), (3, 3), "no session is left behind");
}

#[tokio::test]
async fn a_closed_session_stays_closed() {
    let server =
        Server::start(|asked| (asked.method == "RetrievePropertiesEx").then(|| fault("NotAuthenticated", ""))).await;
    let session = server.session().await.unwrap();
    session.close().await;
    let outcome = session.vm_again(&vm(), &VmPaths::default()).await;
    assert!(outcome.unwrap_err().to_string().contains("session is closed"));
    assert_eq!(server.methods()[2..], ["Logout", "RetrievePropertiesEx"]);
}

#[tokio::test]
async fn the_version_list_is_read_if_the_version_is_not_a_number() {
    let list = r#"<namespaces version="1.0"><namespace><name>urn:vim25</name><version>uA046D008</version>
        <priorVersions><version>8.0.2.0</version><version>8.0.0.0</version><version>6.0</version></priorVersions></namespace>
        <namespace><name>urn:other</name><version>4.1</version></namespace></namespaces>"#;
    for (answer, spoken) in [
        (http("200 OK", list), "8.0.0.0"),
        (http("404 Not Found", "404 page not found"), "4.1"),
        (http("200 OK", "<html>no"), "4.1"),
    ] {
        let server = Server::start(move |asked| match asked.method.as_str() {
            "RetrieveServiceContent" => Some(soap("RetrieveServiceContent", &service_content("uA046D008"))),
            "/sdk/vimServiceVersions.xml" => Some(answer.clone()),
            _ => None,
        })
        .await;
        server.session().await.unwrap();
        let login = &server.asked()[2];
        let action = format!("soapaction: \"urn:vim25/{spoken}\"");
        assert!(login.head.contains(&action), "{spoken}: {}", login.head);
    }
}

#[tokio::test]
async fn answers_that_are_not_from_the_api_are_distinguished() {
    let big = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_owned();
    for (answer, says) in [
        (
            with_header(&http("302 Found", ""), "Location: https://elsewhere/sdk?ticket=S3CRET"),
            "redirects to https://elsewhere, which is not followed",
        ),
        (http("200 OK", "<!DOCTYPE html><html><p>Welcome"), "a web page"),
        (http("200 OK", "<a><b></a>"), "not one of the vSphere API"),
        (http("200 OK", "<feed/>"), "a `feed` document"),
        (http("200 OK", ""), "it is empty"),
        (http("404 Not Found", "404 page not found"), "no vSphere API at this address"),
        (http("503 Service Unavailable", "<html>"), "starting or stopping"),
        (http("400 Bad Request", "wrong door"), "status 400: wrong door"),
        (fault("RuntimeFault", ""), "RuntimeFault"),
        (big, "larger than 64 MiB"),
    ] {
        let server = Server::start(move |_| Some(answer.clone())).await;
        let error = server.session().await.unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let blank = vec![b' '; 1 << 20];
        while stream.write_all(&blank).await.is_ok() {}
    });
    let error = Session::open(endpoint(port, Scheme::Http), credentials()).await;
    assert!(matches!(error, Err(Error::Wire(WireError::TooLarge { limit })) if limit == 64 << 20));
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_the_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Session::open(endpoint(port, Scheme::Http), credentials()).await;
    let expected = format!("cannot connect to 127.0.0.1:{port}: connection refused");
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn errors_name_the_proxy_or_the_server() {
    let server = Server::start(|_| None).await;
    let mut endpoint = endpoint(80, Scheme::Http);
    endpoint.host = "vcenter.invalid".to_owned();
    endpoint.proxy = Some(vsphere::Proxy { host: "127.0.0.1".to_owned(), port: server.port });
    Session::open(endpoint.clone(), credentials()).await.unwrap();
    assert!(server.asked()[0].head.starts_with("post http://vcenter.invalid/sdk "));
    endpoint.scheme = Scheme::Https(vsphere::Trust::Anything);
    for (answer, says) in [
        ("407 Proxy Authentication Required", "requires authentication"),
        ("403 Forbidden", "refused to connect to the server"),
    ] {
        let server = Server::start(move |_| Some(http(answer, ""))).await;
        endpoint.proxy = Some(vsphere::Proxy { host: "127.0.0.1".to_owned(), port: server.port });
        let error = Session::open(endpoint.clone(), credentials()).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(server.asked()[0].head.starts_with("connect vcenter.invalid:80 "));
    }
}
