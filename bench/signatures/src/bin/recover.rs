//! Traces one signature to its address again and again, and prints the microseconds that each took.
//!
//! `recover k256|libsecp256k1 <times>`, with an address, a signature and a message on the lines of
//! standard input: what the component `tests/probes/probe-recover` does with the same text.

use std::{hint::black_box, io::Read as _, time::Instant};

use alloy_primitives::{Address, hex};
use anyhow::{Context as _, bail, ensure};
use secp256k1::{
    Secp256k1, VerifyOnly,
    ecdsa::{RecoverableSignature, RecoveryId},
};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let library = arguments.next().context("no library")?;
    let times: u32 = arguments.next().context("no number of times")?.parse()?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().context("three lines are needed");
    let (address, signature, message): (Address, _, _) = (line()?.parse()?, line()?, line()?);

    let context = Secp256k1::verification_only();
    let recover = |message: &str| match library.as_str() {
        "k256" => Ok(siwe::recover(message, &signature.parse()?)?),
        "libsecp256k1" => by_libsecp256k1(&context, message, signature),
        other => bail!("no such library: {other}"),
    };
    let start = Instant::now();
    for _ in 0..times {
        ensure!(recover(black_box(message))? == address, "signed by another address");
    }
    println!("{}", start.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    Ok(())
}

/// The same with the C library that most others use.
fn by_libsecp256k1(
    context: &Secp256k1<VerifyOnly>,
    message: &str,
    signature: &str,
) -> anyhow::Result<Address> {
    let bytes = hex::decode(signature)?;
    let (v, scalars) = bytes.split_last().context("an empty signature")?;
    let recovery_id = if v % 2 == 1 { RecoveryId::Zero } else { RecoveryId::One };
    let signature = RecoverableSignature::from_compact(scalars, recovery_id)?;
    let hash = secp256k1::Message::from_digest(siwe::eip191_hash(message));
    let key = context.recover_ecdsa(hash, &signature)?;
    Ok(Address::from_raw_public_key(&key.serialize_uncompressed()[1..]))
}
