//! The first account of an app: made once, before visitors can come.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use apps::{AdminRequest, expand_json};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use reconcile::{DesiredStack, Failure};

use super::{
    Engine,
    ask::{Answer, ask},
    error::{failed, files, shown},
    labels::{network_name, object_name},
};

impl Engine {
    /// Makes the first admin, unless it is there, and puts on record that it is. Whether it is there
    /// is always asked first: whoever was killed in between may have made it.
    ///
    /// # Errors
    /// [`Failure::FirstAdmin`] if the app says no or does not answer.
    pub(super) async fn create_first_admin(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let Some(admin) = &self.template(desired)?.first_admin else { return Ok(()) };
        let values = self.values(desired).await?;
        let address = self.web_address(desired).await?;
        let post =
            async |request: &AdminRequest| self.post(desired, address, request, &values).await;
        if !post(&admin.verify).await?.status.is_success() {
            let created = post(&admin.create).await?;
            let verified = post(&admin.verify).await?;
            if !verified.status.is_success() {
                // What it says of the account tells more than that nobody can log in to it.
                let telling = if created.status.is_success() { verified } else { created };
                return Err(self.refused(desired, &telling).await);
            }
        }
        let marked = self.files.mark_first_admin(&desired.space).await;
        marked.map_err(|it| files("note that its first admin was made", it))
    }

    async fn post(
        &self,
        desired: &DesiredStack,
        address: SocketAddr,
        request: &AdminRequest,
        values: &BTreeMap<String, String>,
    ) -> Result<Answer, Failure> {
        let request = post_request(request, values)
            .map_err(|said| Failure::Settings { detail: shown(&said) })?;
        ask(address, request).await.map_err(|error| {
            let cause: &dyn std::error::Error = &error;
            tracing::debug!(space.id = %desired.space, error = cause, "no first admin yet");
            Failure::FirstAdmin { status: None, said: error.to_string() }
        })
    }

    async fn refused(&self, desired: &DesiredStack, answer: &Answer) -> Failure {
        let said = self.without_secrets(desired, &answer.body).await.unwrap_or_default();
        let said = said.lines().map(shown).find(|it| !it.is_empty()).unwrap_or_default();
        Failure::FirstAdmin { status: Some(answer.status.as_u16()), said }
    }

    /// Where the web service listens now.
    async fn web_address(&self, desired: &DesiredStack) -> Result<SocketAddr, Failure> {
        let gone = || Failure::FirstAdmin {
            status: None,
            said: "its web service does not run".to_owned(),
        };
        let web = desired.web.as_ref().ok_or_else(gone)?;
        let name = object_name(&desired.space, &web.service);
        let container = self.docker.inspect_container(&name, None).await;
        let container = container.map_err(|it| failed(format!("find {}", web.service), it))?;
        let networks = container.network_settings.and_then(|it| it.networks).unwrap_or_default();
        let own = networks.get(&network_name(&desired.space));
        let address: Option<IpAddr> = own.and_then(|it| it.ip_address.as_ref()?.parse().ok());
        Ok(SocketAddr::new(address.ok_or_else(gone)?, web.port))
    }
}

/// A request as the template has it, with the space's values; or which value does not fit.
fn post_request(
    request: &AdminRequest,
    values: &BTreeMap<String, String>,
) -> Result<Request<Full<Bytes>>, String> {
    let body = expand_json(&request.json, values).map_err(|it| it.to_string())?;
    let host = values.get("SPACE_HOST").map_or("localhost", String::as_str);
    Request::post(&request.path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "spaceport")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))
        .map_err(|it| it.to_string())
}
