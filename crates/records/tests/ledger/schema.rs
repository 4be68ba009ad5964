//! What must always hold of money, attacked by statements that no code of ours sends.

use std::fmt::Display;

use ledger::Account;

use crate::scene::{
    LEASE, START, Scene, address, create, hash, outside, payment, refuse, space, wallet,
};

/// Wallet 1 was paid 10 by payment 1; 4 of them are held for the space `a` until 9 by `held`, and 1
/// was held and moved by `ended`. Payment 2 is being settled, and payment 3 was refused.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    create(&scene.records, "a", 1, None, None).await.unwrap();
    scene.pay(&payment(1, 1, 10)).await;
    for number in [2, 3] {
        let new = payment(number, 1, 10);
        scene.records.claim_payment(&new, START, LEASE).await.unwrap();
    }
    refuse(&scene.records, &payment(3, 1, 10)).await;
    scene.run(&insert("held", &wallet(1), &space("a"), 4, "first-month", "expires_at", "9")).await;
    scene.run(&insert("ended", &wallet(1), &space("a"), 1, "first-month", "expires_at", "9")).await;
    scene.run(&end("ended", "posted", 1, 5)).await;
    assert_eq!(scene.balance(&wallet(1)).await, (5, 4, 0));
    assert_eq!(scene.balance(&space("a")).await, (1, 0, 4));
    scene
}

fn insert(
    id: &str,
    debit: &dyn Display,
    credit: &dyn Display,
    amount: i64,
    kind: &str,
    column: &str,
    value: &str,
) -> String {
    format!(
        "INSERT INTO transfers (id, debit, credit, amount, kind, at, {column}) \
         VALUES ('{id}', '{debit}', '{credit}', {amount}, '{kind}', 5, {value})"
    )
}

fn transfer(debit: &dyn Display, credit: &dyn Display, amount: i64) -> String {
    insert("t", debit, credit, amount, "top-up", "payment", "NULL")
}

fn hold(amount: i64) -> String {
    insert("t", &wallet(1), &space("a"), amount, "first-month", "expires_at", "9")
}

/// Ends a hold of `amount` by wallet 1 for the space `a`.
fn end(hold: &str, outcome: &str, amount: i64, at: i64) -> String {
    let (from, to) = (wallet(1), space("a"));
    let (debit, credit) = if outcome == "posted" { (from, to) } else { (to, from) };
    format!(
        "INSERT INTO transfers (id, debit, credit, amount, kind, at, ends, outcome) \
         VALUES ('{hold}:{outcome}', '{debit}', '{credit}', {amount}, 'first-month', {at}, \
         '{hold}', '{outcome}')"
    )
}

/// Credits payment `number` to `account`.
fn credit(number: u8, account: &dyn Display, amount: i64) -> String {
    let id = format!("'{}'", payment(number, 1, 10).id);
    insert("t", &outside(), account, amount, "payment", "payment", &id)
}

/// Payment 2 once more under the id of 9, with other values in some columns.
fn copy(changes: &[(&str, &str)]) -> String {
    let columns = "version, chain_id, asset, payer, nonce, pay_to, amount, valid_before, question, \
         account, identifier, fingerprint, state, lease_until, created_at, updated_at";
    let value = |column| changes.iter().find(|it| it.0 == column).map_or(column, |it| it.1);
    let values: Vec<_> = columns.split(", ").map(value).collect();
    format!(
        "INSERT INTO payments (id, {columns}) SELECT '{}', {} FROM payments WHERE id = '{}'",
        payment(9, 1, 10).id,
        values.join(", "),
        payment(2, 1, 10).id
    )
}

/// Runs what the schema must refuse, and says why, unless it says so already: what is there may be
/// found by an index, or by the trigger that keeps a row from taking the place of another.
async fn refuses(scene: &Scene, what: &str, statement: &str, why: &str) {
    let said = scene.refusal(statement).await;
    let is_there = why == "UNIQUE" && said.contains("are not replaced");
    assert!(said.contains(why) || is_there, "{what}: {said}");
}

