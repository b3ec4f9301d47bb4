//! Moments as a log shows them.

/// Hours, minutes, seconds and milliseconds of the day, in UTC: logs of several machines belong side by side.
pub(super) fn of_day(unix_seconds: f64) -> String {
    let milliseconds = (unix_seconds * 1000.0) as u64;
    let (seconds, milliseconds) = (milliseconds / 1000, milliseconds % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{:02}:{minutes:02}:{seconds:02}.{milliseconds:03}Z", hours % 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_to_the_millisecond() {
        assert_eq!(of_day(0.0), "00:00:00.000Z");
        assert_eq!(of_day(86_400.0 * 20_000.0 + 3_600.0 * 23.0 + 62.5), "23:01:02.500Z");
    }
}
