//! What a million requests cost, from what was measured and Amazon's price list.

use std::fmt::Write as _;

use serde_json::Value;

use crate::measure::Figures;

/// Dollars for the Region us-east-1 on x86, on demand, without free tiers, by the public price list. Dated, because they
/// change: when they do, change them here. In November 2026 those of API Gateway, CloudWatch, KMS, Lambda and SES were found
/// again in texts of the year before; those of DynamoDB, Secrets Manager and X-Ray were not.
pub mod prices {
    /// When they were looked up.
    pub const DATE: &str = "2026-11";
    /// A million requests of an HTTP API, the first 300 million of a month.
    pub const API_MILLION: f64 = 1.00;
    /// A million invocations.
    pub const INVOCATION_MILLION: f64 = 0.20;
    /// A second of one GB of memory.
    pub const GB_SECOND: f64 = 0.000_016_666_7;
    /// A million read request units of DynamoDB.
    pub const READ_MILLION: f64 = 0.125;
    /// A million write request units.
    pub const WRITE_MILLION: f64 = 0.625;
    /// A thousand mails of SES by use. Accounts new to SES since July 2026 pay 0.16 until they choose the plan `NONE`.
    pub const MAIL_THOUSAND: f64 = 0.10;
    /// A GB taken in by CloudWatch Logs.
    pub const LOG_GB: f64 = 0.50;
    /// A million requests of an HTTP API beyond the first 300 million of a month.
    pub const API_MILLION_BEYOND: f64 = 0.90;
    /// A GB kept for a month, with point-in-time recovery.
    pub const STORED_GB: f64 = 0.25 + 0.20;
    /// An alarm for a month.
    pub const ALARM: f64 = 0.10;
    /// A secret for a month.
    pub const SECRET: f64 = 0.40;
    /// A KMS key for a month.
    pub const KEY: f64 = 1.00;
    /// A dashboard for a month.
    pub const DASHBOARD: f64 = 3.00;
    /// A metric of one's own for a month, if it has a value in each of its hours.
    pub const METRIC: f64 = 0.30;
    /// A GB of CloudWatch Logs kept for a month.
    pub const LOG_KEPT_GB: f64 = 0.03;
    /// A million traces of X-Ray.
    pub const TRACE_MILLION: f64 = 5.00;
    /// A tenant of SES for a month.
    pub const TENANT: f64 = 0.005;
}

/// Memory of a function in MB.
const MEMORY_MB: f64 = 256.0;
/// Memory at which Lambda gives one whole processor, in MB.
const WHOLE_CPU_MB: f64 = 1769.0;
/// Seconds of a round trip to DynamoDB within a Region; what a local database takes says nothing of it.
const TRIP: f64 = 0.004;
/// Seconds that SES takes a mail in.
const MAIL: f64 = 0.06;
/// Bytes of the log lines of one request, Lambda's own included.
const LOG_BYTES: f64 = 900.0;

/// What one request uses of the services.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Read request units.
    pub reads: f64,
    /// Write request units.
    pub writes: f64,
    /// Mails.
    pub mails: f64,
    /// Sequential calls to DynamoDB.
    pub trips: f64,
}

impl Usage {
    /// Counts the units of calls, each `{"action", "request"}`, in trips. Every item of ours is below 1 KB and so one
    /// unit: reads are consistent, writes in a transaction count twice.
    pub fn of(trips: &[Vec<Value>]) -> Self {
        let mut usage = Self::default();
        for trip in trips {
            usage.trips += f64::from(u8::from(trip.iter().any(|call| call["action"] != "SendEmail")));
            for Call { reads, writes, mails } in trip.iter().map(units) {
                usage.reads += reads;
                usage.writes += writes;
                usage.mails += mails;
            }
        }
        usage
    }
}

struct Call {
    reads: f64,
    writes: f64,
    mails: f64,
}

fn units(call: &Value) -> Call {
    let request = &call["request"];
    let (mut reads, mut writes, mut mails) = (0.0, 0.0, 0.0);
    match call["action"].as_str().unwrap_or_default() {
        "BatchGetItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            reads = tables.map(|(_, asked)| asked["Keys"].as_array().map_or(0, Vec::len)).sum::<usize>() as f64;
        }
        "Query" => reads = 1.0,
        "PutItem" | "UpdateItem" => writes = 1.0,
        "TransactWriteItems" => writes = 2.0 * request["TransactItems"].as_array().map_or(0, Vec::len) as f64,
        "SendEmail" => mails = 1.0,
        _ => {}
    }
    Call { reads, writes, mails }
}

