//! Where visitors are to be sent.

use domain::CustomDomain;

use crate::{
    Records,
    database::{Database, DatabaseError, Row, params},
};

/// Where the visitors of a space are to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The space's name.
    pub name: String,
    /// The host it is on.
    pub host: String,
    /// Where that host's gateway is reached.
    pub gateway_url: String,
    /// The custom domains of the space, in order.
    pub domains: Vec<CustomDomain>,
}

impl<D: Database> Records<D> {
    /// The routes of all living spaces whose host has a gateway, or of those on one host, by name.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn routes(&self, host: Option<&str>) -> Result<Vec<Route>, DatabaseError> {
        let statement = "SELECT s.name, s.host, h.gateway_url, (SELECT json_group_array(domain) \
             FROM (SELECT domain FROM domains WHERE space = s.id AND state = 'proven' \
             ORDER BY domain)) FROM spaces s JOIN hosts h ON h.name = s.host \
             WHERE s.desired <> 'deleted' AND h.gateway_url IS NOT NULL \
             AND coalesce(s.host = ?, TRUE) ORDER BY s.name";
        let rows = self.database.execute(statement, params![host]).await?;
        rows.iter().map(route).collect()
    }
}

fn route(row: &Row) -> Result<Route, DatabaseError> {
    let unreadable = |error| DatabaseError(format!("the domains of {:?}: {error}", row.text(0)));
    Ok(Route {
        name: row.text(0).to_owned(),
        host: row.text(1).to_owned(),
        gateway_url: row.text(2).to_owned(),
        domains: serde_json::from_str(row.text(3)).map_err(unreadable)?,
    })
}
