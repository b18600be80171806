//! One process of one function, from its start to its end.

use std::{
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{body::Bytes, http::StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    Invocation, Outcome, REPLY_LIMIT, Spec,
    api::{self, Delivery, Event},
};
use crate::{assignments::Assignments, logs::Logs, requests::Requests};

/// How long a process may take until it asks for its first invocation, as in Lambda.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// What a process tells its pool.
pub(super) enum News {
    /// It has replied, and will ask for more.
    Replied,
    /// It asks for work.
    Asks(oneshot::Sender<Invocation>),
}

/// What every process of one function shares.
#[derive(Clone)]
pub(super) struct Context {
    pub spec: Arc<Spec>,
    pub assignments: Assignments,
    pub logs: Logs,
    pub requests: Requests,
    pub news: mpsc::UnboundedSender<News>,
}

/// How a process ended.
pub(super) enum End {
    /// Before it asked for work, and why.
    NotStarted(String),
    /// After a reply, without asking for more.
    Left,
    /// Later. An invocation that it was to take and did not is given back.
    Ended(Option<Invocation>),
}

/// Runs process number `number` until it ends.
pub(super) async fn run(context: Context, number: usize) -> End {
    let (sender, events) = mpsc::unbounded_channel();
    let mut background = JoinSet::new();
    // By this name its calls are known, wherever it shows its access key id.
    let name = format!("{}.{number}", context.spec.name);
    let started = start(&context, &name, sender, &mut background).await;
    let child = match started {
        Ok(child) => child,
        Err(why) => return End::NotStarted(why),
    };
    let mut process = Process { context, name, child, events };
    process.context.requests.functions.process_started(&process.context.spec.name);
    let end = process.live().await;
    process.context.requests.functions.process_ended(&process.context.spec.name);
    process.context.assignments.end(&process.name);
    // The process may have written its last words just now.
    let _ = process.child.kill().await;
    let _ = tokio::time::timeout(Duration::from_millis(200), async {
        while background.len() > 1 && background.join_next().await.is_some() {}
    })
    .await;
    process.context.assignments.forget(&process.name);
    end
}

/// Starts the process and, in `background`, its Runtime API and the readers of its output.
async fn start(
    context: &Context,
    name: &str,
    events: mpsc::UnboundedSender<Event>,
    background: &mut JoinSet<()>,
) -> Result<Child, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| format!("no free port: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let spec = &context.spec;
    let mut child = Command::new(&spec.binary)
        .env_clear()
        .envs(&spec.environment)
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_LOG_STREAM_NAME", name)
        .env("AWS_ACCESS_KEY_ID", name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C is for us, not for them: they would end before what they are doing is answered.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", spec.binary.display()))?;
    background.spawn(async move {
        // An accept loop of axum's does not end with an error.
        let _ = axum::serve(listener, api::router(events)).await;
    });
    if let Some(stream) = child.stdout.take() {
        background.spawn(context.logs.clone().follow(spec.name.clone(), name.to_owned(), stream));
    }
    if let Some(stream) = child.stderr.take() {
        background.spawn(context.logs.clone().follow(spec.name.clone(), name.to_owned(), stream));
    }
    Ok(child)
}

struct Process {
    context: Context,
    name: String,
    child: Child,
    events: mpsc::UnboundedReceiver<Event>,
}

/// What the supervisor has to react to.
enum Happening {
    Asked(Event),
    Exited(String),
    TimedOut,
}

impl Process {
    async fn live(&mut self) -> End {
        let mut asking = match self.init().await {
            Ok(asking) => asking,
            Err(why) => return End::NotStarted(why),
        };
        let mut first = true;
        loop {
            self.freeze(Signal::STOP);
            let invocation = match self.wait_for_work(&mut asking).await {
                Ok(invocation) => invocation,
                Err(undelivered) => return End::Ended(undelivered),
            };
            self.freeze(Signal::CONT);
            let deadline = Instant::now() + self.context.spec.timeout;
            let delivery = Delivery {
                request_id: invocation.request_id.clone(),
                function_arn: invocation.function_arn.clone(),
                deadline: SystemTime::now() + self.context.spec.timeout,
                payload: invocation.payload.clone(),
            };
            self.context.assignments.begin(&self.name, self.child.id(), &invocation.recorded_as);
            if asking.send(delivery).is_err() {
                return End::Ended(Some(invocation));
            }
            let _ = invocation.started.send(());
            self.context.requests.taken(&invocation.recorded_as, &self.name, first);
            first = false;
            let outcome = self.work(&invocation.request_id, deadline).await;
            self.context.assignments.end(&self.name);
            let dead = outcome.is_err();
            if !dead {
                // Before the caller hears of it: whoever calls again at once needs no second process.
                let _ = self.context.news.send(News::Replied);
            }
            let outcome = outcome.unwrap_or_else(|failed| failed);
            self.context.requests.replied(&invocation.recorded_as, outcome.bytes());
            self.context
                .requests
                .functions
                .called(&self.context.spec.name, outcome.in_plain_words(&self.context.spec.name).as_deref());
            // The caller may have gone away.
            let _ = invocation.outcome.send(outcome);
            if dead {
                return End::Ended(None);
            }
            asking = match self.next(deadline).await {
                Some(asking) => asking,
                None => return End::Left,
            };
        }
    }

    /// Stops the process or lets it go on, where that is wanted.
    fn freeze(&self, signal: Signal) {
        let id = self.child.id().filter(|_| self.context.spec.freeze);
        if let Some(process) = id.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // It may have ended by itself.
            let _ = kill_process(process, signal);
        }
    }

    /// Until the process first asks for work.
    async fn init(&mut self) -> Result<oneshot::Sender<Delivery>, String> {
        let deadline = Instant::now() + INIT_LIMIT;
        loop {
            match self.happening(Some(deadline)).await {
                Happening::Asked(Event::Next(asking)) => return Ok(asking),
                Happening::Asked(Event::InitError(body)) => return Err(message_of(&body)),
                Happening::Asked(Event::Done { accepted, .. }) => refuse(accepted),
                Happening::Exited(how) => return Err(format!("it ended with {how}")),
                Happening::TimedOut => {
                    return Err(format!("it did not ask for work within {} s", INIT_LIMIT.as_secs()));
                }
            }
        }
    }

    /// Until the pool hands over an invocation for `asking`.
    ///
    /// # Errors
    /// The process has ended; an invocation handed over in that very moment goes back to the pool.
    async fn wait_for_work(
        &mut self,
        asking: &mut oneshot::Sender<Delivery>,
    ) -> Result<Invocation, Option<Invocation>> {
        let (sender, mut work) = oneshot::channel();
        self.context.news.send(News::Asks(sender)).map_err(|_| None)?;
        loop {
            tokio::select! {
                biased;
                happening = self.happening(None) => match happening {
                    // It has lost its connection and asks anew.
                    Happening::Asked(Event::Next(again)) => *asking = again,
                    Happening::Asked(Event::Done { accepted, .. }) => refuse(accepted),
                    _ => {
                        work.close();
                        return Err(work.try_recv().ok());
                    }
                },
                invocation = &mut work => return invocation.map_err(|_| None),
            }
        }
    }

    /// Until the invocation has ended.
    ///
    /// # Errors
    /// The outcome, if the process has ended with it or must end.
    async fn work(&mut self, request_id: &str, deadline: Instant) -> Result<Outcome, Outcome> {
        loop {
            match self.happening(Some(deadline)).await {
                Happening::Asked(Event::Done { request_id: id, end, accepted }) if id == request_id => {
                    let (status, outcome) = judge(end);
                    let _ = accepted.send(status);
                    return Ok(outcome);
                }
                Happening::Asked(Event::Done { accepted, .. }) => refuse(accepted),
                Happening::Asked(Event::InitError(body)) => return Err(Outcome::Failed(body)),
                // It asks for more without having answered: so it will never answer.
                Happening::Asked(Event::Next(_)) => {
                    return Err(Outcome::failed(
                        "Runtime.NoReply",
                        "the function asked for work before it had replied",
                    ));
                }
                Happening::Exited(how) => {
                    let message = format!("RequestId: {request_id} Error: Runtime exited with error: {how}");
                    return Err(Outcome::failed("Runtime.ExitError", &message));
                }
                Happening::TimedOut => {
                    let seconds = self.context.spec.timeout.as_secs_f64();
                    let message = format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
                    self.context.logs.report(&self.context.spec.name, &self.name, message.clone());
                    return Err(Outcome::failed("Sandbox.Timedout", &message));
                }
            }
        }
    }

    /// Until the process asks for its next invocation; `None` if it ends instead, or has not asked by the deadline of
    /// the last one, which bounds that time as well.
    async fn next(&mut self, deadline: Instant) -> Option<oneshot::Sender<Delivery>> {
        loop {
            match self.happening(Some(deadline)).await {
                Happening::Asked(Event::Next(asking)) => return Some(asking),
                Happening::Asked(Event::Done { accepted, .. }) => refuse(accepted),
                _ => return None,
            }
        }
    }

    async fn happening(&mut self, deadline: Option<Instant>) -> Happening {
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // What the process has said counts even if it has ended or run late since.
            biased;
            Some(event) = self.events.recv() => Happening::Asked(event),
            status = self.child.wait() => {
                Happening::Exited(status.map_or_else(|error| error.to_string(), |status| status.to_string()))
            }
            () = late => Happening::TimedOut,
        }
    }
}

fn judge(end: api::End) -> (StatusCode, Outcome) {
    match end {
        api::End::Reply(body) if body.len() > REPLY_LIMIT => {
            let message = format!("Response payload size exceeded maximum allowed payload size ({REPLY_LIMIT} bytes).");
            (StatusCode::PAYLOAD_TOO_LARGE, Outcome::failed("Function.ResponseSizeTooLarge", &message))
        }
        api::End::Reply(body) => (StatusCode::ACCEPTED, Outcome::Reply(body)),
        api::End::Error(body) => (StatusCode::ACCEPTED, Outcome::Failed(body)),
    }
}

fn refuse(accepted: oneshot::Sender<StatusCode>) {
    // The process may be gone.
    let _ = accepted.send(StatusCode::BAD_REQUEST);
}

/// The message of an error that a process has reported.
fn message_of(body: &Bytes) -> String {
    let report: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match report["errorMessage"].as_str() {
        Some(message) => message.to_owned(),
        None => String::from_utf8_lossy(body).into_owned(),
    }
}
