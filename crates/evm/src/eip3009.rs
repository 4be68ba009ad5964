//! Whether a payment that was signed off the chain has been made on it.
//!
//! A token of this kind moves money for whoever shows it the payer's signature, and takes each
//! nonce of a payer once. So the chain knows what became of a payment whoever sent it there, and
//! whatever they say of it.
//!
//! # What is taken for ours
//!
//! A payer may sign two payments with one nonce, and may have several made in one transaction. So
//! it is not enough that a transaction used the nonce and moved as much money: the token notes the
//! use of a nonce and right after it the payment that this was for, and those two are looked at.
//!
//! Source: EIP-3009; `FiatTokenV2` of USDC, `_transferWithAuthorization`; EIP-20, `Transfer`.

mod token;

use std::time::Duration;

use alloy_primitives::{Address, B256};
use domain::Timestamp;

use crate::{Chains, Endpoints, Failure, Network, Unavailable, chain_data::Block};
use token::{Noted, Token, Use};

/// How long all questions together may take.
const TIME_MAX: Duration = Duration::from_secs(10);
/// How much the clock of the chain may be behind ours.
const SKEW: Duration = Duration::from_mins(2);
/// How much later than a payment's end a block has to be for a payment that is not in it to be none
/// in the end: by then the chain has settled on the blocks before the end, and nodes know them.
const SETTLING_SECONDS: u64 = 60;
/// How many blocks one question is about. Public nodes have limits.
const N_BLOCKS: u64 = 1000;
/// How many blocks further back than reckoned the search begins, as not all take the same time.
const N_BLOCKS_MORE: u64 = 250;

/// The payment that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which chain.
    pub chain_id: u64,
    /// The token.
    pub asset: Address,
    /// Who pays.
    pub from: Address,
    /// The payer's number of the payment.
    pub nonce: B256,
    /// Who is paid.
    pub pay_to: Address,
    /// How much, in the smallest units of the token.
    pub value: u64,
    /// When it was shown to us. A nonce that was used before then paid for something else.
    pub since: Timestamp,
    /// From when on the token refuses it, in Unix seconds.
    pub valid_before_s: u64,
    /// The transaction that somebody says it is in. If it isn't, nothing is lost but a question.
    pub transaction_hint: Option<B256>,
}

/// What became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// We have been paid.
    Ours {
        /// By this transaction.
        transaction: B256,
    },
    /// The nonce was used for something else or before [`Query::since`], with two minutes allowed
    /// for clocks, or was cancelled. It will never pay us.
    Other,
    /// The nonce has not been used.
    Unused {
        /// Whether it never will be: the newest block is a minute later than
        /// [`Query::valid_before_s`], by its own clock.
        expired: bool,
    },
}

/// What became of a payment, by the newest block.
///
/// All questions together get 10 seconds. With a good hint there are three of them, and without one
/// five to eight, however long ago the payment was made.
///
/// # Errors
/// [`Unavailable`] if no endpoint of the chain answers, and if the nonce is used and none can tell
/// yet what for: it has to be asked again later. It is for the log.
pub async fn settlement(
    network: &impl Network,
    endpoints: &Endpoints,
    query: &Query,
) -> Result<Settlement, Unavailable> {
    let chains = Chains::new(network, endpoints).until(network.now().plus(TIME_MAX));
    Inquiry { token: Token { chains, query } }.settlement().await
}

/// What nodes are lacking that don't have the entry of a nonce which they say is used.
const NO_ENTRY: Failure = Failure::Malformed("a used authorization was not used in any block");

struct Inquiry<'a, N> {
    token: Token<'a, N>,
}

impl<N: Network> Inquiry<'_, N> {
    async fn settlement(&self) -> Result<Settlement, Unavailable> {
        let (newest, is_used) = self.token.state().await?;
        if !is_used {
            if !self.is_over(newest) {
                return Ok(Settlement::Unused { expired: false });
            }
            // The two answers may be of two machines, the first of them behind.
            if !self.token.is_used_at(newest, Ok).await? {
                return Ok(Settlement::Unused { expired: true });
            }
        }
        if let Some(hint) = self.token.query.transaction_hint
            && let Some(used) = self.token.look_up(hint, Ok).await?
        {
            return self.judge(&used).await;
        }
        self.search(newest).await
    }

    /// Looks for the nonce in the blocks from [`Self::earliest_s`] on.
    async fn search(&self, newest: Block) -> Result<Settlement, Unavailable> {
        let start = self.start(newest).await?;
        let mut first = start.number;
        loop {
            let last = first.saturating_add(N_BLOCKS).min(newest.number);
            let (noted, end) = self.token.noted_between(first, last).await?;
            match noted {
                Some(Noted::Cancelled) => return Ok(Settlement::Other),
                Some(Noted::Used { transaction }) => {
                    let found = |it: Option<Use>| it.ok_or(NO_ENTRY);
                    let used = self.token.look_up(transaction, found).await?;
                    return self.judge(&used).await;
                }
                None => {}
            }
            if last == newest.number || self.token.query.valid_before_s <= end.time_s {
                return self.account_for_nothing(start, newest).await;
            }
            first = last;
        }
    }

    /// The last block before [`Self::earliest_s`], or one not long before it; the first one of the
    /// chain if there is none.
    async fn start(&self, newest: Block) -> Result<Block, Unavailable> {
        let mut later = newest;
        let mut number = newest.number.saturating_sub(N_BLOCKS);
        loop {
            let block = self.token.block(number).await?;
            if number == 0 || block.time_s <= self.earliest_s() {
                return Ok(block);
            }
            // As many blocks further back as this chain makes in the time, and some more.
            let n_blocks = later.number.saturating_sub(block.number);
            let seconds = later.time_s.saturating_sub(block.time_s).max(1);
            let seconds_back = block.time_s.saturating_sub(self.earliest_s());
            let back = seconds_back.saturating_mul(n_blocks).checked_div(seconds).unwrap_or(0);
            number = number.saturating_sub(back.saturating_add(N_BLOCKS_MORE));
            later = block;
        }
    }

    /// The nonce is used, and not since `start`. That it was before then makes sure of it, for
    /// nodes whose list of entries is behind would say the same.
    async fn account_for_nothing(
        &self,
        start: Block,
        newest: Block,
    ) -> Result<Settlement, Unavailable> {
        let used = |is_used: bool| if is_used { Ok(Settlement::Other) } else { Err(NO_ENTRY) };
        match self.token.is_used_at(start, used).await {
            // Nobody knows as much of the past any more, and no list is that far behind.
            Err(unavailable)
                if self.is_over(newest)
                    && unavailable.attempts.iter().all(|it| it.failure != NO_ENTRY) =>
            {
                Ok(Settlement::Other)
            }
            result => result,
        }
    }

    async fn judge(&self, used: &Use) -> Result<Settlement, Unavailable> {
        let block = self.token.block(used.block_number).await?;
        let is_ours = used.is_for_us && self.earliest_s() <= block.time_s;
        let transaction = used.transaction;
        Ok(if is_ours { Settlement::Ours { transaction } } else { Settlement::Other })
    }

    /// From when on a nonce may have been used to pay us, in Unix seconds.
    fn earliest_s(&self) -> u64 {
        let skew_s = i64::try_from(SKEW.as_secs()).unwrap_or(i64::MAX);
        u64::try_from(self.token.query.since.unix_s().saturating_sub(skew_s)).unwrap_or(0)
    }

    fn is_over(&self, newest: Block) -> bool {
        self.token.query.valid_before_s.saturating_add(SETTLING_SECONDS) < newest.time_s
    }
}
