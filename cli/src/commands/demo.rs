//! `spaceport demo`: everything on free ports, and a space to look at.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use tempfile::TempDir;
use url::Url;
use worker::{HostCare, Purged};

use crate::{
    client::{Api, Goal, SpaceView, WalletFile, http_client, wait_for},
    install::Installation,
    output, random,
    serve::{Stack, StackOptions},
    shutdown::Shutdown,
    state::State,
};

/// The app that is shown.
const APP: &str = "hello";
/// What the space is called, and what its page must say.
const TITLE: &str = "Spaceport demo";
/// How long a check may take from the first request to the last.
const CHECK_TIME_MAX: Duration = Duration::from_mins(3);

/// What is shown, and where it is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Make the space, look at its page, delete it, see that nothing is left of it, and end.
    #[arg(long)]
    check: bool,
    /// Where everything is kept [default: a temporary folder; everything in it is removed at the
    /// end]. With --check it must be new.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Runs the demo, and takes down what is not to stay.
pub(super) async fn run(args: DemoArgs, is_json: bool) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let installation = Installation::find()?;
    let temporary = match args.state {
        Some(_) => None,
        None => Some(TempDir::with_prefix("spaceport-demo-").context("no temporary folder")?),
    };
    let folder = args.state.or_else(|| temporary.as_ref().map(|it| it.path().to_owned()));
    let state = State::at(folder)?;
    ensure!(
        !args.check || state.existing_id()?.is_none(),
        "{} is in use, and a check removes everything: name a new folder, or none",
        state.folder().display()
    );
    let goes = args.check || temporary.is_some();
    let demo = Demo { state: &state, is_check: args.check, is_json, goes };
    let shown = demo.show(installation, &mut shutdown).await;
    let cleaned = if goes { demo.clean_up(shown.is_ok()).await } else { Ok(()) };
    // If both failed, the first failure is the one to know.
    shown.and(cleaned)?;
    match (args.check, is_json) {
        (true, true) => output::json(&json!({ "checked": true }))?,
        (true, false) => output::line("checked: made, seen, deleted, nothing left")?,
        (false, _) => (),
    }
    Ok(())
}

struct Demo<'a> {
    state: &'a State,
    is_check: bool,
    is_json: bool,
    /// Whether everything is removed at the end.
    goes: bool,
}

