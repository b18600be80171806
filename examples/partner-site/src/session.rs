//! Sessions: what a server remembers of a browser, found by a random cookie.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How long a session lasts, whatever is done with it.
const LIFETIME: time::Duration = time::Duration::hours(8);

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

    /// Begins a session under a new id: whoever planted an older one in the browser learns nothing by it.
    ///
    /// # Errors
    /// A machine without randomness.
    pub fn begin(&self, cookies: CookieJar, value: T) -> Result<CookieJar, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let id = URL_SAFE_NO_PAD.encode(random);
        let now = Instant::now();
        let mut running = self.lock();
        running.retain(|_, (begun, _)| now.duration_since(*begun) < LIFETIME);
        running.insert(id.clone(), (now, Arc::new(value)));
        Ok(cookies.add(self.cookie(id)))
    }

    /// The session of the browser that has sent these cookies.
    pub fn find(&self, cookies: &CookieJar) -> Option<Arc<T>> {
        let (begun, value) = self.lock().get(cookies.get(self.cookie)?.value())?.clone();
        (begun.elapsed() < LIFETIME).then_some(value)
    }

    /// Ends it, and takes the cookie away.
    pub fn end(&self, cookies: CookieJar) -> CookieJar {
        if let Some(cookie) = cookies.get(self.cookie) {
            self.lock().remove(cookie.value());
        }
        cookies.remove(self.cookie(String::new()))
    }

    /// `HttpOnly`: no script reads it. `SameSite=Lax`: no other site's form sends it. On https add `Secure`, and `__Host-`
    /// before the name.
    fn cookie(&self, id: String) -> Cookie<'static> {
        Cookie::build((self.cookie, id)).path("/").http_only(true).same_site(SameSite::Lax).max_age(LIFETIME).build()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, Arc<T>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
