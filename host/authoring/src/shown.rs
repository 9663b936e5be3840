//! Numbers as people read them.

/// A time as people read it: three digits and a unit.
pub fn time(ns: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let ns = ns as f64;
    let (value, unit) = match ns {
        ns if ns < 1e3 => return format!("{ns:.0} ns"),
        ns if ns < 1e6 => (ns / 1e3, "us"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

/// A size as people read it: whole bytes below a kibibyte, else one decimal.
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let amount = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{:.1} KiB", amount / 1024.0),
        _ => format!("{:.1} MiB", amount / (1024.0 * 1024.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let shown: Vec<_> = [950, 1500, 15_500, 155_000, 1_550_000, 2_000_000_000].into_iter().map(time).collect();
        assert_eq!(shown, ["950 ns", "1.50 us", "15.5 us", "155 us", "1.55 ms", "2.00 s"]);
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!([size(7), size(1536), size(18 << 20)], ["7 B", "1.5 KiB", "18.0 MiB"]);
    }
}
