//! Any text as the header field `Gate-Attestation`, and any text as the JSON in it: what is read can
//! be judged, and is printed and read back as the same.

#![no_main]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gate::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    read(text);
    read(&URL_SAFE_NO_PAD.encode(text));
});

fn read(value: &str) {
    let Ok(statements) = Statement::parse_header(value) else { return };
    assert!(!statements.is_empty(), "{value:?} is an empty list");
    for statement in &statements {
        let _ = statement.verify();
    }
    let printed: Vec<_> = statements.iter().map(Statement::to_header).collect();
    let read = Statement::parse_header(&printed.join(", "));
    assert_eq!(read, Ok(statements), "{value:?} prints as {printed:?}");
}
