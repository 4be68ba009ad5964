//! The cron trigger: makes the edge run its own regular work.
//!
//! Tiny and portable on purpose: Spin's cron plugin knows neither WASI 0.3 nor async, forgets what
//! it missed and drops errors. So the work is a route of the edge, idempotent and catching up by
//! itself, and this asks for it over WASI 0.2.

#![expect(
    unsafe_code,
    clippy::same_length_and_capacity,
    reason = "what wit-bindgen generates from the WIT exports functions"
)]

mod post;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "cron", generate_all });
}

use bindings::{Error, Guest, Metadata, fermyon::spin::variables};

struct Cron;

impl Guest for Cron {
    fn handle_cron_event(_metadata: Metadata) -> Result<(), Error> {
        let variable = |name: &str| {
            variables::get(name).map_err(|error| Error::Other(format!("{name}: {error:?}")))
        };
        let (job, origin, key) = (variable("job")?, variable("public_url")?, variable("cron_key")?);
        if key.is_empty() {
            return Err(Error::Other("the variable cron_key is not set".to_owned()));
        }
        post::post(&origin, &job, &key).map_err(|error| Error::Other(format!("{job}: {error}")))
    }
}

bindings::export!(Cron with_types_in bindings);