/// The price of a million requests, by service, in dollars.
fn million(figures: &Figures, usage: Usage) -> (f64, [f64; 6]) {
    let duration = figures.warm_cpu * WHOLE_CPU_MB / MEMORY_MB + usage.trips * TRIP + usage.mails * MAIL;
    // Lambda bills whole milliseconds.
    let billed = (duration * 1e3).ceil() / 1e3;
    let costs = [
        prices::API_MILLION,
        prices::INVOCATION_MILLION,
        billed * MEMORY_MB / 1024.0 * prices::GB_SECOND * 1e6,
        usage.reads * prices::READ_MILLION + usage.writes * prices::WRITE_MILLION,
        usage.mails * prices::MAIL_THOUSAND * 1e3,
        LOG_BYTES * 1e6 / 1e9 * prices::LOG_GB,
    ];
    (billed, costs)
}

/// The table of costs of each line that has a usage.
pub fn table(lines: &[(&Figures, Usage)]) -> String {
    let mut table = format!(
        "us-east-1, x86, {MEMORY_MB} MB, list prices of {}. Duration is measured CPU time at that memory's share of a processor ({:.0}%), and {:.0} ms a round trip to DynamoDB and {:.0} ms a mail, which are assumed.\n\n| | reads | writes | billed ms | API $ | invocation $ | duration $ | DynamoDB $ | SES $ | logs $ | a million $ |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        prices::DATE,
        MEMORY_MB / WHOLE_CPU_MB * 100.0,
        TRIP * 1e3,
        MAIL * 1e3,
    );
    for (figures, usage) in lines {
        let (billed, costs) = million(figures, *usage);
        let [api, invocation, duration, database, mail, logs] = costs;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {:.0} | {api:.2} | {invocation:.2} | {duration:.2} | {database:.2} | {mail:.2} | {logs:.2} | **{:.2}** |",
            figures.name,
            usage.reads,
            usage.writes,
            billed * 1e3,
            costs.iter().sum::<f64>(),
        );
    }
    table
}

/// Parts of all requests.
const MIX: [(&str, f64); 8] = [
    ("get-customer", 0.60),
    ("auth-nopasscode", 0.15),
    ("send-passcode", 0.05),
    ("auth", 0.05),
    ("sso", 0.025),
    ("redeem-ticket", 0.025),
    ("create-customer", 0.05),
    ("list-customers", 0.05),
];
/// Bytes that a customer takes in all tables, DynamoDB's own included.
const CUSTOMER_BYTES: f64 = 2_000.0;

/// The table of what months of so many requests cost, by service; `fixed` is what a month costs without requests.
pub fn months(lines: &[(&Figures, Usage)], fixed: f64) -> String {
    let mut mixed = [0.0; 6];
    for (name, part) in MIX {
        let Some((figures, usage)) = lines.iter().find(|(figures, _)| figures.name == name) else {
            return format!("{name} did not take part.");
        };
        for (sum, cost) in mixed.iter_mut().zip(million(figures, *usage).1) {
            *sum += part * cost;
        }
    }
    let mut table = "| requests a month | API $ | Lambda $ | DynamoDB $ | SES $ | logs $ | storage $ | fixed $ | all $ |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n".to_owned();
    for (name, millions) in
        [("none", 0.0), ("1 million", 1.0), ("100 million", 100.0), ("10 thousand million", 10_000.0)]
    {
        let [_, invocation, duration, database, mail, logs] = mixed.map(|cost| cost * millions);
        let first: f64 = 300.0;
        let api = first.min(millions) * prices::API_MILLION + (millions - first).max(0.0) * prices::API_MILLION_BEYOND;
        let storage = millions * 1e6 / 100.0 * CUSTOMER_BYTES / 1e9 * prices::STORED_GB;
        let all = api + invocation + duration + database + mail + logs + storage + fixed;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {name} | {api:.2} | {:.2} | {database:.2} | {mail:.2} | {logs:.2} | {storage:.2} | {fixed:.2} | **{all:.2}** |",
            invocation + duration,
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Usage;

    #[test]
    fn units_are_counted_as_dynamodb_bills_them() {
        let batch = json!({ "action": "BatchGetItem", "request": { "RequestItems": { "A": { "Keys": [{}, {}] }, "B": { "Keys": [{}] } } } });
        let transaction = json!({ "action": "TransactWriteItems", "request": { "TransactItems": [{}, {}, {}] } });
        let mail = json!({ "action": "SendEmail", "request": {} });
        let usage = Usage::of(&[vec![batch], vec![transaction], vec![mail]]);
        assert_eq!(usage, Usage { reads: 3.0, writes: 6.0, mails: 1.0, trips: 2.0 });
    }
}
