//! What containers wrote to their standard streams, line by line.

use bollard::{
    Docker,
    container::LogOutput,
    query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder},
};
use bytes::{Bytes, BytesMut};
use domain::SpaceId;
use futures::{
    Stream, StreamExt as _,
    future::ready,
    stream::{self, BoxStream},
};

use super::{filters, labels, labels::Labels};
use crate::logs::{LogError, LogSource};

/// Longest line that is kept together, in bytes; the rest of it follows as another.
const LINE_LEN_MAX: usize = 64 * 1024;

/// The logs that Docker keeps.
pub(crate) struct DockerLogs {
    docker: Docker,
    labels: Labels,
}

impl DockerLogs {
    /// The logs of the containers with these labels.
    pub(crate) const fn new(docker: Docker, labels: Labels) -> Self {
        Self { docker, labels }
    }
}

impl LogSource for DockerLogs {
    fn logs(
        &self,
        space: &SpaceId,
        service: Option<&str>,
        tail: u32,
        follow: bool,
    ) -> BoxStream<'static, Result<Bytes, LogError>> {
        let (docker, labels) = (self.docker.clone(), self.labels.of_space(space));
        let service = service.map(str::to_owned);
        stream::once(async move {
            let containers = containers(&docker, labels, service.as_deref()).await?;
            let lines = containers.into_iter().map(move |(name, id)| {
                let options = LogsOptionsBuilder::new()
                    .stdout(true)
                    .stderr(true)
                    .follow(follow)
                    .tail(&tail.to_string())
                    .build();
                lines(name, docker.logs(&id, Some(options))).boxed()
            });
            // One service after the other, or all at once where there is no end to wait for.
            let all = if follow {
                stream::select_all(lines).boxed()
            } else {
                stream::iter(lines).flatten().boxed()
            };
            Ok::<_, LogError>(all)
        })
        .flat_map(|result| match result {
            Ok(all) => all,
            Err(error) => stream::once(ready(Err(error))).boxed(),
        })
        .boxed()
    }
}

/// The services that were asked for and the ids of their containers, by name.
async fn containers(
    docker: &Docker,
    labels: Vec<String>,
    service: Option<&str>,
) -> Result<Vec<(String, String)>, LogError> {
    let filters = filters(labels);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let containers =
        docker.list_containers(Some(options)).await.map_err(|it| LogError::Docker(it.into()))?;
    let named = containers.into_iter().filter_map(|it| {
        let name = labels::service(it.labels.as_ref()?)?.to_owned();
        Some((name, it.id?))
    });
    let mut wanted: Vec<_> =
        named.filter(|(name, _)| service.is_none_or(|it| it == name)).collect();
    wanted.sort();
    Ok(wanted)
}

/// The whole lines of what a service wrote, each after its name.
fn lines(
    service: String,
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send,
) -> impl Stream<Item = Result<Bytes, LogError>> + Send {
    let end = stream::once(ready(None));
    let output = output.map(Some).chain(end);
    output
        .scan(BytesMut::new(), move |rest, chunk| {
            let lines = match chunk {
                Some(Ok(chunk)) => {
                    rest.extend_from_slice(&chunk.into_bytes());
                    Ok(whole_lines(&service, rest, false))
                }
                Some(Err(error)) => Err(LogError::Docker(error.into())),
                None => Ok(whole_lines(&service, rest, true)),
            };
            ready(Some(lines))
        })
        .filter(|it| ready(!matches!(it, Ok(lines) if lines.is_empty())))
}

/// Takes the whole lines out of `rest`, or all of it if nothing follows.
fn whole_lines(service: &str, rest: &mut BytesMut, is_end: bool) -> Bytes {
    let mut lines = BytesMut::new();
    loop {
        let end = rest.iter().position(|it| *it == b'\n');
        let taken = match end {
            Some(end) => rest.split_to(end + 1),
            None if rest.len() < LINE_LEN_MAX && (!is_end || rest.is_empty()) => break,
            None => rest.split(),
        };
        lines.extend_from_slice(service.as_bytes());
        lines.extend_from_slice(b" | ");
        lines.extend_from_slice(taken.strip_suffix(b"\n").unwrap_or(&taken));
        lines.extend_from_slice(b"\n");
    }
    lines.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(chunks: &[&str]) -> String {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|it| Ok(LogOutput::StdOut { message: Bytes::copy_from_slice(it.as_bytes()) }))
            .collect();
        let lines: Vec<_> = lines("web".to_owned(), stream::iter(chunks)).collect().await;
        let lines: Vec<_> = lines.into_iter().map(|it| it.unwrap().to_vec()).collect();
        String::from_utf8(lines.concat()).unwrap()
    }

    #[tokio::test]
    async fn every_line_begins_with_its_service() {
        #[rustfmt::skip]
        let rows: [(&[&str], &str); 6] = [
            (&[],                        ""),
            (&["one\n"],                 "web | one\n"),
            (&["one\ntwo\n"],            "web | one\nweb | two\n"),
            (&["one\nt", "w", "o\n"],    "web | one\nweb | two\n"),
            (&["one\n\n"],               "web | one\nweb | \n"),
            (&["no end"],                "web | no end\n"),
        ];
        for (chunks, want) in rows {
            assert_eq!(read(chunks).await, want, "{chunks:?}");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut() {
        let long = "x".repeat(LINE_LEN_MAX);
        assert_eq!(read(&[&long, "y"]).await, format!("web | {long}\nweb | y\n"));
    }
}
