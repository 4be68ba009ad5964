//! What a token and its entries say of one nonce.

use alloy_primitives::{B256, U256};
use alloy_sol_types::{SolCall as _, SolEvent as _, sol};

use super::Query;
use crate::{
    Call, Chains, Failure, Network, Outcome, Unavailable,
    chain_data::{At, Block, Entry, Receipt},
    chains::Blame,
    rpc::{self, Answer, Question},
};

sol! {
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);

    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);
    event Transfer(address indexed from, address indexed to, uint256 value);
}

/// The token and the nonce that the query is about.
pub(super) struct Token<'a, N> {
    pub(super) chains: Chains<'a, N>,
    pub(super) query: &'a Query,
}

/// Where a nonce was used.
pub(super) struct Use {
    pub(super) transaction: B256,
    pub(super) block_number: u64,
    /// Whether it was used for the payment that is asked about.
    pub(super) is_for_us: bool,
}

/// What a token has noted of a nonce.
pub(super) enum Noted {
    Used { transaction: B256 },
    Cancelled,
}

impl<N: Network> Token<'_, N> {
    /// The newest block, and whether the nonce is used.
    pub(super) async fn state(&self) -> Result<(Block, bool), Unavailable> {
        let questions = [Block::question(At::Newest), self.is_used(At::Newest)];
        self.ask(&questions, Blame::Endpoint, |answers| {
            let [block, is_used] = rpc::exactly(answers)?;
            Ok((Block::read(block, At::Newest)?, read_is_used(is_used)?))
        })
        .await
    }

    /// What `read` makes of whether the nonce was used at this block.
    pub(super) async fn is_used_at<T: Send>(
        &self,
        block: Block,
        read: impl Fn(bool) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, Unavailable> {
        let questions = [self.is_used(At::Number(block.number))];
        self.ask(&questions, Blame::Nobody, |answers| {
            let [is_used] = rpc::exactly(answers)?;
            read(read_is_used(is_used)?)
        })
        .await
    }

    /// The block of this number.
    pub(super) async fn block(&self, number: u64) -> Result<Block, Unavailable> {
        let at = At::Number(number);
        self.ask(&[Block::question(at)], Blame::Nobody, |answers| {
            let [block] = rpc::exactly(answers)?;
            Block::read(block, at)
        })
        .await
    }

    /// What was noted of the nonce from block `first` to block `last`, and `last`.
    pub(super) async fn noted_between(
        &self,
        first: u64,
        last: u64,
    ) -> Result<(Option<Noted>, Block), Unavailable> {
        let at = At::Number(last);
        let Query { asset, from, nonce, .. } = *self.query;
        let events = [AuthorizationUsed::SIGNATURE_HASH, AuthorizationCanceled::SIGNATURE_HASH];
        let topics: [&[B256]; 3] = [&events, &[from.into_word()], &[nonce]];
        let questions = [Entry::question(asset, &topics, (first, last)), Block::question(at)];
        self.ask(&questions, Blame::Nobody, |answers| {
            let [entries, block] = rpc::exactly(answers)?;
            let noted = Entry::read_all(entries)?.iter().map(|it| self.noted(it)).next();
            Ok((noted.transpose()?, Block::read(block, at)?))
        })
        .await
    }

    /// What `read` makes of the use of the nonce in this transaction, if it is there.
    pub(super) async fn look_up<T: Send>(
        &self,
        transaction: B256,
        read: impl Fn(Option<Use>) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, Unavailable> {
        self.ask(&[Receipt::question(transaction)], Blame::Nobody, |answers| {
            let [receipt] = rpc::exactly(answers)?;
            let receipt = Receipt::read(receipt, transaction)?;
            read(receipt.and_then(|it| self.find_use(transaction, &it)))
        })
        .await
    }

    fn noted(&self, entry: &Entry) -> Result<Noted, Failure> {
        if self.is_about_nonce(entry, AuthorizationUsed::SIGNATURE_HASH) {
            Ok(Noted::Used { transaction: entry.transaction_hash })
        } else if self.is_about_nonce(entry, AuthorizationCanceled::SIGNATURE_HASH) {
            Ok(Noted::Cancelled)
        } else {
            Err(Failure::Malformed("not the entries that were asked for"))
        }
    }

    fn find_use(&self, transaction: B256, receipt: &Receipt) -> Option<Use> {
        let is_use = |it: &&Entry| self.is_about_nonce(it, AuthorizationUsed::SIGNATURE_HASH);
        let mut entries = receipt.logs.iter().skip_while(|it| !is_use(it));
        entries.next().filter(|_| receipt.status == 1)?;
        let is_for_us = entries.next().is_some_and(|it| self.is_payment(it));
        Some(Use { transaction, block_number: receipt.block_number, is_for_us })
    }

    fn is_about_nonce(&self, entry: &Entry, event: B256) -> bool {
        let Query { asset, from, nonce, .. } = *self.query;
        entry.address == asset && entry.topics == [event, from.into_word(), nonce]
    }

    fn is_payment(&self, entry: &Entry) -> bool {
        let Query { asset, from, pay_to, value, .. } = *self.query;
        entry.address == asset
            && entry.topics == [Transfer::SIGNATURE_HASH, from.into_word(), pay_to.into_word()]
            && entry.data == U256::from(value).to_be_bytes_vec()
    }

    fn is_used(&self, at: At) -> Question {
        let Query { asset, from: authorizer, nonce, .. } = *self.query;
        let data = authorizationStateCall { authorizer, nonce }.abi_encode().into();
        Call { to: Some(asset), data, gas: None }.question(at)
    }

    async fn ask<T: Send>(
        &self,
        questions: &[Question],
        blame: Blame,
        read: impl Fn(Vec<Answer>) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, Unavailable> {
        self.chains.first_good(self.query.chain_id, questions, blame, read).await
    }
}

/// Reads whether a nonce is used, in the words of the token.
fn read_is_used(answer: Answer) -> Result<bool, Failure> {
    match Outcome::read(answer)? {
        Outcome::Returned(it) if it[..] == B256::with_last_byte(0)[..] => Ok(false),
        Outcome::Returned(it) if it[..] == B256::with_last_byte(1)[..] => Ok(true),
        _ => Err(Failure::Malformed("not a token that says which nonces are used")),
    }
}
