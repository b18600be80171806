//! Sessions: what a server remembers of a browser, found by a random cookie.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a session lasts, whatever is done with it.
const LIFETIME: Duration = Duration::from_hours(8);

/// The sessions of one site, under the name of its cookie. In memory, as an example may; with more than one server
/// they belong into a database.
pub struct Sessions<T> {
    cookie: &'static str,
    running: Mutex<HashMap<String, (Instant, Arc<T>)>>,
}

impl<T> Sessions<T> {
    pub fn new(cookie: &'static str) -> Self {
        Self { cookie, running: Mutex::default() }
    }

    /// Begins a session under a new id: whoever planted an older one in the browser learns nothing by it. Returns the
    /// `Set-Cookie`.
    ///
    /// # Errors
    /// A machine without randomness.
    pub fn begin(&self, value: T) -> Result<String, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let id = URL_SAFE_NO_PAD.encode(random);
        let now = Instant::now();
        let mut running = self.lock();
        running.retain(|_, (begun, _)| now.duration_since(*begun) < LIFETIME);
        running.insert(id.clone(), (now, Arc::new(value)));
        // `HttpOnly`: no script reads it. `SameSite=Lax`: no other site's form sends it. On https add `Secure`, and
        // `__Host-` before the name.
        let seconds = LIFETIME.as_secs();
        Ok(format!("{}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}", self.cookie))
    }

    /// The session of the browser that has sent these headers.
    pub fn find(&self, headers: &HeaderMap) -> Option<Arc<T>> {
        let (begun, value) = self.lock().get(self.id(headers)?)?.clone();
        (begun.elapsed() < LIFETIME).then_some(value)
    }

    /// Ends it, and returns the `Set-Cookie` that takes the cookie away.
    pub fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = self.id(headers) {
            self.lock().remove(id);
        }
        format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", self.cookie)
    }

    fn id<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = cookies.flat_map(|line| line.split("; ")).filter_map(|cookie| cookie.split_once('='));
        cookies.find(|(name, _)| *name == self.cookie).map(|(_, id)| id)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, Arc<T>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
