//! The wallet of this user: a private key in a file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use domain::Wallet;
use k256::ecdsa::SigningKey;

use crate::{environment, files, output, random};

/// Where the private key is.
#[derive(Clone, Debug)]
pub(crate) struct WalletFile {
    path: PathBuf,
    /// Whether its owner is told to keep a key that was made.
    is_to_keep: bool,
}

impl WalletFile {
    /// The key in `file`, or in the user's own folder for such things.
    ///
    /// # Errors
    /// If there is no such folder because there is no home.
    pub(crate) fn at(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let usual = || environment::data_home().map(|it| it.join("spaceport/wallet.key"));
        let path = file.or_else(usual).context("there is no home folder: say --wallet FILE")?;
        Ok(Self { path, is_to_keep: true })
    }

    /// A wallet that nobody will miss.
    pub(crate) const fn throw_away(path: PathBuf) -> Self {
        Self { path, is_to_keep: false }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The private key. It is made, and the user told so, if there is none.
    ///
    /// # Errors
    /// If the file cannot be used, is no private key, or may be read by others.
    pub(crate) fn key(&self) -> anyhow::Result<SigningKey> {
        let shown = self.path.display();
        if let Some(folder) = self.path.parent().filter(|it| !it.as_os_str().is_empty()) {
            files::make_folder(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut is_new = false;
        let digits = files::read_or_make(&self.path, || {
            is_new = true;
            Ok(format!("0x{}", random::hex::<32>()?))
        });
        let digits = digits.with_context(|| format!("cannot read or make {shown}"))?;
        if files::is_open_to_others(&self.path)? {
            bail!("others may read the wallet's key: chmod 600 {shown}");
        }
        let key = parse(&digits).with_context(|| {
            format!("{shown} holds no private key: 0x and 64 hexadecimal digits")
        })?;
        if is_new && self.is_to_keep {
            let wallet = wallet_of(&key);
            output::note(format!("made the wallet {wallet}; its key is in {shown}: keep it"));
        }
        Ok(key)
    }
}

/// Whose key it is.
pub(super) fn wallet_of(key: &SigningKey) -> Wallet {
    evm::address_of(key.verifying_key()).into()
}

fn parse(digits: &str) -> Option<SigningKey> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let is_hex = digits.len() == 64 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    let pairs = (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    let bytes: Vec<u8> = pairs.collect::<Result<_, _>>().ok()?;
    SigningKey::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    #[test]
    fn a_key_in_hexadecimal_is_read() {
        // The first account of the well-known development mnemonic.
        let digits = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let want = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        for text in [digits.to_owned(), format!("0x{digits}"), digits.to_uppercase()] {
            assert_eq!(wallet_of(&parse(&text).unwrap()).to_string(), want, "{text}");
        }
        #[rustfmt::skip]
        let rows = [
            String::new(), digits[1..].to_owned(), format!("{digits}0"), "0".repeat(64),
            "f".repeat(64), "é".repeat(32), format!("+{}", &digits[1..]),
        ];
        for text in rows {
            assert!(parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_wallet_is_made_once_and_must_be_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = WalletFile::at(Some(folder.path().join("new/wallet.key"))).unwrap();
        let key = file.key().unwrap();
        assert_eq!(file.key().unwrap(), key);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(file.key().unwrap_err().to_string().contains("chmod 600"));
    }
}
