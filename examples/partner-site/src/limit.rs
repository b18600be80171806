//! How often one visitor may send a form. Whoever tries addresses or codes one after the other comes from somewhere.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const FORMS: usize = 200;
const WINDOW: Duration = Duration::from_mins(10);

/// The forms that came from each address. In memory, as an example may; behind a proxy it has to be told whose request
/// the proxy hands on.
#[derive(Default)]
pub struct Limit(Mutex<HashMap<IpAddr, VecDeque<Instant>>>);

impl Limit {
    /// Counts a form; says whether it is not one too many.
    pub fn admits(&self, visitor: IpAddr) -> bool {
        let mut visitors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visitors.retain(|_, forms| forms.back().is_some_and(|form| form.elapsed() < WINDOW));
        let forms = visitors.entry(visitor).or_default();
        while forms.front().is_some_and(|form| form.elapsed() >= WINDOW) {
            forms.pop_front();
        }
        let admitted = forms.len() < FORMS;
        if admitted {
            forms.push_back(Instant::now());
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::{FORMS, Limit};

    #[test]
    fn one_visitor_is_limited_and_another_is_not() {
        let (limit, [one, other]) =
            (Limit::default(), ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap()));
        assert!((0..FORMS).all(|_| limit.admits(one)));
        assert!(!limit.admits(one));
        assert!(limit.admits(other));
    }
}
