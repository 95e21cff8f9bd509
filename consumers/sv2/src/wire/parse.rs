//! Reading messages.

use super::message::{Constraints, Message, NewTemplate, PrevHash, Setup, Submission, TEMPLATE_DISTRIBUTION};
use binary_sv2::Str0255;
use bytes::Bytes;
use common_messages_sv2::{
    MESSAGE_TYPE_SETUP_CONNECTION, MESSAGE_TYPE_SETUP_CONNECTION_ERROR, MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS,
};
use parsers_sv2::{CommonMessages, ParserError, TemplateDistribution};
use template_distribution_sv2::{MESSAGE_TYPE_COINBASE_OUTPUT_CONSTRAINTS, MESSAGE_TYPE_SUBMIT_SOLUTION};

/// A message that is not as its type says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of type {kind:#04x} cannot be read: {why}")]
pub struct Malformed {
    /// Its type.
    pub kind: u8,
    why: String,
}

impl Malformed {
    fn because(kind: u8, why: &ParserError) -> Malformed {
        let why = format!("{why:?}");
        Malformed { kind, why }
    }
}

impl Message {
    /// Reads what is in a frame; `None` for what is not part of this protocol.
    pub(super) fn parse(extension: u16, kind: u8, payload: &mut [u8]) -> Result<Option<Message>, Malformed> {
        if extension != 0 {
            return Ok(None);
        }
        match kind {
            MESSAGE_TYPE_SETUP_CONNECTION => Message::parse_setup(payload).map(Some),
            MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS | MESSAGE_TYPE_SETUP_CONNECTION_ERROR => {
                let message = CommonMessages::try_from((kind, payload));
                message
                    .map(Message::common)
                    .map_err(|why| Malformed::because(kind, &why))
            }
            MESSAGE_TYPE_COINBASE_OUTPUT_CONSTRAINTS..=MESSAGE_TYPE_SUBMIT_SOLUTION => {
                let message = TemplateDistribution::try_from((kind, payload));
                let message = message.map(Message::template_distribution);
                message.map(Some).map_err(|why| Malformed::because(kind, &why))
            }
            _ => Ok(None),
        }
    }

    /// A protocol that the parser does not know is no reason not to read what else there is: it has to be answered.
    fn parse_setup(payload: &mut [u8]) -> Result<Message, Malformed> {
        let protocol = payload.first().copied().unwrap_or(0);
        if let Some(first) = payload
            .first_mut()
            .filter(|first| **first > TEMPLATE_DISTRIBUTION)
        {
            *first = TEMPLATE_DISTRIBUTION;
        }
        let message = CommonMessages::try_from((MESSAGE_TYPE_SETUP_CONNECTION, payload));
        match message {
            Ok(CommonMessages::SetupConnection(setup)) => Ok(Message::SetupConnection(Setup {
                protocol,
                min_version: setup.min_version,
                max_version: setup.max_version,
                flags: setup.flags,
                host: text(&setup.endpoint_host),
                port: setup.endpoint_port,
                vendor: text(&setup.vendor),
                hardware: text(&setup.hardware_version),
                firmware: text(&setup.firmware),
                device: text(&setup.device_id),
            })),
            Ok(_) => Err(Malformed {
                kind: MESSAGE_TYPE_SETUP_CONNECTION,
                why: "it was read as another type".into(),
            }),
            Err(why) => Err(Malformed::because(MESSAGE_TYPE_SETUP_CONNECTION, &why)),
        }
    }

    fn common(message: CommonMessages<'_>) -> Option<Message> {
        match message {
            CommonMessages::SetupConnectionSuccess(agreed) => Some(Message::SetupConnectionSuccess {
                version: agreed.used_version,
                flags: agreed.flags,
            }),
            CommonMessages::SetupConnectionError(refused) => Some(Message::SetupConnectionError {
                flags: refused.flags,
                code: text(&refused.error_code),
            }),
            _ => None,
        }
    }

    fn template_distribution(message: TemplateDistribution<'_>) -> Message {
        match message {
            TemplateDistribution::CoinbaseOutputConstraints(room) => {
                Message::CoinbaseOutputConstraints(Constraints {
                    size: room.coinbase_output_max_additional_size,
                    sigops: room.coinbase_output_max_additional_sigops,
                })
            }
            TemplateDistribution::NewTemplate(new) => Message::NewTemplate(NewTemplate {
                template: new.template_id,
                future: new.future_template,
                version: new.version,
                coinbase_version: new.coinbase_tx_version,
                coinbase_prefix: new.coinbase_prefix.as_bytes().to_vec(),
                coinbase_sequence: new.coinbase_tx_input_sequence,
                value: new.coinbase_tx_value_remaining,
                outputs_count: new.coinbase_tx_outputs_count,
                outputs: new.coinbase_tx_outputs.as_bytes().to_vec(),
                coinbase_locktime: new.coinbase_tx_locktime,
                merkle_path: new.merkle_path.iter().map(|hash| *hash.as_array()).collect(),
            }),
            TemplateDistribution::SetNewPrevHash(prev) => Message::SetNewPrevHash(PrevHash {
                template: prev.template_id,
                hash: *prev.prev_hash.as_array(),
                time: prev.header_timestamp,
                bits: prev.n_bits,
                target: *prev.target.as_array(),
            }),
            TemplateDistribution::RequestTransactionData(asked) => Message::RequestTransactionData {
                template: asked.template_id,
            },
            TemplateDistribution::RequestTransactionDataSuccess(data) => {
                let list = data.transaction_list.iter();
                Message::RequestTransactionDataSuccess {
                    template: data.template_id,
                    excess: data.excess_data.as_bytes().to_vec(),
                    transactions: list.map(|tx| Bytes::copy_from_slice(tx.as_bytes())).collect(),
                }
            }
            TemplateDistribution::RequestTransactionDataError(refused) => {
                Message::RequestTransactionDataError {
                    template: refused.template_id,
                    code: text(&refused.error_code),
                }
            }
            TemplateDistribution::SubmitSolution(found) => Message::SubmitSolution(Submission {
                template: found.template_id,
                version: found.version,
                time: found.header_timestamp,
                nonce: found.header_nonce,
                coinbase: found.coinbase_tx.as_bytes().to_vec(),
            }),
        }
    }
}

/// What is not UTF-8 is made so: it is only shown.
fn text(text: &Str0255<'_>) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}
