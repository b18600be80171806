//! Random identifiers in the shapes that AWS uses.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use uuid::Uuid;

/// A UUID, version 4, as Lambda's request ids are.
#[must_use]
pub fn uuid() -> String {
    Uuid::new_v4().to_string()
}

/// A request id as an HTTP API makes it: 15 characters of base64 and a `=`.
#[must_use]
pub fn api_request_id() -> String {
    URL_SAFE.encode(&Uuid::new_v4().as_bytes()[..11])
}

/// An X-Ray trace header of a trace that is not sampled.
#[must_use]
pub fn trace_id() -> String {
    let seconds = crate::time::now_ms() / 1000;
    let random = || Uuid::new_v4().as_u128();
    format!("Root=1-{seconds:08x}-{:024x};Parent={:016x};Sampled=0", random() >> 32, random() >> 64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_have_the_shapes_of_aws() {
        assert_eq!(super::uuid().len(), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".len());
        assert_eq!(super::api_request_id().len(), 16);
        assert_eq!(
            super::trace_id().len(),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0".len()
        );
    }
}
