//! Numbers that fit a column.

/// At most four digits and a letter: `7`, `1.25k`, `980k`, `12.3M`.
pub(super) fn count(value: f64) -> String {
    scaled(value, 1000.0, &["", "k", "M", "G", "T", "P"])
}

/// The same for bytes, in powers of 1024: `512`, `1.50Ki`, `64.0Mi`.
pub(super) fn bytes(value: f64) -> String {
    scaled(value, 1024.0, &["", "Ki", "Mi", "Gi", "Ti", "Pi"])
}

/// `850us`, `1.20ms`, `2.50s`.
pub(super) fn short_time(seconds: f64) -> String {
    match seconds {
        short if short < 0.001 => format!("{:.0}us", short * 1e6),
        middle if middle < 1.0 => format!("{}ms", three_digits(middle * 1e3)),
        long => format!("{}s", three_digits(long)),
    }
}

/// `12s`, `3m07s`, `2h05m`, `4d03h`.
pub(super) fn age(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    // What would be shown as 1000 is shown in the next unit.
    while value.round() >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    match unit {
        0 if value.fract() == 0.0 || value >= 100.0 => format!("{value:.0}"),
        0 => format!("{value:.1}"),
        _ => format!("{}{}", three_digits(value), units[unit]),
    }
}

fn three_digits(value: f64) -> String {
    match value {
        small if small < 9.995 => format!("{small:.2}"),
        middle if middle < 99.95 => format!("{middle:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_bytes_fit_their_column() {
        let counts = [0.0, 7.0, 0.5, 999.0, 999.6, 1250.0, 980_000.0, 999_999.0, 12_345_678.0].map(count);
        assert_eq!(counts, ["0", "7", "0.5", "999", "1.00k", "1.25k", "980k", "1.00M", "12.3M"]);
        assert_eq!([512.0, 1536.0, 67_108_864.0].map(bytes), ["512", "1.50Ki", "64.0Mi"]);
        assert!([1e3, 1e7, 1e12, 1e18, 1e21].map(|value| count(value).len() <= 8).iter().all(|&fits| fits));
    }

    #[test]
    fn times_say_what_matters() {
        assert_eq!([0.000_85, 0.0012, 2.5].map(short_time), ["850us", "1.20ms", "2.50s"]);
        assert_eq!([12.9, 187.0, 7500.0, 356_400.0].map(age), ["12s", "3m07s", "2h05m", "4d03h"]);
    }
}
