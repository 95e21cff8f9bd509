//! Medians, and intervals of ratios paired by round.

/// The median; `None` of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// A ratio with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The geometric mean of the rounds' ratios.
    pub mid: f64,
    /// Lower end of the interval; `None` with fewer than two rounds.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

/// The ratio of `pairs` (ours, baseline), each of one round: the mean of the logarithms of the rounds' ratios, with
/// Student's t interval around it. Pairing takes out what slows a whole round.
pub fn paired_ratio(pairs: &[(f64, f64)]) -> Option<Ratio> {
    let logs: Vec<f64> = pairs
        .iter()
        .filter(|(ours, base)| *ours > 0.0 && *base > 0.0)
        .map(|(ours, base)| (ours / base).ln())
        .collect();
    if logs.is_empty() {
        return None;
    }
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    if logs.len() < 2 {
        return Some(Ratio {
            mid: mean.exp(),
            low: None,
            high: None,
        });
    }
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = t_975(logs.len() - 1) * (variance / count).sqrt();
    Some(Ratio {
        mid: mean.exp(),
        low: Some((mean - half).exp()),
        high: Some((mean + half).exp()),
    })
}

/// The 97.5 % quantile of Student's distribution with `freedom` (at least 1) degrees of freedom.
fn t_975(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    // Above the table, the first terms of the expansion about the normal quantile: right to the third decimal.
    let z: f64 = 1.959_964;
    TABLE
        .get(freedom.saturating_sub(1))
        .copied()
        .unwrap_or(z + (z.powi(3) + z) / (4.0 * freedom as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-3
    }

    #[test]
    fn medians() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_constant_ratio_has_an_interval_without_width() {
        let ratio = paired_ratio(&[(2.0, 1.0), (20.0, 10.0), (0.2, 0.1)]).expect("pairs");
        assert!(
            close(ratio.mid, 2.0) && close(ratio.low.expect("3"), 2.0) && close(ratio.high.expect("3"), 2.0)
        );
    }

    #[test]
    fn the_interval_is_students() {
        // Logs -1, 0, 1: mean 0, standard error 1/sqrt 3, t of two degrees 4.303.
        let e = std::f64::consts::E;
        let ratio = paired_ratio(&[(1.0, e), (1.0, 1.0), (e, 1.0)]).expect("pairs");
        assert!(close(ratio.mid, 1.0));
        assert!(close(ratio.high.expect("3").ln(), 4.303 / 3_f64.sqrt()));
        assert!(close(ratio.low.expect("3").ln(), -4.303 / 3_f64.sqrt()));
    }

    #[test]
    fn what_cannot_be_paired_is_left_out() {
        assert_eq!(paired_ratio(&[(0.0, 1.0), (1.0, 0.0)]), None);
        let one = paired_ratio(&[(3.0, 2.0)]).expect("one pair");
        assert!(close(one.mid, 1.5) && one.low.is_none() && one.high.is_none());
    }

    #[test]
    fn quantiles_fall_towards_the_normal_one() {
        assert!(close(t_975(30), 2.042) && close(t_975(60), 2.000) && close(t_975(1_000_000), 1.960));
    }
}
