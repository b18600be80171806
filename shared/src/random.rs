//! Randomness: the one place that asks the operating system for it.

/// Random bytes.
///
/// # Errors
/// When the operating system gives none.
#[expect(clippy::disallowed_methods, reason = "this is the room of randomness")]
pub fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
