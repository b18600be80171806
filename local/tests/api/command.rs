//! The command `local` itself: what it prints, how it fails and how it ends.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use local::binaries;
use serde_json::Value;

use crate::{fixtures, support::client};

const FREE: [&str; 8] =
    ["--api", "127.0.0.1:0", "--mail", "127.0.0.1:0", "--dynamodb", "127.0.0.1:0", "--partner", "127.0.0.1:0"];

fn local() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(FREE).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A command that cannot start has one line for a person, the last.
fn assert_fails(output: &Output, line: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.lines().last(), Some(line), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "nothing is announced that is not there");
}

/// A file that does not exist yet, named after the test.
fn new_file(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&file);
    file
}

async fn wait_for(file: &Path, child: &mut Child) -> Value {
    let started = Instant::now();
    loop {
        if let Ok(text) = std::fs::read(file) {
            std::fs::remove_file(file).unwrap();
            return serde_json::from_slice(&text).unwrap();
        }
        assert!(child.try_wait().unwrap().is_none(), "it has ended before it was ready");
        assert!(started.elapsed() < Duration::from_mins(5), "it is never ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The processes that `parent` has started.
fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let of_parent = |process: std::fs::DirEntry| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        // After the name, which may hold anything, come the state and the parent.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        (fields.get(1)?.parse() == Ok(parent) && fields[0] != "Z").then_some(id)
    };
    processes.filter_map(of_parent).collect()
}

async fn assert_end(processes: Vec<u32>) {
    let started = Instant::now();
    while processes.iter().any(|id| Path::new(&format!("/proc/{id}")).exists()) {
        assert!(started.elapsed() < Duration::from_secs(5), "a process goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_is_ready_when_it_says_so_and_ends_with_every_process_on_a_signal() {
    for signal in ["-INT", "-TERM", "-KILL"] {
        let file = new_file("ready");
        let mut child = local().arg("--ready-file").arg(&file).spawn().unwrap();
        let ready = wait_for(&file, &mut child).await;
        let api = ready["api"].as_str().unwrap();
        let listed = client()
            .get(format!("{api}/customer"))
            .header("x-access-superkey", ready["app"]["superkey"].as_str().unwrap())
            .header("x-access-supertoken", ready["app"]["supertoken"].as_str().unwrap());
        assert_eq!(listed.send().await.unwrap().status(), 200);
        assert!(ready["platform"]["platformkey"].is_string() && ready["platform"]["platformtoken"].is_string());
        let functions = children_of(child.id());
        let folder = std::fs::read_dir(binaries::project_root().unwrap().join("functions")).unwrap();
        let all = folder.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        // One that is called again before it has asked for more work gets a second process, as on Lambda.
        let executable = |id: &u32| std::fs::read_link(format!("/proc/{id}/exe")).unwrap();
        let started: std::collections::BTreeSet<_> = functions.iter().map(executable).collect();
        assert_eq!(started.len(), all, "a process of each function");

        assert!(Command::new("sh").args(["-c", &format!("kill {signal} {}", child.id())]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.success(), signal != "-KILL", "{signal}");
        assert_end(functions).await;
    }
}

#[tokio::test]
async fn it_prints_lines_for_a_shell_that_work_and_fit() {
    let file = new_file("curl");
    let mut child = local().arg("--ready-file").arg(&file).spawn().unwrap();
    let ready = wait_for(&file, &mut child).await;
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<String> = lines.take_while(|line| !line.contains("Ctrl-C")).collect();
    for line in &lines {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let pasted: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.starts_with("  ")).collect();
    assert!(pasted[0].contains(ready["api"].as_str().unwrap()));
    let output = Command::new("sh").args(["-c", &pasted.join("\n")]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for (words, line) in ["\"expires_at\"", "ada@example.com", "\"invalid_passcode\""].iter().zip(told.lines()) {
        assert!(line.contains(words), "{told}");
    }
    assert!(told.contains("HTTP/1.1 302 ") && told.contains("ticket="), "{told}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn two_systems_get_along_whose_addresses_differ() {
    let files = [new_file("first"), new_file("second")];
    let mut systems = files.each_ref().map(|file| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.args(&FREE[..6]).arg("--ready-file").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    });
    let mut sites = Vec::new();
    for (file, system) in files.iter().zip(&mut systems) {
        let site = wait_for(file, system).await["partner"].as_str().unwrap().to_owned();
        assert_eq!(client().get(format!("{site}/")).send().await.unwrap().status(), 200);
        sites.push(site);
    }
    assert_ne!(sites[0], sites[1]);
    for mut system in systems {
        system.kill().unwrap();
        system.wait().unwrap();
    }
}

/// The lines that a system has written to standard error until it ended on a Ctrl-C.
fn interrupt(mut child: Child) -> Vec<String> {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    lines
}

#[tokio::test]
async fn each_request_is_a_line_without_colour_in_a_pipe_and_the_end_is_told() {
    let file = new_file("lines");
    let mut child = local().arg("--ready-file").arg(&file).spawn().unwrap();
    let ready = wait_for(&file, &mut child).await;
    let api = ready["api"].as_str().unwrap();
    client().get(format!("{api}/customer")).send().await.unwrap();
    client().get(format!("{api}/customer/ada@example.com/auth")).send().await.unwrap();
    let operator = format!("{api}/2015-03-31/functions/operator/invocations");
    client().post(operator).body(r#"{"command": "nonsense"}"#).send().await.unwrap();
    let mut lines = interrupt(child);
    assert_eq!(lines.pop().unwrap(), "local: ended (Ctrl-C)");
    assert_eq!(lines.pop().unwrap(), "", "a terminal shows ^C there");
    let parts: Vec<String> = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let found = |wanted: &str| parts.iter().any(|line| line.contains(wanted));
    assert!(found("403 GET /customer ") && found("403 GET /customer/{id}/auth "), "{lines:#?}");
    assert!(found("200 operator nonsense "), "{lines:#?}");
    let told: Vec<_> = parts.iter().skip_while(|line| !line.contains("operator nonsense")).skip(1).collect();
    assert!(told[0].starts_with("operator answered with an error: "), "under its request: {lines:#?}");
    assert_eq!(told.len(), 1, "told once: {lines:#?}");
    for line in &lines {
        assert!(!line.contains('\x1b') && !line.contains('{') || line.contains("{id}"), "{line}");
        assert!(!line.contains('@'), "no address: {line}");
    }
}

#[tokio::test]
async fn the_functions_own_lines_come_on_request_and_after_the_banner() {
    let file = new_file("json");
    let mut child = local().args(["--log", "json"]).arg("--ready-file").arg(&file).spawn().unwrap();
    wait_for(&file, &mut child).await;
    let lines = interrupt(child);
    assert!(lines.iter().any(|line| line.starts_with("[operator] {") && line.contains("create_app")), "{lines:#?}");
}

#[tokio::test]
async fn a_data_folder_is_one_systems_at_a_time() {
    let (file, folder) = (new_file("held"), new_file("held-data"));
    let mut child = local().arg("--ready-file").arg(&file).arg("--data").arg(&folder).spawn().unwrap();
    wait_for(&file, &mut child).await;
    let before = std::fs::read(folder.join("demo.json")).unwrap();
    let refused = local().arg("--data").arg(&folder).output().unwrap();
    let (folder_name, process) = (folder.display(), child.id());
    assert_fails(
        &refused,
        &format!(
            "local: another system uses the data in {folder_name} (process {process}): end it, or name another folder"
        ),
    );
    assert_eq!(std::fs::read(folder.join("demo.json")).unwrap(), before);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut after = local().arg("--ready-file").arg(&file).arg("--data").arg(&folder).spawn().unwrap();
    wait_for(&file, &mut after).await;
    after.kill().unwrap();
    after.wait().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn backends_alone_hold_the_fixtures() {
    let file = new_file("backends");
    let mut child = local().arg("--backends-only").arg("--ready-file").arg(&file).spawn().unwrap();
    let ready = wait_for(&file, &mut child).await;
    assert!(ready["api"].is_null());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<String> = lines.take_while(|line| line != "Ctrl-C ends it.").collect();
    for (name, value) in [
        ("APPS_TABLE", "AppsTable"),
        ("AWS_ENDPOINT_URL_DYNAMODB", ready["dynamodb"].as_str().unwrap()),
        ("AWS_ENDPOINT_URL_SESV2", ready["mail"].as_str().unwrap()),
        ("ALLOW_QUERY_CREDENTIALS", "true"),
        ("PEPPER", fixtures::PEPPER),
    ] {
        assert!(lines.contains(&format!("  export {name}='{value}'")), "{name} in {lines:#?}");
    }
    let scan = client()
        .post(ready["dynamodb"].as_str().unwrap())
        .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
        .header("x-amz-date", "20260101T000000Z")
        .header("x-amz-target", "DynamoDB_20120810.Scan")
        .header("content-type", "application/x-amz-json-1.0")
        .body(r#"{"TableName": "AppsTable"}"#);
    let scanned: Value = scan.send().await.unwrap().json().await.unwrap();
    assert!(scanned["Count"].as_u64().unwrap() > 0, "{scanned}");
    assert!(children_of(child.id()).is_empty(), "no function runs");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_keeps_it_from_starting_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let output = command.args(["--api", &address]).args(&FREE[2..]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let (told, free) = stderr.lines().last().unwrap().split_once("; free: --api ").unwrap();
    assert_eq!(told, format!("local: {address} is in use (--api)"));
    assert_fails(&output, &format!("{told}; free: --api {free}"));
    std::net::TcpListener::bind(free).unwrap();

    let output = local().env("CARGO", "/nowhere/cargo").output().unwrap();
    assert_fails(
        &output,
        "local: cannot start /nowhere/cargo, which builds the functions: No such file or directory (os error 2)",
    );

    let output = Command::new(env!("CARGO_BIN_EXE_local")).args(["--api", "9000"]).output().unwrap();
    assert_fails(&output, "local: --api 9000 is no address such as 127.0.0.1:9000");

    let output = local().args(["--parameter-overrides", "Nonsense=1"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = stderr.lines().last().unwrap();
    assert!(told.starts_with("local: the template has no parameter Nonsense; it has "), "{told}");
    assert!(told.contains(" PasscodeTtlSeconds,"), "{told}");
    assert_fails(&output, told);
}
