use std::time::{Duration, UNIX_EPOCH};

use super::utc;

#[test]
fn moments_are_told_in_utc() {
    for (seconds, expected) in [
        (0, "1970-01-01_000000"),
        (951_782_399, "2000-02-28_235959"),
        (951_782_400, "2000-02-29_000000"),
        (951_868_800, "2000-03-01_000000"),
        (1_709_210_096, "2024-02-29_123456"),
        (1_735_689_599, "2024-12-31_235959"),
        (1_767_225_600, "2026-01-01_000000"),
        (4_107_542_400, "2100-03-01_000000"),
    ] {
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
    }
    assert_eq!(utc(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01_000000");
}
