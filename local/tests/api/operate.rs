//! `operate`, the operator's terminal: what it prints, where, and how it ends.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{Output, Stdio},
};

use operator_commands::COMMANDS;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tokio::{io::AsyncReadExt, process::Command};

use crate::support::{TestApp, executables};

const EMAIL: &str = "ada@example.com";

async fn binary() -> PathBuf {
    executables().await.unwrap()["operate"].clone()
}

/// Runs it where nobody can answer.
async fn operate(arguments: &[&str]) -> Ended {
    let run = Command::new(binary().await).args(arguments).stdin(Stdio::null()).output().await.unwrap();
    Ended::from(run)
}

/// Gives this system a command.
async fn command(app: &TestApp, arguments: &[&str]) -> Ended {
    let mut all = vec!["--api", app.api.as_str()];
    all.extend(arguments);
    operate(&all).await
}

/// What it came to.
#[derive(Debug)]
struct Ended {
    status: i32,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Self { status: output.status.code().unwrap(), out, err }
    }
}

impl Ended {
    #[track_caller]
    fn is_refused(&self, words: &str) {
        assert_eq!(
            (self.status, self.out.as_str(), self.err.as_str()),
            (1, "", format!("operate: {words}\n").as_str())
        );
    }

    #[track_caller]
    fn is_well(&self) -> &Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }
}

#[tokio::test]
async fn help_lists_the_commands_and_the_fields_of_each() {
    let help = operate(&["help"]).await;
    help.is_well();
    assert_eq!(operate(&["--help"]).await.out, help.out);
    let listed = |name: &str| help.out.lines().any(|line| line.split_whitespace().next() == Some(name));
    for command in COMMANDS {
        assert!(listed(command.name), "{} in {}", command.name, help.out);
        let own = operate(&["help", command.name]).await;
        own.is_well();
        let words = own.out.split_whitespace().collect::<Vec<_>>().join(" ");
        for field in command.fields() {
            assert!(words.contains(field.name) && words.contains(field.hint), "{} in {words}", field.name);
        }
    }
    let nothing = operate(&[]).await;
    assert_eq!((nothing.status, nothing.out.as_str()), (2, ""));
    assert!(nothing.err.contains("Usage: operate"), "{}", nothing.err);
    for shell in ["bash", "zsh", "fish"] {
        let completion = operate(&["completion", shell]).await;
        assert!(completion.is_well().out.contains("erase_customer"), "{shell}");
        // zsh takes a colon for its own.
        let fields = completion.out.replace('\\', "");
        assert!(fields.contains("name= grants:= platform= "), "{shell} completes fields: {fields}");
    }
}

#[tokio::test]
async fn a_command_that_is_almost_right_is_suggested() {
    for (typed, meant) in [("list-apps", "list_apps"), ("erase_customers", "erase_customer")] {
        let refused = operate(&[typed]).await;
        assert_eq!((refused.status, refused.out.as_str()), (2, ""));
        assert!(refused.err.contains(&format!("'{meant}'")), "{}", refused.err);
    }
}

#[tokio::test]
async fn an_answer_is_printed_and_a_refusal_is_none() {
    let app = TestApp::start().await;
    let created = command(&app, &["create_app", "name=Second App", "grants:=[\"passcode\"]"]).await;
    let field = |name: &str| {
        let value = created.out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} in {}", created.out)).trim().to_owned()
    };
    assert_eq!(created.is_well().err, "The token is shown this once. Only its hash is kept.\n");
    assert!(field("supertoken").starts_with("atomst_"));

    let list = command(&app, &["list_apps"]).await;
    let rows: Vec<&str> = list.is_well().out.lines().collect();
    let column = rows[0].find("NAME").unwrap();
    assert!(rows[0].starts_with("SUPERKEY "), "{}", list.out);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[column..].split("  ").next().unwrap()).collect();
    assert!(rows.len() == 3 && names.contains(&"Second App") && names.contains(&"Demo App"), "{}", list.out);
    let json = command(&app, &["--json", "list_apps"]).await;
    let json: Value = serde_json::from_str(&json.is_well().out).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 2);

    let before = app.tables.dump().unwrap();
    let unknown = format!("superkey=atomsk_{}", "0".repeat(22));
    command(&app, &["show_app", &unknown]).await.is_refused("No such App.");
    command(&app, &["show_app", "superkey=nobody"]).await.is_refused("superkey must be a superkey.");
    command(&app, &["create_app", "name"]).await.is_refused("name is not FIELD=VALUE");
    let hint = "grants takes JSON, with a colon before the equals sign: 'grants:=[\"passcode\"]'";
    command(&app, &["create_app", "name=x", "grants=passcode"]).await.is_refused(hint);
    assert_eq!(app.tables.dump().unwrap(), before);
}

