//! Times as people write them.

use std::time::Duration;

/// `5` and `5s` are seconds; also `300ms`, `1.5s`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is not a time; write 5, 1.5s, 300ms, 2m or 1h");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_per_unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(refused()),
    };
    let amount: f64 = digits.parse().map_err(|_| refused())?;
    Duration::try_from_secs_f64(amount * seconds_per_unit).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_seconds_are_the_default() {
        assert_eq!(duration("5"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
    }

    #[test]
    fn what_is_no_time_is_refused_with_examples() {
        for text in ["", "s", "-1", "5 s", "5d", "1e400", "inf", "nan", "5ms5"] {
            assert!(duration(text).is_err_and(|why| why.contains("300ms")), "{text}");
        }
    }
}
