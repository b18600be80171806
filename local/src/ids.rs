//! Random identifiers in the shapes that AWS uses.

use base64::{Engine, engine::general_purpose::URL_SAFE};

/// 128 random bits. Ids have no secrecy to keep, so a machine without randomness yields zeroes rather than an error.
fn random() -> u128 {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

/// A UUID, version 4, as Lambda's request ids are.
#[must_use]
pub fn uuid() -> String {
    let version_4 = random() & !(0xf000 << 64 | 0xc000 << 48) | 0x4000 << 64 | 0x8000 << 48;
    let text = format!("{version_4:032x}");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// A request id as an HTTP API makes it: 15 characters of base64 and a `=`.
#[must_use]
pub fn api_request_id() -> String {
    URL_SAFE.encode(&random().to_be_bytes()[..11])
}

/// An X-Ray trace header of a trace that is not sampled.
#[must_use]
pub fn trace_id() -> String {
    let seconds = crate::time::now_ms() / 1000;
    format!("Root=1-{seconds:08x}-{:024x};Parent={:016x};Sampled=0", random() >> 32, random() >> 64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_have_the_shapes_of_aws() {
        let uuid = super::uuid();
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        assert_eq!(super::api_request_id().len(), 16);
        assert_eq!(
            super::trace_id().len(),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0".len()
        );
    }
}
