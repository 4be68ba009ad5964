//! A cron component as Spin's stock cron plugin takes it: WASI 0.2 only. It sends what it was told
//! to the address in its variable `url`, and fails if that is not answered 200.

#![expect(unsafe_code, reason = "what wit-bindgen generates from the WIT exports functions")]

use wasi::http::{
    outgoing_handler,
    types::{Fields, Method, OutgoingRequest, Scheme},
};

mod bindings {
    wit_bindgen::generate!({
        inline: r#"
            package spaceport:probe-cron;

            world probe-cron {
                import fermyon:spin/variables@2.0.0;
                use fermyon:spin-cron/cron-types@2.0.0.{metadata, error};
                export handle-cron-event: func(metadata: metadata) -> result<_, error>;
            }
        "#,
        path: [
            "../../../edge-host/wit/deps/fermyon-spin",
            "../../../edge-host/wit/deps/fermyon-spin-cron",
        ],
        generate_all,
    });
}

use bindings::{Error, Guest, Metadata, fermyon::spin::variables};

struct Probe;

impl Guest for Probe {
    fn handle_cron_event(metadata: Metadata) -> Result<(), Error> {
        let authority = variables::get("authority").map_err(shown)?;
        let path = variables::get("path").map_err(shown)?;
        match post(&authority, &format!("{path}{}", metadata.timestamp))? {
            200 => Ok(()),
            status => Err(Error::Other(format!("answered {status}"))),
        }
    }
}

fn post(authority: &str, path: &str) -> Result<u16, Error> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Post).map_err(shown)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(shown)?;
    request.set_authority(Some(authority)).map_err(shown)?;
    request.set_path_with_query(Some(path)).map_err(shown)?;
    let response = outgoing_handler::handle(request, None).map_err(shown)?;
    response.subscribe().block();
    let response = response.get().ok_or_else(|| shown("no answer"))?;
    Ok(response.map_err(shown)?.map_err(shown)?.status())
}

fn shown(error: impl std::fmt::Debug) -> Error {
    Error::Other(format!("{error:?}"))
}

bindings::export!(Probe with_types_in bindings);
