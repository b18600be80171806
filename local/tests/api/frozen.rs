//! Processes that are stopped between two calls, as Lambda's are, while their connections come to an end.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::support::TestApp;

/// How the connections of a line end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The other end closes them.
    Closed,
    /// Nothing arrives any more and nobody says so, as when a router has forgotten them.
    Dead,
}

/// A line to a server.
struct Line {
    url: String,
    end: watch::Sender<End>,
    open: watch::Sender<usize>,
}

impl Line {
    async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let line = Self { url, end: watch::Sender::new(End::Closed), open: watch::Sender::new(0) };
        tokio::spawn(accept(listener, server.to_owned(), line.end.subscribe(), line.open.clone()));
        line
    }

    /// Ends what is open; what is opened later is as good as new.
    async fn end(&self, how: End) {
        self.end.send_replace(how);
        self.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }
}

async fn accept(listener: TcpListener, to: String, end: watch::Receiver<End>, open: watch::Sender<usize>) {
    while let Ok((mut outer, _)) = listener.accept().await {
        let (to, mut end, open) = (to.clone(), end.clone(), open.clone());
        end.mark_unchanged();
        tokio::spawn(async move {
            let mut inner = TcpStream::connect(to).await.unwrap();
            open.send_modify(|open| *open += 1);
            tokio::select! {
                _ = copy_bidirectional(&mut outer, &mut inner) => {}
                _ = end.changed() => {}
            }
            open.send_modify(|open| *open -= 1);
            if *end.borrow() == End::Dead {
                std::future::pending::<()>().await;
            }
        });
    }
}

/// A system whose functions, one process of each, reach one of the backends by the line.
async fn start(line: &Line, service: &str, address: &str) -> TestApp {
    let app = TestApp::start_with(|options| {
        assert!(options.freeze);
        let backend = if service == "SESV2" { &mut options.mail } else { &mut options.dynamodb };
        address.clone_into(backend);
        options.concurrency = 1;
        options.environment.insert(format!("AWS_ENDPOINT_URL_{service}"), line.url.clone());
    });
    app.await
}

/// An address that nobody has: functions call both backends while the system starts.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

async fn create(app: &TestApp, email: &str) -> Value {
    let customer = json!({ "company": "Analytical Engines", "email": email });
    let created = app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    assert_eq!(created.status(), 201);
    created.json().await.unwrap()
}

#[tokio::test]
async fn a_mail_is_sent_once_though_the_last_ones_connection_has_ended() {
    let mail = free_address();
    let line = Line::to(&mail).await;
    let app = start(&line, "SESV2", &mail).await;
    for (number, how) in [End::Closed, End::Dead, End::Dead, End::Closed].into_iter().enumerate() {
        let email = format!("ada{number}@example.com");
        create(&app, &email).await;
        let sent = app.app_request(Method::GET, &format!("/customer/{email}/passcode")).send().await.unwrap();
        assert_eq!(sent.status(), 200, "{number}");
        assert_eq!(app.mails(Some(&email)).len(), 1);
        line.end(how).await;
    }
}

#[tokio::test]
async fn no_request_fails_because_its_functions_connections_have_ended() {
    let dynamodb = free_address();
    let line = Line::to(&dynamodb).await;
    let app = start(&line, "DYNAMODB", &dynamodb).await;
    for number in 0..10 {
        let cuid = create(&app, &format!("ada{number}@example.com")).await["cuid"].as_str().unwrap().to_owned();
        line.end(End::Closed).await;
        for (path, status) in [
            ("/customer".to_owned(), 200),
            (format!("/customer/{cuid}"), 200),
            (format!("/customer/{cuid}/auth"), 200),
            (format!("/customer/ada{number}@example.com/sso"), 302),
        ] {
            let answer = app.app_request(Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            line.end(End::Closed).await;
        }
    }
    assert_eq!(app.tables.dump().unwrap()["CustomersTable"].len(), 10, "each was created once");
}
