//! One function: its queue and its processes.

use std::{collections::VecDeque, sync::Arc};

use axum::body::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};

use super::{
    Invocation, Outcome, Running, Spec,
    process::{self, End, News},
};
use crate::{
    assignments::Assignments,
    logs::Logs,
    requests::Requests,
    template::{ACCOUNT, REGION},
};

/// A function that can be called.
pub struct Pool {
    arn: String,
    aliases: Vec<String>,
    messages: mpsc::UnboundedSender<Message>,
    task: JoinHandle<()>,
}

enum Message {
    Invoke(Invocation),
    Warm(oneshot::Sender<Result<(), String>>),
}

impl Pool {
    /// A function without a process yet.
    #[must_use]
    pub fn new(spec: Spec, assignments: Assignments, logs: Logs, requests: Requests) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        let (news, news_inbox) = mpsc::unbounded_channel();
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", spec.name);
        let aliases = spec.aliases.clone();
        let state = State {
            context: process::Context { spec: Arc::new(spec), assignments, logs, requests, news },
            queue: VecDeque::new(),
            idle: Vec::new(),
            processes: JoinSet::new(),
            started: 0,
            coming: 0,
            warming: Vec::new(),
        };
        Self { arn, aliases, messages, task: tokio::spawn(state.run(inbox, news_inbox)) }
    }

    /// Starts one process if there is none, and waits until it has asked for work.
    ///
    /// # Errors
    /// Why it did not start.
    pub async fn warm(&self) -> Result<(), String> {
        let (sender, ready) = oneshot::channel();
        // If the pool is gone, so is the sender, and the wait ends with an error.
        let _ = self.messages.send(Message::Warm(sender));
        ready.await.unwrap_or_else(|_| Err("the local system is stopping".to_owned()))
    }

    /// Ends every process; calls under way, and later ones, fail.
    pub fn stop(&self) {
        // Takes the processes along: each is killed when its supervisor is dropped.
        self.task.abort();
    }

    /// Whether the function may be called by this alias, or by the name of its only version.
    #[must_use]
    pub fn has(&self, qualifier: &str) -> bool {
        qualifier == "$LATEST" || self.aliases.iter().any(|alias| alias == qualifier)
    }

    /// Calls the function, under an alias if one is given. `request_id` is Lambda's; what the function calls is recorded
    /// under `recorded_as` where that is another id.
    #[must_use]
    pub fn invoke(
        &self,
        payload: Bytes,
        qualifier: Option<&str>,
        request_id: String,
        recorded_as: Option<String>,
    ) -> Running {
        let (started_sender, started) = oneshot::channel();
        let (outcome_sender, outcome) = oneshot::channel();
        let invocation = Invocation {
            recorded_as: recorded_as.unwrap_or_else(|| request_id.clone()),
            request_id,
            function_arn: qualifier.map_or_else(|| self.arn.clone(), |alias| format!("{}:{alias}", self.arn)),
            payload,
            started: started_sender,
            outcome: outcome_sender,
        };
        // As in `warm`.
        let _ = self.messages.send(Message::Invoke(invocation));
        Running { started, outcome }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

struct State {
    context: process::Context,
    queue: VecDeque<Invocation>,
    /// Processes waiting for work; the one that worked last is asked first, so that few stay warm.
    idle: Vec<oneshot::Sender<Invocation>>,
    processes: JoinSet<End>,
    /// Processes started so far, by which each gets its number.
    started: usize,
    /// Processes that will ask for work: they start, or have just replied.
    coming: usize,
    warming: Vec<oneshot::Sender<Result<(), String>>>,
}

impl State {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>, mut news: mpsc::UnboundedReceiver<News>) {
        loop {
            tokio::select! {
                // Who calls again has its reply: that its process will ask for more was told before.
                biased;
                Some(news) = news.recv() => self.hear(news),
                message = inbox.recv() => match message {
                    Some(Message::Invoke(invocation)) => self.queue.push_back(invocation),
                    Some(Message::Warm(ready)) if self.idle.is_empty() => self.warming.push(ready),
                    Some(Message::Warm(ready)) => drop(ready.send(Ok(()))),
                    None => return,
                },
                Some(ended) = self.processes.join_next() => self.bury(ended.unwrap_or(End::Ended(None))),
            }
            self.hand_out();
            self.start_missing();
        }
    }

    fn hear(&mut self, news: News) {
        let work = match news {
            News::Replied => {
                self.coming += 1;
                return;
            }
            News::Asks(work) => work,
        };
        self.coming = self.coming.saturating_sub(1);
        self.idle.push(work);
        for ready in self.warming.drain(..) {
            // Whoever asked may have given up waiting.
            let _ = ready.send(Ok(()));
        }
    }

    fn bury(&mut self, end: End) {
        match end {
            End::Ended(None) => {}
            End::Left => self.coming = self.coming.saturating_sub(1),
            End::Ended(Some(undelivered)) => self.queue.push_front(undelivered),
            End::NotStarted(why) => {
                self.coming = self.coming.saturating_sub(1);
                // Whoever waits for the start says why there was none; otherwise the log does.
                if self.warming.is_empty() {
                    self.context.logs.report(&self.context.spec.name, "", format!("does not start: {why}"));
                }
                for ready in self.warming.drain(..) {
                    let _ = ready.send(Err(why.clone()));
                }
                // It costs the call for which it was started, and no other.
                if let Some(invocation) = self.queue.pop_front() {
                    let outcome = Outcome::failed("Runtime.ExitError", &why);
                    self.context.requests.replied(&invocation.recorded_as, outcome.bytes());
                    self.context.requests.functions.called(&self.context.spec.name, Some(&why));
                    let _ = invocation.outcome.send(outcome);
                }
            }
        }
    }

    fn hand_out(&mut self) {
        while let Some(invocation) = self.queue.pop_front() {
            let Some(process) = self.idle.pop() else {
                self.queue.push_front(invocation);
                return;
            };
            // A process that has died since it asked gives the invocation back.
            if let Err(invocation) = process.send(invocation) {
                self.queue.push_front(invocation);
            }
        }
    }

    fn start_missing(&mut self) {
        let wanted = self.queue.len().max(usize::from(!self.warming.is_empty()));
        while self.coming < wanted && self.processes.len() < self.context.spec.concurrency {
            self.started += 1;
            self.coming += 1;
            self.processes.spawn(process::run(self.context.clone(), self.started));
        }
    }
}
