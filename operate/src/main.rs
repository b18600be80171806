//! The operator's terminal: gives one command to the function `operator`, here or in the cloud, and shows the answer.

use std::{
    io::{BufRead, IsTerminal, Write},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use serde_json::{Map, Value};

/// Gives a command to the operator's function.
///
/// Fields are `name=text`, or `name:=json` for anything that is no text; a dot goes into an object.
#[derive(Parser)]
#[command(name = "operate", version, after_help = EXAMPLE)]
struct Arguments {
    /// The local system's API.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000", conflicts_with = "function")]
    api: String,
    /// A deployed operator's function (the stack's output `OperatorFunctionName`), called through the AWS CLI.
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    /// Do not ask before something is erased.
    #[arg(long)]
    yes: bool,
    /// One of the operator's commands, such as `list_apps`.
    command: String,
    /// Its fields.
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
}

const EXAMPLE: &str = "Example: operate create_app name='My App' 'grants:=[\"passcode\"]' brand.name=Acme";
/// What cannot be taken back.
const IRREVERSIBLE: &str = "erase_customer";
/// The secrets that an answer may hold.
const SECRETS: [&str; 3] = ["supertoken", "platformtoken", "token"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "operate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let mut event = Map::from_iter([("command".to_owned(), Value::from(&*arguments.command))]);
    for field in &arguments.fields {
        set(&mut event, field)?;
    }
    if arguments.command == IRREVERSIBLE && !arguments.yes && !confirmed(&event)? {
        bail!("nothing was erased");
    }
    let event = Value::Object(event);
    let answer = match &arguments.function {
        Some(function) => invoke_remote(function, &event)?,
        None => invoke_local(&arguments.api, &event).await?,
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{answer:#}")?;
    } else {
        write!(out, "{}", table(&answer))?;
    }
    if SECRETS.iter().any(|name| answer[name].is_string()) {
        writeln!(std::io::stderr().lock(), "The token is shown this once. Only its hash is kept.")?;
    }
    Ok(())
}

/// Puts `name=text`, `name:=json` or `object.name=…` into an event.
fn set(event: &mut Map<String, Value>, field: &str) -> Result<()> {
    let (name, value) = field.split_once('=').with_context(|| format!("{field} is not FIELD=VALUE"))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => (name, serde_json::from_str(value).with_context(|| format!("{name} is not JSON"))?),
        None => (name, Value::from(value)),
    };
    match name.split_once('.') {
        Some((object, name)) => {
            let inner = event.entry(object).or_insert_with(|| Value::Object(Map::new()));
            inner.as_object_mut().with_context(|| format!("{object} is no object"))?.insert(name.to_owned(), value);
        }
        None => {
            event.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

fn confirmed(event: &Map<String, Value>) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{IRREVERSIBLE} asks before it acts; say --yes where nobody can answer");
    }
    let cuid = event.get("cuid").and_then(Value::as_str).unwrap_or("(no cuid)");
    write!(std::io::stderr().lock(), "Erase customer {cuid} for good? Type the cuid to confirm: ")?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    Ok(typed.trim() == cuid)
}

async fn invoke_local(api: &str, event: &Value) -> Result<Value> {
    let url = format!("{api}/2015-03-31/functions/operator/invocations");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let reply = client.post(&url).json(event).send().await;
    let reply = reply.with_context(|| format!("{api} does not answer: is `cargo run -p local` running?"))?;
    let failed = reply.headers().contains_key("x-amz-function-error");
    outcome(reply.json().await.context("the answer is no JSON")?, failed)
}

/// Through the AWS CLI, which knows profiles, regions and single sign-on. The event goes in by standard input, where no
/// list of processes shows it, and the answer comes out by standard output.
fn invoke_remote(function: &str, event: &Value) -> Result<Value> {
    let mut child = Command::new("aws")
        .args(["lambda", "invoke", "--function-name", function, "--payload", "fileb:///dev/stdin"])
        .args(["--query", "FunctionError", "--output", "text", "/dev/stderr"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the AWS CLI (`aws`) cannot be started")?;
    child.stdin.take().context("no way to the AWS CLI")?.write_all(event.to_string().as_bytes())?;
    let ended = child.wait_with_output()?;
    let answer = String::from_utf8_lossy(&ended.stderr).into_owned();
    if !ended.status.success() {
        bail!("{}", answer.trim());
    }
    let failed = String::from_utf8_lossy(&ended.stdout).trim() != "None";
    outcome(serde_json::from_str(&answer).context("the answer is no JSON")?, failed)
}

fn outcome(answer: Value, failed: bool) -> Result<Value> {
    if failed {
        return Err(anyhow!("{}", answer["errorMessage"].as_str().unwrap_or("the function failed")));
    }
    Ok(answer)
}

/// One line a field, or for a list one line an item.
fn table(answer: &Value) -> String {
    let Some(items) = answer["items"].as_array() else { return fields(answer) };
    let more = answer["cursor"].as_str().map(|cursor| format!("More remain: add cursor={cursor}\n"));
    items.iter().map(|item| fields(item) + "\n").chain(more).collect()
}

fn fields(item: &Value) -> String {
    let mut rows = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                rows.extend(inner.iter().map(|(inner, value)| (format!("{name}.{inner}"), cell(value))));
            }
            value => rows.push((name.clone(), cell(value))),
        }
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().fold(String::new(), |text, (name, value)| text + &format!("{name:width$}  {value}\n"))
}

/// A value for a terminal. Text from elsewhere must not move the cursor.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().filter(|char| !char.is_control()).collect(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_become_an_event() {
        let mut event = Map::new();
        for field in
            ["name=My App", "grants:=[\"passcode\"]", "brand.name=Acme", "brand.colour=#112233", "platform:=null"]
        {
            set(&mut event, field).unwrap();
        }
        let brand = json!({ "name": "Acme", "colour": "#112233" });
        let expected = json!({ "name": "My App", "grants": ["passcode"], "brand": brand, "platform": null });
        assert_eq!(Value::Object(event), expected);
        for field in ["name", "grants:=x"] {
            assert!(set(&mut Map::new(), field).is_err());
        }
    }

    #[test]
    fn an_answer_becomes_a_table() {
        let answer =
            json!({ "items": [{ "name": "A\u{1b}[2J", "grants": ["passcode", "nopasscode"] }], "cursor": "c" });
        assert_eq!(table(&answer), "grants  passcode, nopasscode\nname    A[2J\n\nMore remain: add cursor=c\n");
    }

    #[test]
    fn a_functions_error_is_told_in_its_words() {
        let error = outcome(json!({ "errorMessage": "No such App." }), true).unwrap_err();
        assert_eq!(error.to_string(), "No such App.");
    }
}
