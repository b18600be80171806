//! What is done to an event before `lambda_http` makes a request of it.

use lambda_http::{LambdaEvent, http::header::HOST, request::LambdaRequest};
use url::form_urlencoded;

/// The host in the URI of every request.
const NO_HOST: &str = "api.invalid";

/// The event without what cannot be part of a URI.
///
/// `lambda_http` makes a URI of host, scheme, path and query, and panics where they make none. All four are the caller's,
/// and nothing here reads the URI: so the first two are left out, and the others are put right.
pub fn with_a_uri(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        request.headers.remove(HOST);
        request.headers.remove("x-forwarded-proto");
        request.request_context.domain_name = Some(NO_HOST.to_owned());
        if let Some(path) = request.raw_path.as_mut().filter(|path| !path.starts_with('/')) {
            path.insert(0, '/');
        }
        if let Some(query) = request.raw_query_string.as_mut().filter(|query| !query.bytes().all(may_be_in_a_query)) {
            let pairs = form_urlencoded::parse(query.as_bytes());
            *query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        }
    }
    event
}

/// Whether a URI's query may hold this byte as it is.
const fn may_be_in_a_query(byte: u8) -> bool {
    matches!(byte, b'!' | b'$'..=b';' | b'=' | b'?'..=b'~')
}
