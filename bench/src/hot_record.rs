//! A simulation: one App calls ever more often, and each of its requests reads its one record.
//!
//! A partition serves 3,000 reads a second. A read over that is handed back unprocessed, and `shared::store` asks again, up
//! to five times, after 20 to 320 ms less a random part; then the request fails.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    fmt::Write as _,
};

/// Reads of one partition a second.
const PARTITION: u64 = 3_000;
/// Attempts of `shared::store`, the first included.
const ATTEMPTS: u32 = 6;
/// Microseconds that are simulated.
const SPAN: u64 = 30_000_000;
/// Requests a second.
const RATES: [u64; 7] = [1_000, 2_500, 3_000, 3_500, 4_500, 6_000, 12_000];

/// What a rate came to.
struct Outcome {
    failed: f64,
    reads: f64,
    wait: [f64; 2],
}

/// The table for one copy of the record, and for four.
pub fn table() -> String {
    let mut table = "| requests a second of one App | copies of its record | fail | reads tried a request | p50 wait ms | p99 wait ms |\n|--:|--:|--:|--:|--:|--:|\n".to_owned();
    for copies in [1, 4] {
        for rate in RATES {
            let Outcome { failed, reads, wait: [p50, p99] } = simulate(rate, copies);
            let failed = failed * 100.0;
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| {rate} | {copies} | {failed:.1}% | {reads:.2} | {p50:.0} | {p99:.0} |");
        }
    }
    table
}

fn simulate(rate: u64, copies: u64) -> Outcome {
    let mut random = Random(rate * 1_000 + copies);
    // (when, begun, attempt) of every read to come.
    let mut reads = BinaryHeap::new();
    let mut begun = 0;
    while begun < SPAN {
        reads.push(Reverse((begun, begun, 0)));
        begun += random.exponential(1e6 / rate as f64);
    }
    let requests = reads.len() as f64;
    let mut served: Vec<VecDeque<u64>> = vec![VecDeque::new(); copies as usize];
    let (mut waits, mut failed, mut tried) = (Vec::new(), 0.0, 0.0);
    while let Some(Reverse((now, begun, attempt))) = reads.pop() {
        tried += 1.0;
        let copy = &mut served[(random.next() % copies) as usize];
        while copy.front().is_some_and(|before| now - before >= 1_000_000) {
            copy.pop_front();
        }
        if (copy.len() as u64) < PARTITION {
            copy.push_back(now);
            waits.push((now - begun) as f64 / 1e3);
        } else if attempt + 1 < ATTEMPTS {
            let ceiling = 10_000.0 * f64::from(1_u32 << (attempt + 1));
            let pause = ceiling * (0.5 + random.unit() / 2.0);
            reads.push(Reverse((now + pause as u64, begun, attempt + 1)));
        } else {
            failed += 1.0;
        }
    }
    let wait = [0.5, 0.99].map(|part| crate::measure::quantile(&mut waits, part));
    Outcome { failed: failed / requests, reads: tried / requests, wait }
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

    /// From 0 up to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Microseconds between events that come `mean` apart.
    fn exponential(&mut self, mean: f64) -> u64 {
        (-mean * (1.0 - self.unit()).ln()).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::simulate;

    #[test]
    fn below_its_limit_a_record_serves_all_and_above_it_serves_as_many_as_it_can() {
        assert!(simulate(1_000, 1).failed < 1e-9);
        let over = simulate(6_000, 1).failed;
        assert!((0.4..0.6).contains(&over), "{over}");
        assert!(simulate(6_000, 4).failed < 1e-9);
    }
}
