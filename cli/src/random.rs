//! Randomness.

use std::io;

/// Bytes that nobody can guess.
///
/// # Errors
/// If the system has none.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// `N` random bytes in hexadecimal digits.
///
/// # Errors
/// If the system has no randomness.
pub(crate) fn hex<const N: usize>() -> io::Result<String> {
    Ok(domain::hex(&bytes::<N>()?))
}
