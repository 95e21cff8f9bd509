//! stand-in
use super::{HeaderError, Id, Tree};
use bitcoin::block::Header;
/// x
#[derive(Debug)]
pub struct LowWork(Id);
/// x
#[derive(Debug)]
pub struct Step {
    /// x
    pub give: Vec<Header>,
    /// x
    pub next: Option<Vec<bitcoin::BlockHash>>,
}
impl LowWork {
    /// x
    pub fn start(_: &Tree, fork: Id, _: bitcoin::Work, _: u64) -> Self {
        LowWork(fork)
    }
    /// x
    pub fn fork(&self) -> Id {
        self.0
    }
    /// x
    pub fn feed(&mut self, _: &Tree, headers: &[Header], _: bool) -> Result<Step, HeaderError> {
        Ok(Step {
            give: headers.to_vec(),
            next: None,
        })
    }
}
