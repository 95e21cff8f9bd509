//! The keys of an authority, as text: base58check, as the reference implementation writes them.

use super::Chance;
use key_utils::{Secp256k1PublicKey, Secp256k1SecretKey};
use secp256k1::{Keypair, Secp256k1, SecretKey};
use std::fmt;
use std::str::FromStr;

/// Text that is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(String);

/// Who vouches for a server: the secret key that signs the certificate of each handshake.
#[derive(Clone, Copy)]
pub struct Authority(pub(super) Keypair);

impl Authority {
    /// A new one.
    pub fn generate(chance: &mut Chance) -> Authority {
        Authority(Keypair::from_secret_key(
            &Secp256k1::new(),
            &SecretKey::new(chance),
        ))
    }

    /// What clients know it by.
    pub fn key(&self) -> AuthorityKey {
        AuthorityKey(Secp256k1PublicKey(self.0.x_only_public_key().0))
    }

    /// The secret key as text: base58check of its 32 bytes.
    pub fn secret(&self) -> String {
        Secp256k1SecretKey(self.0.secret_key()).to_string()
    }
}

impl FromStr for Authority {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Authority, BadKey> {
        let secret = Secp256k1SecretKey::from_str(text).map_err(|why| BadKey(why.to_string()))?;
        Ok(Authority(Keypair::from_secret_key(&Secp256k1::new(), &secret.0)))
    }
}

/// Does not tell the secret.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.key())
    }
}

/// The public key of an authority; its text is base58check of a version, 1, and the key.
#[derive(Clone, Copy, Debug)]
pub struct AuthorityKey(pub(super) Secp256k1PublicKey);

impl PartialEq for AuthorityKey {
    fn eq(&self, other: &AuthorityKey) -> bool {
        self.0.0 == other.0.0
    }
}

impl Eq for AuthorityKey {}

impl FromStr for AuthorityKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<AuthorityKey, BadKey> {
        Secp256k1PublicKey::from_str(text)
            .map(AuthorityKey)
            .map_err(|why| BadKey(why.to_string()))
    }
}

impl fmt::Display for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_text_and_back() {
        let authority = Authority::generate(&mut Chance::new([7; 32]));
        let again: Authority = authority.secret().parse().unwrap();
        assert_eq!(again.key(), authority.key());
        assert_eq!(again.secret(), authority.secret());
        assert_eq!(authority.key().to_string().parse(), Ok(authority.key()));
        assert!(!format!("{authority:?}").contains(&authority.secret()));
    }

    /// Published with the reference implementation's key-utils.
    #[test]
    fn known_keys() {
        let secret: Authority = "zmBEmPhqo3A92FkiLVvyCz6htc3e53ph3ZbD4ASqGaLjwnFLi"
            .parse()
            .unwrap();
        let public = "9bDuixKmZqAJnrmP746n8zU1wyAQRrus7th9dxnkPg6RzQvCnan";
        assert_eq!(secret.key().to_string(), public);
    }

    #[test]
    fn what_is_no_key_is_told() {
        for text in [
            "",
            "0",
            "9bDuixKmZqAJnrmP746n8zU1wyAQRrus7th9dxnkPg6RzQvCnam",
            "2myPhc5vkPzuC5FXNK5tee79WmP7uoLh55SxezoF8iqwF3E3rnPY",
            "2wmHTKZkLg2QzXyEXGMBXzKP7JXDUt8yy9SA5hoQwERc92qR6c",
        ] {
            assert!(text.parse::<AuthorityKey>().is_err(), "{text}");
            assert!(text.parse::<Authority>().is_err(), "{text}");
        }
    }
}
