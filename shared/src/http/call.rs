//! One call: what it sent, read strictly, and what its log line will say.

use std::{
    borrow::Cow,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

use lambda_http::{Body, Request, RequestExt, request::RequestContext};

use super::{MAX_BODY, Reply, reply};
use crate::{
    Error, Result, Store, Timestamp,
    audit::{self, Event},
    error::Causes,
    fields::{Fields, Sent},
    id::{Cuid, Subject, Superkey},
};

/// Whether this process has answered a call already.
static WARM: AtomicBool = AtomicBool::new(false);

/// A request of API Gateway, and the place where the functions note what the log should say of it.
#[derive(Debug)]
pub struct Call {
    request: Request,
    started: Instant,
    cold: bool,
    app: OnceLock<Superkey>,
    cuid: OnceLock<Cuid>,
}

impl Call {
    /// Takes a request.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "how long a request took is measured, and no rule reads it")]
    pub fn new(request: Request) -> Self {
        Self {
            request,
            started: Instant::now(),
            cold: !WARM.swap(true, Relaxed),
            app: OnceLock::new(),
            cuid: OnceLock::new(),
        }
    }

    /// The value of a header that is neither missing nor empty.
    ///
    /// # Errors
    /// [`Error::RepeatedCredential`] where it came more than once (API Gateway joins the values with a comma, which no
    /// value of ours holds) and where it is not ASCII text.
    pub fn header(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.request.headers().get_all(name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        match value.to_str() {
            Ok(value) if values.next().is_none() && !value.contains(',') => {
                Ok(Some(value).filter(|text| !text.is_empty()))
            }
            _ => Err(Error::RepeatedCredential),
        }
    }

    /// The value of a header that may hold any text, an empty one too. Values that API Gateway has joined are one value.
    ///
    /// # Errors
    /// Where it came more than once, or is not ASCII text.
    #[expect(clippy::result_unit_err, reason = "who asks knows what to say of its header")]
    pub fn single_header(&self, name: &str) -> std::result::Result<Option<&str>, ()> {
        let mut values = self.request.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
            _ => Err(()),
        }
    }

    /// The value of a query parameter, percent-decoded once; an empty one is `Some("")`.
    ///
    /// # Errors
    /// The value's name, where the parameter came more than once.
    pub fn query(&self, name: &'static str) -> Result<Option<&str>> {
        match self.query_values(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(Error::invalid(name, "Must be given once.")),
        }
    }

    /// All values of a query parameter, in order.
    pub(crate) fn query_values(&self, name: &str) -> Vec<&str> {
        self.request.query_string_parameters_ref().and_then(|query| query.all(name)).unwrap_or_default()
    }

    /// The path's `{identifier}`, percent-decoded once by API Gateway. Empty where an event has none, which no
    /// identifier is.
    #[must_use]
    pub fn identifier(&self) -> &str {
        self.request.path_parameters_ref().and_then(|path| path.first("identifier")).unwrap_or_default()
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        self.request.method().as_str()
    }

    /// The path as API Gateway matched it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.raw_http_path()
    }

    /// The fields of the body, a JSON object.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`] over 16 KiB; [`Error::Invalid`] where it is no JSON object.
    pub fn body(&self) -> Result<Fields> {
        let body: Cow<'_, [u8]> = match self.request.body() {
            Body::Text(text) => text.as_bytes().into(),
            Body::Binary(bytes) => bytes.into(),
            _ => Cow::default(),
        };
        if body.len() > MAX_BODY {
            return Err(Error::BodyTooLarge);
        }
        let sent = serde_json::from_slice::<Sent>(&body).ok();
        sent.and_then(Fields::sent).ok_or_else(|| Error::invalid("body", "Must be a JSON object."))
    }

    /// When Lambda will end this invocation; `fallback` where the event did not come from Lambda.
    #[must_use]
    pub fn deadline_or(&self, fallback: Timestamp) -> Timestamp {
        let context = self.request.lambda_context_ref();
        context.filter(|context| context.deadline > 0).map_or(fallback, |it| Timestamp::from_millis(it.deadline))
    }

    /// Notes the App that the call is about, for its log line.
    pub(crate) fn note_app(&self, superkey: &Superkey) {
        // A call is about one App; noting it twice says the same.
        let _ = self.app.set(superkey.clone());
    }

    /// Notes the customer that the call is about, for its log line.
    pub(crate) fn note_customer(&self, cuid: &Cuid) {
        let _ = self.cuid.set(cuid.clone());
    }

    /// Notes whom the call is about, for its log line.
    pub fn note(&self, subject: &Subject) {
        self.note_app(&subject.app);
        self.note_customer(&subject.cuid);
    }

    /// Writes to the log that something of no concern to the caller failed.
    pub fn warn(&self, what: &'static str, error: &(dyn std::error::Error + 'static)) {
        tracing::warn!(request_id = self.request_id(), cause = %Causes(error), "{what}");
    }

    /// Writes a security event of this customer to the log.
    pub fn audit(&self, event: Event, subject: &Subject) {
        self.note(subject);
        event.log(self.request_id(), &subject.app, &subject.cuid);
    }

    /// The id that API Gateway gave this request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        match self.request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref().unwrap_or_default(),
            _ => "",
        }
    }

    fn route(&self) -> &str {
        match self.request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref().unwrap_or_default(),
            _ => "",
        }
    }

    /// Ends the call: gives the result its one shape, and writes its line to the log.
    #[must_use]
    pub fn answer(&self, result: Result<Reply>, store: &Store) -> Reply {
        let code = result.as_ref().map_or_else(reply::code, |_| "ok");
        let reply = reply::finish(result, self.request_id());
        tracing::info!(
            request_id = self.request_id(),
            function = audit::function(),
            route = self.route(),
            status = reply.status().as_u16(),
            code,
            app = self.app.get().map(Superkey::as_str),
            cuid = self.cuid.get().map(Cuid::as_str),
            duration_ms = self.started.elapsed().as_secs_f64() * 1e3,
            calls = store.take_calls(),
            cold = self.cold,
            "request"
        );
        reply
    }
}
