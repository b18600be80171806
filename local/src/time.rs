//! Points in time, in the notations that AWS sends.

use std::time::SystemTime;

use aws_smithy_types::{DateTime, date_time::Format};

/// Milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC, with the milliseconds where there are any.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    DateTime::from_millis(ms).fmt(Format::DateTime).unwrap_or_default()
}

/// The notation of access logs, which an HTTP API uses for `requestContext.time`: `12/Mar/2020:19:03:58 +0000`.
#[must_use]
pub fn access_log(ms: i64) -> String {
    // "Thu, 12 Mar 2020 19:03:58 GMT" has the same parts.
    let http = DateTime::from_secs(ms.div_euclid(1000)).fmt(Format::HttpDate).unwrap_or_default();
    let parts: Vec<&str> = http.split(' ').collect();
    match parts.as_slice() {
        [_, day, month, year, time, _] => format!("{day}/{month}/{year}:{time} +0000"),
        _ => http,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_written_as_aws_writes_them() {
        assert_eq!(super::access_log(1_583_348_638_390), "04/Mar/2020:19:03:58 +0000");
        assert_eq!(super::rfc3339(1_583_348_638_390), "2020-03-04T19:03:58.39Z");
    }
}
