//! Who is calling, and what that user may call.

use super::cookie::{COOKIE_USER, Cookie};
use super::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq as _};

/// The value of `WWW-Authenticate` beside a 401 (RFC 7617 section 2).
pub const CHALLENGE: &str = "Basic realm=\"jsonrpc\"";

/// A user who is known, and what that user may call.
#[derive(Clone, Debug)]
pub struct Access {
    user: Arc<str>,
    /// All methods if none are named.
    methods: Option<Arc<BTreeSet<String>>>,
}

impl Access {
    /// A user who may call everything.
    pub fn everything(user: &str) -> Self {
        Access {
            user: user.into(),
            methods: None,
        }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether the user may call this method.
    pub fn permits(&self, method: &str) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.contains(method))
    }

    /// Whether there is nothing the user may call.
    pub fn permits_nothing(&self) -> bool {
        self.methods.as_ref().is_some_and(|methods| methods.is_empty())
    }
}

/// Why a request comes from nobody we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It does not say who it is from, as the first request of many clients does not.
    #[error("no credentials")]
    Missing,
    /// It says what is not so. To be answered after [`Settings::delay`](super::Settings::delay), which makes guessing slow.
    #[error("wrong credentials")]
    Wrong,
}

/// Why a user cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum BadCredentials {
    /// A line that is not as [`Credentials::rpcauth`] takes it.
    #[error("write USER:SALT$HASH, with a hash of 64 hexadecimal digits")]
    RpcAuth,
    /// A name that nobody could give, since a colon ends it (RFC 7617 section 2).
    #[error("a user's name has no colon")]
    Colon,
    /// The cookie cannot be written, or there is no randomness to be had.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A password, salted and hashed: all are kept so, and so all are compared alike.
struct Secret {
    /// HMAC-SHA-256 (RFC 2104) that has the salt as its key already.
    keyed: Hmac<Sha256>,
    hash: [u8; 32],
}

impl Secret {
    fn keyed(salt: &[u8]) -> Hmac<Sha256> {
        Hmac::new_from_slice(salt).expect("HMAC takes keys of any length")
    }

    fn salted(password: &[u8]) -> io::Result<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        let keyed = Self::keyed(&salt);
        let hash = keyed.clone().chain_update(password).finalize();
        let hash = hash.into_bytes().into();
        Ok(Secret { keyed, hash })
    }

    fn is(&self, password: &[u8]) -> Choice {
        let hash: [u8; 32] = self
            .keyed
            .clone()
            .chain_update(password)
            .finalize()
            .into_bytes()
            .into();
        hash.ct_eq(&self.hash)
    }
}

struct User {
    secret: Secret,
    access: Access,
}

/// Those who may call, and with what passwords.
///
/// Without any there is no RPC: [`is_empty`](Self::is_empty).
///
/// ```
/// use sockman_http::rpc::Credentials;
/// let mut users = Credentials::default();
/// users.password("alice", "secret").unwrap();
/// users.whitelist("alice:uptime,help");
/// let access = users.check(Some(b"Basic YWxpY2U6c2VjcmV0")).unwrap();
/// assert!(access.permits("uptime") && !access.permits("stop"));
/// ```
#[derive(Default)]
pub struct Credentials {
    users: Vec<User>,
    whitelists: BTreeMap<String, Arc<BTreeSet<String>>>,
    whitelist_default: Option<bool>,
    cookies: Vec<Cookie>,
}

impl Credentials {
    /// Makes a password and writes it to this file as `__cookie__:PASSWORD`, readable by this process's user alone, where
    /// clients such as `bitcoin-cli` look for it. The file is removed when this is dropped.
    pub fn cookie(&mut self, path: &Path) -> Result<(), BadCredentials> {
        let cookie = Cookie::create(path)?;
        let secret = Secret::salted(cookie.password().as_bytes())?;
        self.cookies.push(cookie);
        self.add(COOKIE_USER, secret);
        Ok(())
    }

