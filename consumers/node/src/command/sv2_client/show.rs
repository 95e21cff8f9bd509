//! Messages as text, by the names of the specification.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use sockman_sv2::wire::Message;
use std::fmt;

/// A message, in one line.
pub(super) struct Shown<'a>(pub(super) &'a Message);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Message::SetupConnection(setup) => write!(f, "SetupConnection protocol={}", setup.protocol),
            Message::SetupConnectionSuccess { version, flags } => {
                write!(
                    f,
                    "SetupConnection.Success used_version={version} flags={flags:#010x}"
                )
            }
            Message::SetupConnectionError { flags, code } => {
                write!(f, "SetupConnection.Error error_code={code} flags={flags:#010x}")
            }
            Message::CoinbaseOutputConstraints(room) => write!(
                f,
                "CoinbaseOutputConstraints max_additional_size={} max_additional_sigops={}",
                room.size, room.sigops
            ),
            Message::NewTemplate(new) => write!(
                f,
                "NewTemplate template_id={} future_template={} version={:#010x} coinbase_prefix={} \
                 coinbase_tx_value_remaining={} coinbase_tx_outputs_count={} coinbase_tx_outputs={} merkle_path={}",
                new.template,
                new.future,
                new.version,
                new.coinbase_prefix.as_hex(),
                new.value,
                new.outputs_count,
                new.outputs.as_hex(),
                new.merkle_path.len(),
            ),
            Message::SetNewPrevHash(prev) => write!(
                f,
                "SetNewPrevHash template_id={} prev_hash={} header_timestamp={} n_bits={:08x} target={}",
                prev.template,
                BlockHash::from_byte_array(prev.hash),
                prev.time,
                prev.bits,
                BlockHash::from_byte_array(prev.target),
            ),
            Message::RequestTransactionData { template } => {
                write!(f, "RequestTransactionData template_id={template}")
            }
            Message::RequestTransactionDataSuccess {
                template,
                excess,
                transactions,
            } => write!(
                f,
                "RequestTransactionData.Success template_id={template} excess_data={} transactions={} bytes={}",
                excess.as_hex(),
                transactions.len(),
                transactions
                    .iter()
                    .map(sockman_backends::sockman::Bytes::len)
                    .sum::<usize>(),
            ),
            Message::RequestTransactionDataError { template, code } => {
                write!(
                    f,
                    "RequestTransactionData.Error template_id={template} error_code={code}"
                )
            }
            Message::SubmitSolution(found) => write!(
                f,
                "SubmitSolution template_id={} version={:#010x} header_timestamp={} header_nonce={}",
                found.template, found.version, found.time, found.nonce
            ),
        }
    }
}
