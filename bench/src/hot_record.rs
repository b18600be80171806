//! One App calls ever more often, and each of its requests reads its record: get-customer over a table that hands reads back
//! as DynamoDB does.
//!
//! The function's own code answers each request in this process, with the settings that it has on Lambda. Requests come
//! whether earlier ones were answered or not. As many processes as Lambda would have are too much for one machine: each has
//! its client here, which is what counts its retries.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, Credentials, Region, retry::RetryPartition},
};
use lambda_http::Request;
use local::{
    faults::{Attempt, Fault},
    system::{Backends, Options},
    template::REGION,
};
use serde_json::{Value, json};
use shared::{Clock, Store, auth::Policy, http, sdk};
use tokio::task::JoinSet;

use crate::measure::quantile;

/// Consistent reads of one item that DynamoDB answers in a second.
const READS: u32 = 3_000;
/// By how much everything is less here than there.
const SCALE: u32 = 30;
/// Requests a second, as they would be there.
const RATES: [u32; 8] = [1_000, 2_500, 3_000, 3_500, 6_000, 9_000, 12_000, 14_000];
/// How long each rate is kept up.
const SPAN: Duration = Duration::from_secs(10);
/// How many customers the requests are about, so that the App's record is the only thing that they have in common.
const CUSTOMERS: usize = 100;

/// How many clients take turns.
const CLIENTS: usize = 100;

/// What a rate came to.
struct Outcome {
    failed: f64,
    reads: f64,
    latency: [f64; 2],
}

/// The table for a record alone, as version 0.1 wrote it, and for one with its copies.
///
/// # Errors
/// Backends that do not start, an answer that is neither a customer nor a failure, and a machine that is too slow.
pub async fn table(root: &Path) -> Result<String> {
    let mut table = format!(
        "1:{SCALE}. An item here answers {} consistent reads a second, where one of DynamoDB's answers {READS}; the first \
         column is what the rate here would be there.\n\n\
         | requests a second of one App | its record | fail | reads tried a request | p50 ms | p99 ms |\n\
         |--:|---|--:|--:|--:|--:|\n",
        READS / SCALE
    );
    for (record, with_copies) in [("alone", false), ("with copies", true)] {
        let hot = Hot::start(root, with_copies).await?;
        for rate in RATES {
            let Outcome { failed, reads, latency: [p50, p99] } = hot.call(rate).await?;
            let failed = failed * 100.0;
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| {rate} | {record} | {failed:.1}% | {reads:.2} | {p50:.0} | {p99:.0} |");
        }
    }
    Ok(table)
}

/// The function, and the table behind it.
struct Hot {
    // They end with it.
    _backends: Backends,
    functions: Vec<Arc<get_customer::Deps>>,
    items: Arc<Items>,
    event: Value,
}

impl Hot {
    async fn start(root: &Path, with_copies: bool) -> Result<Self> {
        let read = |name: &str| -> Result<Value> {
            Ok(serde_json::from_slice(&std::fs::read(root.join(name)).with_context(|| name.to_owned())?)?)
        };
        let backends = Backends::start(&Options::new(std::fs::read_to_string(root.join("template.yaml"))?)).await?;
        let mut records = read("events/fixtures.json")?;
        if !with_copies {
            let of_apps = records["AppsTable"].as_array_mut().context("no Apps")?;
            of_apps.retain(|item| item["key"]["S"].as_str().is_some_and(|key| !key.contains('#')));
        }
        let event = read("events/get-customer/by-its-app.json")?;
        let customers = records["CustomersTable"].as_array_mut().context("no customers")?;
        let ada = customers.iter().find(|item| item["cuid"]["S"] == event["pathParameters"]["identifier"]);
        let ada = ada.context("the customer of the event")?.clone();
        customers.extend((0..CUSTOMERS).map(|number| {
            let mut customer = ada.clone();
            customer["cuid"]["S"] = cuid(number).into();
            customer
        }));
        backends.tables.load(&records)?;
        let items =
            Arc::new(Items { reads: (READS / SCALE) as usize, served: Mutex::default(), tried: AtomicU64::new(0) });
        let asked = items.clone();
        backends.faults.inject(move |attempt| asked.hand_back(attempt, Instant::now()));
        let mut functions = Vec::new();
        for number in 0..CLIENTS {
            functions.push(Arc::new(get_customer::Deps {
                store: store(&backends, number).await?,
                clock: Clock::system(),
                policy: Policy { allow_query_credentials: false },
            }));
        }
        Ok(Self { _backends: backends, functions, items, event })
    }

