//! The limit of `DefaultRouteSettings`: a token bucket for each route.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::template::Limit;

/// The buckets of one stage.
pub struct Throttle {
    limit: Limit,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Throttle {
    /// Full buckets of this size.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self { limit, buckets: Mutex::default() }
    }

    /// Whether a request to the route may pass at `now`.
    pub fn admits(&self, route_key: &str, now: Instant) -> bool {
        let limit = self.limit;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket { tokens: limit.burst, filled_at: now };
        let bucket = buckets.entry(route_key.to_owned()).or_insert(full);
        let gained = now.saturating_duration_since(bucket.filled_at).as_secs_f64() * limit.rate;
        bucket.tokens = (bucket.tokens + gained).min(limit.burst);
        bucket.filled_at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Throttle;
    use crate::template::Limit;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let throttle = Throttle::new(Limit { rate: 2.0, burst: 3.0 });
        let start = Instant::now();
        let passed = |key: &str, at: Instant, tries: usize| (0..tries).filter(|_| throttle.admits(key, at)).count();
        assert_eq!(passed("GET /a", start, 10), 3);
        assert_eq!(passed("GET /a", start + Duration::from_secs(1), 10), 2);
        assert_eq!(passed("GET /b", start, 10), 3, "each route has a bucket of its own");
    }
}
