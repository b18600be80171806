//! Sessions: what a server remembers of a browser, found by a random cookie.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use time::Duration;

/// How long a session lasts, whatever is done with it.
const LIFETIME: Duration = Duration::hours(8);

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
    pub fn begin(&self, value: Arc<T>) -> Result<String, getrandom::Error> {
        let id = random()?;
        let now = Instant::now();
        let mut running = self.lock();
        running.retain(|_, (begun, _)| now.duration_since(*begun) < LIFETIME);
        running.insert(id.clone(), (now, value));
        Ok(set(self.cookie, &id, "/", LIFETIME))
    }

    /// The session of the browser that has sent these headers.
    pub fn find(&self, headers: &HeaderMap) -> Option<Arc<T>> {
        let (begun, value) = self.lock().get(&cookie(headers, self.cookie)?)?.clone();
        (begun.elapsed() < LIFETIME).then_some(value)
    }

    /// Ends it, and returns the `Set-Cookie` that takes the cookie away.
    pub fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = cookie(headers, self.cookie) {
            self.lock().remove(&id);
        }
        set(self.cookie, "", "/", Duration::ZERO)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, Arc<T>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What nobody guesses: 256 random bits.
///
/// # Errors
/// A machine without randomness.
pub fn random() -> Result<String, getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(CookieJar::from_headers(headers).get(name)?.value().to_owned())
}

/// The `Set-Cookie` of a cookie. `HttpOnly`: no script reads it. `SameSite=Lax`: no other site's form sends it. On https
/// add `Secure`, and `__Host-` before the name.
pub fn set(name: &str, value: &str, path: &str, lifetime: Duration) -> String {
    let cookie = Cookie::build((name, value)).path(path).http_only(true).same_site(SameSite::Lax).max_age(lifetime);
    cookie.to_string()
}
