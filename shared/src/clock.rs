//! Time as the rules see it: milliseconds since the Unix epoch, read from a clock.

use std::{fmt, sync::Arc, time::Duration};

use aws_smithy_types::{DateTime, date_time::Format};

/// A moment, in milliseconds since the Unix epoch (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Reads a moment of RFC 3339; `None` for what is none, and for one before 1970.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let moment = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
        u64::try_from(moment.to_millis().ok()?).ok().map(Self)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 in UTC with exactly three digits of a second, as every moment is shown.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let seconds = DateTime::from_secs(i64::try_from(self.0 / 1000).unwrap_or(i64::MAX));
        let text = seconds.fmt(Format::DateTime).unwrap_or_default();
        format!("{}.{:03}Z", text.trim_end_matches('Z'), self.0 % 1000)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Where `now` comes from: the system's clock, or a test's.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
    pub fn system() -> Self {
        Self::from_fn(|| {
            let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// A clock that reads whatever `now` returns.
    #[must_use]
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_rfc_3339_and_utc() {
        let shown = |millis| Timestamp::from_millis(millis).to_rfc3339();
        assert_eq!(shown(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(shown(1_700_000_000_120), "2023-11-14T22:13:20.120Z");
        assert_eq!(shown(1_700_000_000_000), "2023-11-14T22:13:20.000Z");
    }

    #[test]
    fn a_moment_is_read_back() {
        let read = |text| Timestamp::from_rfc3339(text).map(Timestamp::as_millis);
        assert_eq!(read("2023-11-14T22:13:20.123Z"), Some(1_700_000_000_123));
        assert_eq!(read("2023-11-14T23:13:20+01:00"), Some(1_700_000_000_000));
        for text in ["", "2023-11-14", "1969-12-31T23:59:59Z", "2023-13-14T22:13:20Z", "999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let early = Timestamp::from_millis(1);
        assert_eq!(early - Duration::from_secs(1), Timestamp::from_millis(0));
        assert_eq!(early.since(Timestamp::from_millis(5)), Duration::ZERO);
    }
}
