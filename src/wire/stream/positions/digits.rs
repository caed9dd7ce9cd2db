//! Decimals as the digits that are shown, written without a formatter: a busy server writes
//! millions of them a second.

/// `scaled` is the value times ten to the number of decimals.
#[inline]
pub(super) fn push_decimal(text: &mut String, scaled: i32, decimals: u32) {
    let parts = 10_u64.pow(decimals);
    if scaled < 0 {
        text.push('-');
    }
    let scaled = u64::from(scaled.unsigned_abs());
    push_digits(text, scaled / parts, 1);
    text.push('.');
    push_digits(text, scaled % parts, decimals as usize);
}

/// `value` with at least this many digits.
#[inline]
pub(super) fn push_digits(text: &mut String, value: u64, at_least: usize) {
    let (digits, first) = digits_of(value, at_least);
    text.push_str(std::str::from_utf8(&digits[first..]).expect("digits are ASCII"));
}

/// The digits, and where they begin.
#[inline]
pub(super) fn digits_of(mut value: u64, at_least: usize) -> ([u8; 20], usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while value > 0 || digits.len() - first < at_least {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    (digits, first)
}
