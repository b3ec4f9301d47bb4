//! What the runs gave for one figure.

use super::Figure;

/// The values of one figure, one per run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(pub(super) Vec<f64>);

impl Samples {
    /// The middle value; of an even number the lower one, so that it is always a measured one.
    pub fn median(&self) -> f64 {
        self.sorted().get(self.0.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The smallest value.
    pub fn min(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    /// The largest value.
    pub fn max(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    /// Every value, in the order of the runs.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The median, and the range if there were several runs, in the figure's unit.
    pub(super) fn shown(&self, figure: Figure) -> String {
        let [median, min, max] = [self.median(), self.min(), self.max()].map(|value| figure.shown(value));
        if self.0.len() > 1 { format!("{median} ({min}..{max})") } else { median }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_measured_values() {
        let samples = Samples(vec![5.0, 1.0, 4.0, 2.0]);
        assert_eq!((samples.median(), samples.min(), samples.max()), (2.0, 1.0, 5.0));
        assert!(Samples::default().median().is_nan());
    }
}
