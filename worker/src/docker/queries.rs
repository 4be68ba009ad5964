//! What meters and signals of a space say: SQL by the `psql` of the database's own service, and
//! paths of the web service.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use apps::{Database, Means, Meter, MeterSource, Signal, Template, expand_text};
use bollard::Docker;
use bytes::Bytes;
use domain::Timestamp;
use http::{Request, header};
use http_body_util::Full;
use serde::{
    Deserialize as _,
    de::value::{Error as ValueError, StrDeserializer},
};

use super::{ask::ask, error::shown, exec::Commands};

/// How long the client of a database may take; the statement itself has half of it.
const SQL_TIME_MAX: Duration = Duration::from_secs(10);

/// Nothing that a statement could change is changed, it does not take long, and times are in UTC and
/// written one way, whatever the database is set to.
const SESSION: [&str; 4] = [
    "BEGIN TRANSACTION READ ONLY",
    "SET LOCAL statement_timeout = '5s'",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, YMD'",
];

/// From when to when something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalValue {
    /// The space must run by then; if there is no time, nothing is due.
    Due(Option<Timestamp>),
    /// Above 0 the space must not be put to sleep.
    Busy(u64),
}

/// What the meters and signals of a space say, by their names.
#[derive(Debug, Default)]
pub struct Queries {
    /// How much was used, and in which unit.
    pub meters: BTreeMap<String, (String, Result<u64, QueryError>)>,
    /// When there is work.
    pub signals: BTreeMap<String, Result<SignalValue, QueryError>>,
}

/// Why a meter or a signal says nothing.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The container that would have to be asked is not there.
    #[error("{0} does not run")]
    NotRunning(String),
    /// Its client could not be run in the container.
    #[error("psql could not be run in {service}")]
    Exec {
        /// The service of the database.
        service: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database, or its client, says no.
    #[error("{0}")]
    Refused(String),
    /// The web service does not answer.
    #[error("GET {path} has no answer")]
    NoAnswer {
        /// What was asked for.
        path: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The web service answers something else than 200 to 299.
    #[error("GET {path} is answered with {status}")]
    Status {
        /// What was asked for.
        path: String,
        /// With what.
        status: u16,
    },
    /// What came is not one integer from 0.
    #[error("not a count: {0:?}")]
    NotACount(String),
    /// What came is not one point in time, nor nothing.
    #[error("not a time: {0:?}")]
    NotATime(String),
    /// The template does not fit the space.
    #[error("the template is wrong: {0}")]
    Template(String),
}

/// A space that can be asked.
pub(crate) struct Asker<'a> {
    pub(crate) docker: &'a Docker,
    /// What runs in containers because of us.
    pub(crate) commands: &'a Commands,
    pub(crate) template: &'a Template,
    /// What is filled into the template.
    pub(crate) values: &'a BTreeMap<String, String>,
    /// The containers that run, by the names that the space has for their services.
    pub(crate) containers: &'a BTreeMap<String, String>,
    /// Where the web service listens.
    pub(crate) web: Option<SocketAddr>,
}

impl Asker<'_> {
    /// What all that `is_wanted` says. One that fails does not keep the others from being asked.
    pub(crate) async fn ask(&self, period: Period, is_wanted: impl Fn(&str) -> bool) -> Queries {
        let mut queries = Queries::default();
        for (name, meter) in self.template.meters.iter().filter(|it| is_wanted(it.0)) {
            let value = (meter.unit.clone(), self.meter(meter, period).await);
            queries.meters.insert(name.clone(), value);
        }
        for (name, signal) in self.template.signals.iter().filter(|it| is_wanted(it.0)) {
            queries.signals.insert(name.clone(), self.signal(signal).await);
        }
        queries
    }

    /// The one integer that `sql` gives, which is none of the template's.
    pub(super) async fn count(&self, database: &str, sql: &str) -> Result<u64, QueryError> {
        count(&self.sql(database, sql, None).await?)
    }

    async fn meter(&self, meter: &Meter, period: Period) -> Result<u64, QueryError> {
        match &meter.source {
            MeterSource::Sql { database, sql } => {
                count(&self.sql(database, sql, Some(period)).await?)
            }
            MeterSource::Http { path } => count(&self.get(path, period).await?),
        }
    }

    async fn signal(&self, signal: &Signal) -> Result<SignalValue, QueryError> {
        let said = self.sql(&signal.database, &signal.sql, None).await?;
        match signal.means {
            Means::Due => time(&said).map(SignalValue::Due),
            Means::Busy => count(&said).map(SignalValue::Busy),
        }
    }

    /// The one value that `sql` gives, as text.
    async fn sql(
        &self,
        database: &str,
        sql: &str,
        period: Option<Period>,
    ) -> Result<String, QueryError> {
        let database = self.template.databases.get(database);
        let database = database.ok_or_else(|| QueryError::Template("no such database".into()))?;
        let container = self.containers.get(&database.service);
        let container =
            container.ok_or_else(|| QueryError::NotRunning(database.service.clone()))?;
        let command = self.psql(database, sql, period)?;
        let env = BTreeMap::new();
        let ran = self.commands.run(self.docker, container, &command, &env, SQL_TIME_MAX).await;
        let ran = ran.map_err(|error| QueryError::Exec {
            service: database.service.clone(),
            cause: error.into(),
        })?;
        if ran.code == 0 {
            return Ok(ran.stdout);
        }
        // A program that is not there is said on standard output.
        let mut said = ran.stderr.lines().chain(ran.stdout.lines()).map(shown);
        let said = said.find(|it| !it.is_empty());
        Err(QueryError::Refused(said.unwrap_or_else(|| format!("psql ends with {}", ran.code))))
    }

    /// Each statement by itself, so that the client takes none of it for commands of its own, and the
    /// server takes each for one statement.
    fn psql(
        &self,
        database: &Database,
        sql: &str,
        period: Option<Period>,
    ) -> Result<Vec<String>, QueryError> {
        let fill = |text| {
            expand_text(text, self.values).map_err(|it| QueryError::Template(it.to_string()))
        };
        let (user, name) = (fill(&database.user)?, fill(&database.name)?);
        let (prepare, execute) = match period {
            Some(Period { from, to }) => (
                format!("PREPARE query (timestamp, timestamp) AS {sql}"),
                format!("EXECUTE query ('{}', '{}')", sql_time(from), sql_time(to)),
            ),
            None => (format!("PREPARE query AS {sql}"), "EXECUTE query".to_owned()),
        };
        let options = ["psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1"];
        let mut command: Vec<String> = options.map(str::to_owned).into();
        command.extend(["-U".to_owned(), user, "-d".to_owned(), name]);
        let statements = SESSION.map(str::to_owned).into_iter().chain([prepare, execute]);
        command.extend(statements.flat_map(|it| ["-c".to_owned(), it]));
        Ok(command)
    }

    async fn get(&self, path: &str, period: Period) -> Result<String, QueryError> {
        let web = self.template.web.as_ref().map_or("web", |it| &it.service);
        let address = self.web.ok_or_else(|| QueryError::NotRunning(web.to_owned()))?;
        let mark = if path.contains('?') { '&' } else { '?' };
        let target = format!("{path}{mark}from={}&to={}", period.from, period.to);
        let host = self.values.get("SPACE_HOST").map_or("localhost", String::as_str);
        let request = Request::get(&target)
            .header(header::HOST, host)
            .header(header::USER_AGENT, "spaceport")
            .body(Full::<Bytes>::default())
            .map_err(|it| QueryError::Template(it.to_string()))?;
        let path = path.to_owned();
        match ask(address, request).await {
            Ok(answer) if answer.status.is_success() => Ok(answer.body),
            Ok(answer) => Err(QueryError::Status { path, status: answer.status.as_u16() }),
            Err(cause) => Err(QueryError::NoAnswer { path, cause: cause.into() }),
        }
    }
}