    /// A user and a password in plain text (Core's `rpcuser` and `rpcpassword`).
    pub fn password(&mut self, user: &str, password: &str) -> Result<(), BadCredentials> {
        if user.contains(':') {
            return Err(BadCredentials::Colon);
        }
        let secret = Secret::salted(password.as_bytes())?;
        self.add(user, secret);
        Ok(())
    }

    /// A user whose password is known by its hash alone: Core's `rpcauth`, `USER:SALT$HASH`, where the hash is HMAC-SHA-256
    /// in hexadecimal digits, with the salt's text as its key, of the password.
    pub fn rpcauth(&mut self, line: &str) -> Result<(), BadCredentials> {
        let (user, rest) = line.split_once(':').ok_or(BadCredentials::RpcAuth)?;
        let (salt, hash) = rest.split_once('$').ok_or(BadCredentials::RpcAuth)?;
        let hash = hex::decode_hash(hash).ok_or(BadCredentials::RpcAuth)?;
        let keyed = Secret::keyed(salt.as_bytes());
        self.add(user, Secret { keyed, hash });
        Ok(())
    }

    /// What a user may call: Core's `rpcwhitelist`, `USER:METHOD,METHOD…`. Of a user who is named twice, what both say; a
    /// user without methods may call nothing.
    pub fn whitelist(&mut self, line: &str) {
        let (user, methods) = line.split_once(':').unwrap_or((line, ""));
        let mut methods: BTreeSet<String> = methods
            .split([',', ' '])
            .filter(|method| !method.is_empty())
            .map(str::to_owned)
            .collect();
        if let Some(before) = self.whitelists.get(user) {
            methods.retain(|method| before.contains(method));
        }
        self.whitelists.insert(user.to_owned(), Arc::new(methods));
        self.settle();
    }

    /// Whether those without a whitelist may call nothing (Core's `rpcwhitelistdefault`) instead of everything. If this is
    /// not called, they may not as soon as anybody has one.
    pub fn whitelist_default(&mut self, nothing: bool) {
        self.whitelist_default = Some(nothing);
        self.settle();
    }

    /// Whether nobody can be let in.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whom the value of `Authorization` shows this to be from (RFC 7617).
    ///
    /// How long it takes does not tell how much of a password was right, nor whether there is such a user.
    pub fn check(&self, authorization: Option<&[u8]>) -> Result<&Access, Denied> {
        let authorization = authorization.ok_or(Denied::Missing)?;
        let pair = decode(authorization).ok_or(Denied::Wrong)?;
        let colon = pair.iter().position(|byte| *byte == b':');
        let (name, password) = pair.split_at(colon.ok_or(Denied::Wrong)?);
        let password = &password[1..];
        let is_named = |user: &&User| bool::from(user.access.user.as_bytes().ct_eq(name));
        let mut named = self.users.iter().filter(is_named).peekable();
        if named.peek().is_none() {
            // As much work as for a name that is known.
            if let Some(somebody) = self.users.first() {
                std::hint::black_box(somebody.secret.is(password));
            }
        }
        named
            .find(|user| user.secret.is(password).into())
            .map(|user| &user.access)
            .ok_or(Denied::Wrong)
    }

    fn add(&mut self, user: &str, secret: Secret) {
        let access = Access::everything(user);
        self.users.push(User { secret, access });
        self.settle();
    }

    /// Gives each user the whitelist that is theirs by now.
    fn settle(&mut self) {
        let nothing = self.whitelist_default.unwrap_or(!self.whitelists.is_empty());
        for User { access, .. } in &mut self.users {
            access.methods = match self.whitelists.get(&*access.user) {
                Some(methods) => Some(methods.clone()),
                None => nothing.then(Arc::default),
            };
        }
    }
}

/// `user:password`, out of `Basic` and base64 (RFC 7617 section 2; the scheme is of any case, RFC 9110 section 11.1).
fn decode(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    STANDARD.decode(rest.trim_ascii()).ok()
}