impl Demo<'_> {
    async fn show(
        &self,
        installation: Installation,
        shutdown: &mut Shutdown,
    ) -> anyhow::Result<()> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let stack = Stack::start(StackOptions {
            installation,
            state: self.state.clone(),
            edge: free,
            gateway: free,
            gateway_url: None,
            apps: None,
            host: "demo".to_owned(),
            care: HostCare {
                firewall: super::firewall::where_possible().await,
                ..HostCare::default()
            },
        });
        let stack = tokio::select! {
            stack = stack => stack?,
            () = shutdown.requested() => return self.interrupted(),
        };
        let shown = tokio::select! {
            shown = self.visit(&stack) => shown,
            Err(error) = stack.serve() => Err(error),
            () = shutdown.requested() => self.interrupted(),
        };
        stack.stop().await;
        shown
    }

    /// A check that was interrupted has not succeeded; anything else is ended that way.
    fn interrupted(&self) -> anyhow::Result<()> {
        ensure!(!self.is_check, "interrupted");
        Ok(())
    }

    async fn visit(&self, stack: &Stack) -> anyhow::Result<()> {
        if self.is_check {
            let checked = tokio::time::timeout(CHECK_TIME_MAX, self.check(stack)).await;
            return checked.context("it takes too long; RUST_LOG=info tells more")?;
        }
        let wallet = self.wallet();
        let api = Api::with_wallet(stack.edge_url().parse()?, wallet.clone()).await?;
        let space = provision(&api).await?;
        if self.is_json {
            output::json(&json!({
                "ready": true,
                "url": space.url,
                "edge": stack.edge_url(),
                "gateway": stack.gateway_url(),
                "wallet": wallet.path(),
                "pid": std::process::id(),
            }))?;
        } else {
            output::line(self.what_to_try(stack, &space, wallet.path()))?;
        }
        std::future::pending().await
    }

    async fn check(&self, stack: &Stack) -> anyhow::Result<()> {
        let api = Api::with_wallet(stack.edge_url().parse()?, self.wallet()).await?;
        let space = provision(&api).await?;
        see_page(stack, &space).await?;
        api.send(Method::DELETE, &format!("/v1/spaces/{}", space.id), None).await?;
        wait_for(&api, &space.id, Goal::Deleted).await
    }

    /// The wallet of the demo, which goes when the state goes.
    fn wallet(&self) -> WalletFile {
        WalletFile::throw_away(self.state.folder().join("keys/demo-wallet.key"))
    }

    /// Removes everything. After a check that went well there is nothing to remove.
    async fn clean_up(&self, should_be_clean: bool) -> anyhow::Result<()> {
        let Some(id) = self.state.existing_id()? else { return Ok(()) };
        let left = worker::purge(&id, true).await?;
        let more = worker::purge(&id, true).await?;
        let folder = self.state.folder().display();
        self.state.remove().with_context(|| format!("cannot remove {folder}"))?;
        ensure!(more == Purged::default(), "could not remove everything labelled {id}");
        let is_clean = left == Purged::default();
        ensure!(
            is_clean || !(self.is_check && should_be_clean),
            "the deleted space left {} containers, {} networks and {} volumes",
            left.containers,
            left.networks,
            left.volumes
        );
        Ok(())
    }

    fn what_to_try(&self, stack: &Stack, space: &SpaceView, wallet: &Path) -> String {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("spaceport"));
        let (program, wallet) = (program.display(), wallet.display());
        let (edge, gateway, name) = (stack.edge_url(), stack.gateway_url(), &space.name);
        let end = if self.goes {
            "Ctrl-C ends it and removes everything."
        } else {
            "Ctrl-C ends it; the spaces run on."
        };
        format!(
            "{TITLE}: {url}/\n\n\
             Open it in a browser, or:\n  \
             curl -H 'Host: {host}' {gateway}/\n\n\
             In another terminal:\n  \
             export SPACEPORT_EDGE={edge} SPACEPORT_WALLET={wallet}\n  \
             {program} spaces list\n  \
             {program} spaces logs {name}\n  \
             {program} spaces create my-garden --app {APP} --title 'My garden'\n  \
             {program} spaces delete {name}\n\n{end}",
            url = space.url,
            host = space.url.trim_start_matches("http://"),
        )
    }
}

/// A new space, when it answers.
async fn provision(api: &Api) -> anyhow::Result<SpaceView> {
    let name = format!("demo-{}", random::hex::<4>()?);
    let body = json!({ "name": name, "app": APP, "title": TITLE });
    let space = api.send(Method::POST, "/v1/spaces", Some(&body)).await?;
    let space: SpaceView = api.read(space).await?;
    output::note(format!("making {name}"));
    wait_for(api, &space.id, Goal::Running).await?;
    Ok(api.get(&format!("/v1/spaces/{}", space.id)).await?)
}

/// Looks at the space as a visitor does, through the gateway.
async fn see_page(stack: &Stack, space: &SpaceView) -> anyhow::Result<()> {
    let gateway = Url::parse(&stack.gateway_url())?;
    let address = Url::parse(&space.url).context("the space has no address")?;
    let request = http_client(&gateway)?.get(gateway).header(header::HOST, address.authority());
    let answer = request.send().await.context("the gateway does not answer")?;
    let status = answer.status();
    ensure!(status == StatusCode::OK, "{} answers {status}", space.url);
    let page = answer.text().await.context("the page breaks off")?;
    ensure!(page.contains(TITLE), "the page of {} does not show its title", space.url);
    Ok(())
}
