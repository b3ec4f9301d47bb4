//! A logarithmic scale.

/// Maps values to heights: a decade has the same height everywhere.
pub(super) struct Scale {
    /// Powers of ten: the scale's ends.
    from: i32,
    to: i32,
    high: f64,
    low: f64,
}

/// Whole decades, so that the lowest bar still has some height; at most so many below the highest.
const MOST_DECADES: i32 = 6;

impl Scale {
    /// A scale for these values between the heights `high` (of the largest) and `low`.
    pub(super) fn over(values: impl Iterator<Item = f64>, high: f64, low: f64) -> Scale {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| *value > 0.0 && value.is_finite()) {
            (least, most) = (least.min(value), most.max(value));
        }
        if least > most {
            (least, most) = (1.0, 1.0);
        }
        let to = most.log10().ceil() as i32;
        let from = ((least.log10() - 0.15).floor() as i32).clamp(to - MOST_DECADES, to - 1);
        Scale { from, to, high, low }
    }

    /// The height of a value; those that are too small for the scale lie at its bottom.
    pub(super) fn y(&self, value: f64) -> f64 {
        let decades = f64::from(self.to - self.from);
        let part = (value.max(f64::MIN_POSITIVE).log10() - f64::from(self.from)) / decades;
        self.low - (self.low - self.high) * part.clamp(0.0, 1.0)
    }

    pub(super) fn bottom(&self) -> f64 {
        self.low
    }

    /// A line for each power of ten: what it is called, and its height.
    pub(super) fn lines(&self) -> impl Iterator<Item = (String, f64)> + '_ {
        (self.from..=self.to).map(|power| {
            let decimals = usize::try_from(-power).unwrap_or(0);
            let value = 10_f64.powi(power);
            (format!("{value:.decimals$}"), self.y(value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_equally_high() {
        let scale = Scale::over([0.5, 40.0].into_iter(), 0.0, 300.0);
        let heights: Vec<_> = scale.lines().map(|(name, y)| (name, y.round())).collect();
        let wanted = [("0.1", 300.0), ("1", 200.0), ("10", 100.0), ("100", 0.0)];
        assert_eq!(heights, wanted.map(|(name, y)| (name.to_owned(), y)));
        assert_eq!(scale.y(0.0), scale.bottom());
    }

    #[test]
    fn nothing_and_one_value_have_a_scale_too() {
        assert!(Scale::over(std::iter::empty(), 0.0, 10.0).lines().count() >= 2);
        let one = Scale::over([10.0].into_iter(), 0.0, 10.0);
        assert_eq!(one.y(10.0), 0.0);
    }
}