#[tokio::test]
async fn transfers_are_for_ever_and_cover_what_they_give() {
    let scene = scene().await;
    let nobody = insert("t", &wallet(1), &space("a"), 1, "payment", "payment", "NULL");
    let lent = transfer(&wallet(1), &space("a"), 1).replace("'top-up'", "'loan'");
    let both = format!(
        "{}, ('u', '{}', '{}', 3, 'top-up', 5, NULL)",
        transfer(&wallet(1), &space("a"), 3),
        wallet(1),
        space("a")
    );
    let of_unknown = transfer(&wallet(1), &space("a"), 1).replace("NULL", "'pay_'");
    #[rustfmt::skip]
    let rows = [
        // what                        statement                                    why
        ("a changed amount",           "UPDATE transfers SET amount = 11".to_owned(),        "transfers are not changed"),
        ("a changed account",          format!("UPDATE transfers SET credit = '{}'", wallet(2)), "transfers are not changed"),
        ("a changed time",             "UPDATE transfers SET at = 6".to_owned(),             "transfers are not changed"),
        ("a longer hold",              "UPDATE transfers SET expires_at = 10 WHERE id = 'held'".to_owned(), "transfers are not changed"),
        ("a forgotten transfer",       "DELETE FROM transfers WHERE id = 'held'".to_owned(), "transfers are kept"),
        ("a known id",                 transfer(&wallet(1), &space("a"), 1).replace("'t'", "'held'"), "UNIQUE"),
        ("an id that is none",         transfer(&wallet(1), &space("a"), 1).replace("'t'", "''"), "CHECK"),
        ("more than there is",         transfer(&wallet(1), &space("a"), 6),                   "CHECK"),
        ("more than there is, in two", both,                                                 "CHECK"),
        ("a hold of more",             hold(6),                                              "CHECK"),
        ("what is incoming",           transfer(&space("a"), &wallet(1), 2),                   "CHECK"),
        ("what nobody paid in",        transfer(&wallet(2), &space("a"), 1),                   "CHECK"),
        ("nothing",                    transfer(&wallet(1), &space("a"), 0),                   "CHECK"),
        ("less than nothing",          transfer(&wallet(1), &space("a"), -1),                  "CHECK"),
        ("a circle",                   transfer(&wallet(1), &wallet(1), 1),                    "CHECK"),
        ("out of nowhere",             transfer(&outside(), &wallet(1), 1),                  "CHECK"),
        ("back out",                   transfer(&wallet(1), &outside(), 1),                  "CHECK"),
        ("out of what is earned",      transfer(&Account::Revenue, &wallet(1), 1),           "CHECK"),
        ("an account that is none",    transfer(&wallet(1), &"bank", 1),                       "CHECK"),
        ("from one that is none",      transfer(&"bank", &wallet(1), 1),                       "CHECK"),
        ("for another reason",         lent,                                                 "CHECK"),
        ("a payment that is none",     nobody,                                               "only settled payments are credited"),
        ("for an unknown payment",     of_unknown,                                           "FOREIGN KEY"),
        ("a second credit",            credit(1, &wallet(1), 10),                             "UNIQUE"),
        ("to another account",         credit(1, &wallet(2), 10),                             "only settled payments are credited"),
        ("of more than was paid",      credit(1, &wallet(1), 11),                             "only settled payments are credited"),
        ("from another asset",         credit(1, &wallet(1), 10).replace("eip155:", "eip155:1"), "only settled payments are credited"),
        ("of one being settled",       credit(2, &wallet(1), 10),                             "only settled payments are credited"),
        ("of one that was refused",    credit(3, &wallet(1), 10),                             "only settled payments are credited"),
    ];
    for (what, statement, why) in rows {
        refuses(&scene, what, &statement, why).await;
    }
    assert_eq!(scene.balance(&wallet(1)).await, (5, 4, 0), "nothing of it has moved anything");
    // What the rows begin with is no mistake itself.
    scene.run(&transfer(&wallet(1), &space("a"), 5)).await;
    assert_eq!(scene.balance(&wallet(1)).await, (0, 4, 0));
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn a_hold_ends_once_as_it_began() {
    let scene = scene().await;
    let swapped = |outcome: &str, like: &str| {
        end("held", like, 4, 9).replace(&format!("'{like}'"), &format!("'{outcome}'"))
    };
    let elsewhere =
        end("held", "voided", 4, 5).replace(&wallet(1).to_string(), &wallet(2).to_string());
    let again = end("held", "posted", 4, 5)
        .replace("ends, outcome", "expires_at, ends, outcome")
        .replace("'held', 'posted')", "9, 'held', 'posted')");
    let of_what = insert("t", &wallet(1), &space("a"), 4, "first-month", "outcome", "'posted'");
    let how = insert("t", &wallet(1), &space("a"), 4, "first-month", "ends", "'held'");
    #[rustfmt::skip]
    let rows = [
        ("a second end",                end("ended", "voided", 1, 9),       "UNIQUE"),
        ("the same end again",          end("ended", "posted", 1, 5).replace("'ended:posted'", "'t'"), "UNIQUE"),
        ("the end of a transfer",       end(&payment(1, 1, 10).id.to_string(), "posted", 10, 5), "an end ends a hold"),
        ("the end of an end",           end("ended:posted", "voided", 1, 5), "an end ends a hold"),
        ("the end of nothing",          end("none", "posted", 4, 5),        "an end ends a hold"),
        ("a part of it",                end("held", "posted", 3, 5),        "an end ends a hold"),
        ("more than it",                end("held", "posted", 5, 5),        "an end ends a hold"),
        ("posted backwards",            swapped("posted", "voided"),        "an end ends a hold"),
        ("voided forwards",             swapped("voided", "posted"),        "an end ends a hold"),
        ("expired forwards",            swapped("expired", "posted"),       "an end ends a hold"),
        ("let go to somebody else",     elsewhere,                          "an end ends a hold"),
        ("expired too early",           end("held", "expired", 4, 8),       "an end ends a hold"),
        ("forgotten",                   end("held", "forgotten", 4, 9),     ""),
        ("an end that is a hold",       again,                              "CHECK"),
        ("an end of nothing said",      of_what,                            "CHECK"),
        ("an end that says not how",    how,                                ""),
    ];
    for (what, statement, why) in rows {
        refuses(&scene, what, &statement, why).await;
    }
    assert_eq!(scene.balance(&wallet(1)).await, (5, 4, 0), "nothing of it has moved anything");
    // At its time, though, it expires.
    scene.run(&end("held", "expired", 4, 9)).await;
    assert_eq!(scene.balance(&wallet(1)).await, (9, 0, 0));
    assert_eq!(scene.balance(&space("a")).await, (1, 0, 0));
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn a_settled_payment_stays_settled_and_no_payment_is_altered() {
    let scene = scene().await;
    let set = |number: u8, what: &str| {
        format!("UPDATE payments SET {what} WHERE id = '{}'", payment(number, 1, 10).id)
    };
    let nonce = format!("'{}'", hash(9));
    let nonce = ("nonce", nonce.as_str());
    scene.run(&set(2, "identifier = 'order'")).await;
    #[rustfmt::skip]
    let rows = [
        ("settled, and then not",        set(1, "state = 'unknown', settled_at = NULL"),  "stays settled"),
        ("settled, and then refused",    set(1, "state = 'refused', settled_at = NULL, reason = 'no'"), "stays settled"),
        ("settled by another",           set(1, &format!("transaction_hash = '{}'", hash(7))), "stays settled"),
        ("settled at another time",      set(1, "settled_at = 7"),                        "stays settled"),
        ("settled for another",          set(1, &format!("account = '{}'", wallet(2))),   "stays settled"),
        ("settled for something else",   set(1, &format!("fingerprint = '{}'", "e".repeat(64))), "stays settled"),
        ("settled under a name",         set(1, "identifier = 'other'"),                  "stays settled"),
        ("another amount",               set(2, "amount = 11"),                           "what is paid stays"),
        ("another payer",                set(2, &format!("payer = '{}'", address(2))),    "what is paid stays"),
        ("another payee",                set(2, &format!("pay_to = '{}'", address(2))),   "what is paid stays"),
        ("another asset",                set(2, &format!("asset = '{}'", address(2))),    "what is paid stays"),
        ("another chain",                set(2, "chain_id = 1"),                          "what is paid stays"),
        ("another nonce",                set(2, &format!("nonce = '{}'", hash(9))),       "what is paid stays"),
        ("a longer time",                set(2, "valid_before = valid_before + 1"),       "what is paid stays"),
        ("another beginning",            set(2, "created_at = 1"),                        "what is paid stays"),
        ("another id",                   set(2, &format!("id = '{}'", payment(9, 1, 10).id)), "what is paid stays"),
        ("a forgotten payment",          format!("DELETE FROM payments WHERE id = '{}'", payment(3, 1, 10).id), "payments are kept"),
        ("an unknown state",             set(2, "state = 'paid'"),                        "CHECK"),
        ("settled without a time",       set(2, "state = 'settled', lease_until = NULL"), "CHECK"),
        ("settled by nothing",           set(2, "state = 'settled', lease_until = NULL, settled_at = 5"), "CHECK"),
        ("settling without a lease",     set(2, "lease_until = NULL"),                    "CHECK"),
        ("a lease on nothing",           set(3, "lease_until = 9"),                       "CHECK"),
        ("half a doubt",                 set(2, "is_in_doubt = 2"),                       "CHECK"),
        ("refused for no reason",        set(3, "reason = NULL"),                         "CHECK"),
        ("a reason for nothing",         set(2, "reason = 'no'"),                         "CHECK"),
        ("a hash cut short",             set(2, "transaction_hash = '0x12'"),             "CHECK"),
        ("a nonce twice",                copy(&[("identifier", "NULL")]),                 "UNIQUE"),
        ("an identifier twice",          copy(&[nonce]),                                  "UNIQUE"),
        ("nothing at all",               copy(&[nonce, ("identifier", "NULL"), ("amount", "0")]), "CHECK"),
        ("version 3",                    set(2, "version = 3"),                           "CHECK"),
        ("what is no question",          set(2, "question = '{'"),                        "CHECK"),
    ];
    for (what, statement, why) in rows {
        refuses(&scene, what, &statement, why).await;
    }
    // What the last rows begin with is no mistake itself.
    scene.run(&copy(&[nonce, ("identifier", "'other'")])).await;
    assert!(scene.is_balanced().await);
}

/// `INSERT OR REPLACE` removes rows, and no trigger that keeps them is asked.
#[tokio::test]
async fn no_row_takes_the_place_of_another() {
    let scene = scene().await;
    scene.run("UPDATE payments SET identifier = 'order' WHERE state = 'settling'").await;
    let some = || transfer(&wallet(1), &space("a"), 1);
    let nonce = format!("'{}'", hash(9));
    let nonce = ("nonce", nonce.as_str());
    let of_payment_2 = |statement: String| {
        let [copied, copy] = [2, 9].map(|it| payment(it, 1, 10).id.to_string());
        statement.replace(&copy, &copied)
    };
    #[rustfmt::skip]
    let rows = [
        ("a transfer's id",   some().replace("'t'", "'held'")),
        ("its number",        some().replace("(id,", "(seq, id,").replace("('t',", "(1, 't',")),
        ("an end",            end("ended", "posted", 1, 5).replace("'ended:posted'", "'t'")),
        ("a credit",          credit(1, &wallet(1), 10)),
        ("a payment's id",    of_payment_2(copy(&[nonce, ("identifier", "NULL")]))),
        ("its nonce",         copy(&[("identifier", "NULL")])),
        ("its identifier",    copy(&[nonce])),
    ];
    for (what, insert) in rows {
        let statement = insert.replacen("INSERT", "INSERT OR REPLACE", 1);
        refuses(&scene, what, &statement, "are not replaced").await;
    }
    assert_eq!(scene.balance(&wallet(1)).await, (5, 4, 0), "nothing of it has moved anything");
    assert!(scene.is_balanced().await);
}