#[tokio::test]
async fn whoever_is_no_operator_is_told_from_one() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let nothing = operate(&["--api", &closed, "list_apps"]).await;
    nothing.is_refused(&format!(
        "nothing answers at {closed}: start it with `cargo run -p local`, or say --api URL or --function NAME"
    ));
    let app = TestApp::start().await;
    let mail = app.system.backends.mail.as_str();
    let refused = operate(&["--api", mail, "list_apps"]).await;
    refused.is_refused(&format!(
        "{mail} answers 404 Not Found, and not as the operator's function: is it the API's address?"
    ));
    let slash = format!("{}/", app.api);
    operate(&["--api", &slash, "list_apps"]).await.is_well();
}

/// Runs it on a terminal on which somebody types this line.
async fn on_a_terminal(app: &TestApp, arguments: &[&str], typed: &str) -> Ended {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let standard_input = OpenOptions::new().read(true).write(true).open(name).unwrap();
    let mut child = Command::new(binary().await)
        .args(["--api", &app.api])
        .args(arguments)
        .stdin(standard_input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever reads the question types the answer.
    let mut errors = child.stderr.take().unwrap();
    let mut err = String::new();
    while !err.ends_with(": ") {
        let byte = errors.read_u8().await.unwrap_or_else(|_| panic!("it ends without a question: {err}"));
        err.push(char::from(byte));
    }
    let mut terminal = File::from(terminal);
    writeln!(terminal, "{typed}").unwrap();
    errors.read_to_string(&mut err).await.unwrap();
    let mut ended = Ended::from(child.wait_with_output().await.unwrap());
    ended.err = err;
    ended
}

#[tokio::test]
async fn a_customer_is_named_before_they_are_erased() {
    let app = TestApp::start().await;
    let cuid = app.demo().create(EMAIL).await.body["cuid"].as_str().unwrap().to_owned();
    let field = format!("cuid={cuid}");
    let erase = ["erase_customer", field.as_str()];
    let customers = || app.tables.items("CustomersTable").unwrap().len();

    let asks = "this cannot be taken back and asks first; say --yes where nobody can answer";
    command(&app, &erase).await.is_refused(asks);
    let company = app.demo().show(&cuid).await.body["company"].as_str().unwrap().to_owned();
    let question = format!("Erase {company}, {EMAIL}, for good? Type the cuid ({cuid}) to confirm: ");
    for typed in ["", "y", &cuid.to_lowercase()[1..]] {
        let declined = on_a_terminal(&app, &erase, typed).await;
        assert_eq!((declined.status, declined.out.as_str()), (1, ""), "{declined:?}");
        assert_eq!(declined.err, format!("{question}operate: nothing was erased\n"));
    }
    let unknown = ["erase_customer", "cuid=0000000000000000000000"];
    command(&app, &["--yes", unknown[0], unknown[1]]).await.is_refused("No such customer.");
    assert_eq!(customers(), 1);

    let erased = on_a_terminal(&app, &erase, &cuid).await;
    assert_eq!((erased.is_well().err.as_str(), customers()), (question.as_str(), 0));
    let cuid = app.demo().create(EMAIL).await.body["cuid"].as_str().unwrap().to_owned();
    command(&app, &["--yes", "erase_customer", &format!("cuid={cuid}")]).await.is_well();
    assert_eq!(customers(), 0);
}