    /// Calls at this rate.
    async fn call(&self, rate: u32) -> Result<Outcome> {
        self.items.lock().clear();
        self.items.tried.store(0, Relaxed);
        let mut random = Random(u64::from(rate));
        let (mut requests, started, mut next) = (JoinSet::new(), Instant::now(), Duration::ZERO);
        while next < SPAN {
            tokio::time::sleep_until((started + next).into()).await;
            let function = self.functions[requests.len() % CLIENTS].clone();
            let request = self.request(requests.len() % CUSTOMERS)?;
            requests.spawn(async move {
                let began = Instant::now();
                let status = http::answer(&*function, request).await.status().as_u16();
                (status, began.elapsed().as_secs_f64() * 1e3)
            });
            next += Duration::from_secs_f64(random.exponential(f64::from(SCALE) / f64::from(rate)));
        }
        ensure!(started.elapsed() < SPAN + SPAN / 20, "this machine is too slow for {rate} requests at 1:{SCALE}");
        let sent = requests.len() as f64;
        let (mut latencies, mut failed) = (Vec::new(), 0.0);
        while let Some(ended) = requests.join_next().await {
            match ended? {
                (200, latency) => latencies.push(latency),
                (500, _) => failed += 1.0,
                (other, _) => return Err(anyhow!("a request was answered {other}")),
            }
        }
        let reads = self.items.tried.load(Relaxed) as f64 / sent;
        let latency = [0.5, 0.99].map(|part| quantile(&mut latencies, part));
        Ok(Outcome { failed: failed / sent, reads, latency })
    }

    fn request(&self, customer: usize) -> Result<Request> {
        let mut event = self.event.clone();
        event["pathParameters"]["identifier"] = cuid(customer).into();
        Ok(lambda_http::request::from_str(&event.to_string())?)
    }
}

/// One of [`CUSTOMERS`].
fn cuid(number: usize) -> String {
    format!("Hot{number:019}")
}

/// The function's store in one of its processes, as it is on Lambda but for the place.
async fn store(backends: &Backends, process: usize) -> Result<Store> {
    let sdk = sdk::load().await.map_err(|error| anyhow!(error))?;
    // By its name the backends know what a function is allowed.
    let credentials = Credentials::new("get-customer.1", "local", None, None, "bench");
    let client = Builder::from(&sdk).endpoint_url(&backends.dynamodb).region(Region::new(REGION));
    let client = client.retry_partition(RetryPartition::new(format!("process {process}")));
    let client = Client::from_conf(client.credentials_provider(credentials).build());
    let environment = backends.template.functions.iter().find(|function| function.name == "get-customer");
    let environment = environment.context("get-customer is missing")?.environment.clone();
    Ok(Store::new(client, |table| environment.get(table.variable()).cloned()))
}

/// The items of a database, each of which answers so many reads within any second.
struct Items {
    reads: usize,
    served: Mutex<HashMap<String, VecDeque<Instant>>>,
    tried: AtomicU64,
}

impl Items {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, VecDeque<Instant>>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What DynamoDB does with a batch of reads: it hands back those that are too many, and refuses the whole where that is
    /// all of them.
    fn hand_back(&self, attempt: &Attempt<'_>, now: Instant) -> Option<Fault> {
        let (mut asked, mut unread) = (0, Vec::new());
        let mut served = self.lock();
        for (table, of_table) in attempt.request["RequestItems"].as_object()? {
            for key in of_table["Keys"].as_array().into_iter().flatten() {
                asked += 1;
                self.tried.fetch_add(u64::from(table == "AppsTable"), Relaxed);
                let item = served.entry(format!("{table} {key}")).or_default();
                while item.front().is_some_and(|before| now.duration_since(*before) >= Duration::from_secs(1)) {
                    item.pop_front();
                }
                if item.len() < self.reads {
                    item.push_back(now);
                } else {
                    unread.push((table.clone(), key.clone()));
                }
            }
        }
        if unread.is_empty() {
            return None;
        }
        if unread.len() < asked {
            return Some(Fault::Unread(unread));
        }
        let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        Some(Fault::Answer(400, json!({ "__type": kind, "message": "The item is read too often." })))
    }
}

/// Splitmix64: the same numbers each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The time between events that come `mean` apart.
    fn exponential(&mut self, mean: f64) -> f64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        -mean * (1.0 - unit).ln()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Mutex, atomic::AtomicU64},
        time::{Duration, Instant},
    };

    use local::{
        calls::Caller,
        faults::{Attempt, Fault},
    };
    use serde_json::{Value, json};

    use super::Items;

    #[test]
    fn reads_of_one_item_are_handed_back_past_its_limit_until_a_second_has_gone() {
        let items = Items { reads: 2, served: Mutex::default(), tried: AtomicU64::new(0) };
        let now = Instant::now();
        let read = |keys: &[&str], after: u64| {
            let keys: Vec<Value> = keys.iter().map(|key| json!({ "key": { "S": key } })).collect();
            let request = json!({ "RequestItems": { "AppsTable": { "Keys": keys } } });
            let caller = Caller::default();
            let attempt = Attempt { caller: &caller, action: "BatchGetItem", request: &request, tables: &[] };
            items.hand_back(&attempt, now + Duration::from_millis(after))
        };
        assert!(read(&["a", "b"], 0).is_none());
        assert!(read(&["a"], 500).is_none());
        assert!(matches!(read(&["a"], 999), Some(Fault::Answer(400, _))), "nothing is left to be answered");
        let Some(Fault::Unread(unread)) = read(&["a", "b"], 999) else { panic!("b is answered, a is not") };
        assert_eq!(unread, [("AppsTable".to_owned(), json!({ "key": { "S": "a" } }))]);
        assert!(read(&["a"], 1000).is_none());
    }
}
