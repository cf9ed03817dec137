//! The machine's clock: milliseconds since the first look at it.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) fn now() -> f64 {
    EPOCH.elapsed().as_secs_f64() * 1e3
}

/// A span of the machine's; what is no span is none.
pub(crate) fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or(if ms > 0.0 { Duration::MAX } else { Duration::ZERO })
}

/// An instant of the machine's, on the wall.
pub(crate) fn instant(ms: f64) -> Option<SystemTime> {
    SystemTime::now().checked_add(duration(ms - now()))
}