/// `at` as SQL has times without a zone.
fn sql_time(at: Timestamp) -> String {
    at.to_string().trim_end_matches('Z').replace('T', " ")
}

/// The one integer that was said.
fn count(said: &str) -> Result<u64, QueryError> {
    let text = said.strip_suffix('\n').unwrap_or(said);
    let is_count = text.bytes().all(|it| it.is_ascii_digit());
    let count = text.parse().ok().filter(|_| is_count);
    count.ok_or_else(|| QueryError::NotACount(shown(text)))
}

/// The one time that was said, in UTC, whether the database knows that it is or not.
fn time(said: &str) -> Result<Option<Timestamp>, QueryError> {
    let text = said.strip_suffix('\n').unwrap_or(said);
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || QueryError::NotATime(shown(text));
    let (date, clock) = text.split_once(' ').ok_or_else(wrong)?;
    let clock = clock.strip_suffix("+00").unwrap_or(clock);
    let rfc_3339 = format!("{date}T{clock}Z");
    let time = Timestamp::deserialize(StrDeserializer::<ValueError>::new(&rfc_3339));
    time.map(Some).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        serde_json::from_value(text.into()).unwrap()
    }

    #[test]
    fn a_count_is_one_integer_from_0() {
        #[rustfmt::skip]
        let rows = [
            ("0\n",                      Some(0)),
            ("42",                       Some(42)),
            ("18446744073709551615\n",   Some(u64::MAX)),
            ("18446744073709551616\n",   None),
            ("-1\n",                     None),
            ("+1\n",                     None),
            ("1.0\n",                    None),
            ("1e3\n",                    None),
            (" 1\n",                     None),
            ("1\n2\n",                   None),
            ("1\n\n",                    None),
            ("1|2\n",                    None),
            ("\n",                       None),
            ("",                         None),
            ("many\n",                   None),
        ];
        for (said, want) in rows {
            assert_eq!(count(said).ok(), want, "{said:?}");
        }
        assert_eq!(count("many\nmore\n").unwrap_err().to_string(), "not a count: \"many more\"");
    }

    #[test]
    fn a_time_is_one_time_in_utc_or_none() {
        let noon = Some(Some(at("2026-11-25T12:00:00Z")));
        #[rustfmt::skip]
        let rows = [
            ("2026-11-25 12:00:00\n",            noon),
            ("2026-11-25 12:00:00+00\n",         noon),
            ("2026-11-25 12:00:00.0004\n",       noon),
            ("2026-11-25 12:00:00.123456+00\n",  Some(Some(at("2026-11-25T12:00:00.123Z")))),
            ("\n",                               Some(None)),
            ("",                                 Some(None)),
            ("2026-11-25 12:00:00+01\n",         None),
            ("2026-11-25T12:00:00\n",            None),
            ("2026-11-25\n",                     None),
            ("12026-11-25 12:00:00\n",           None),
            ("0044-03-15 12:00:00 BC\n",         None),
            ("infinity\n",                       None),
            ("2026-11-25 12:00:00\n\n",          None),
            ("soon\n",                           None),
        ];
        for (said, want) in rows {
            assert_eq!(time(said).ok(), want, "{said:?}");
        }
    }

    #[test]
    fn times_are_written_without_a_zone() {
        #[rustfmt::skip]
        let rows = [
            ("2026-11-01T00:00:00Z",     "2026-11-01 00:00:00"),
            ("2026-11-01T00:00:00.25Z",  "2026-11-01 00:00:00.25"),
        ];
        for (time, want) in rows {
            assert_eq!(sql_time(at(time)), want);
        }
    }
}
