"""Names: a new space's first visit by HTTPS through Caddy, and its route in Traefik.

Both stand in front of one installation, configured as docs/proxies has it, with other ports and Caddy's own
certificate authority. So what is measured is ours and the proxies', not the internet's: a certificate of a
public authority takes some seconds.
"""

import contextlib
import http.client
import os
import re
import secrets
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from common import PERIOD_S, ROOT, Spaceport, machine, need, p95, request, say, table, until

N_SPACES = 20
BASE = "spaces.test"
TOOLS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "spaceport/tools/pypi/bin")


class Named(Spaceport):
    """An installation that visitors reach by HTTPS."""

    def start(self):
        self.command += ["--gateway-url", f"https://gateway.{BASE}"]
        super().start()


class Proxy:
    """A proxy of docs/proxies, until its block ends."""

    def __init__(self, spaceport):
        self.folder = Path(tempfile.mkdtemp(prefix="spaceport-bench-proxy-"))
        self.port, self.plain, self.api = free_port(), free_port(), free_port()
        self.edge, self.gateway = spaceport.edge, spaceport.gateway
        (self.folder / "dynamic").mkdir()
        environment = dict(os.environ, HOME=str(self.folder), XDG_DATA_HOME=str(self.folder),
                           XDG_CONFIG_HOME=str(self.folder))
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(self.command(), env=environment, cwd=self.folder,
                                            stdout=log, stderr=log)
        until(self.listens)

    def listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def config(self, name, to, changes):
        """A file of docs/proxies with some of it changed, all of which must be there."""
        text = (ROOT / "docs/proxies" / name).read_text()
        changes = {"127.0.0.1:3000": host_of(self.edge), "127.0.0.1:8080": host_of(self.gateway)} | changes
        for old, new in changes.items():
            if old not in text:
                raise RuntimeError(f"{name} has no {old!r}")
            text = text.replace(old, new)
        (self.folder / to).write_text(text)
        return self.folder / to

    def context(self):
        """Takes every certificate."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def visit(self, name):
        """GETs the page of a space on a new connection: the status, ms of the handshake, ms of it all."""
        host = f"{name}.{BASE}"
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected = time.monotonic()
            with self.context().wrap_socket(plain, server_hostname=host) as secured:
                shaken = time.monotonic()
                connection = http.client.HTTPConnection(host)
                connection.sock = secured
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
        return response.status, (shaken - connected) * 1000, (time.monotonic() - start) * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        subprocess.run(["rm", "-rf", self.folder], check=True)


class Caddy(Proxy):
    def command(self):
        options = (f"\n{{\n\tadmin off\n\tpersist_config off\n\tskip_install_trust\n\tlocal_certs\n"
                   f"\tdefault_bind 127.0.0.1\n\thttps_port {self.port}\n\thttp_port {self.plain}\n")
        file = self.config("Caddyfile", "Caddyfile", {"example.org": BASE, "\n{\n": options})
        return [TOOLS / "caddy", "run", "--adapter", "caddyfile", "--config", file]

    def context(self):
        return ssl.create_default_context(cafile=self.folder / "caddy/pki/authorities/local/root.crt")


class Traefik(Proxy):
    def command(self):
        self.config("traefik-edge.yaml", "dynamic/edge.yaml", {"example.org": BASE})
        # To be asked what it knows.
        api = f'api:\n  insecure: true\nentryPoints:\n  traefik:\n    address: "127.0.0.1:{self.api}"\n'
        file = self.config("traefik.yaml", "traefik.yaml", {
            '":443"': f'"127.0.0.1:{self.port}"', '":80"': f'"127.0.0.1:{self.plain}"',
            "/etc/traefik/dynamic": str(self.folder / "dynamic"), "entryPoints:\n": api,
        })
        return [TOOLS / "traefik", f"--configFile={file}"]

    def listens(self):
        # It listens before it has a certificate.
        with contextlib.suppress(OSError):
            return self.visit("nobody")[0] == 404
        return False

    def has_route(self, name):
        url = f"http://127.0.0.1:{self.api}"
        return request(url, "GET", f"/api/http/routers/space-{name}@http")[0] == 200


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def host_of(url):
    return re.sub("^http://", "", url)


def new_space(spaceport, caddy, traefik, took):
    """Makes a space, visits it both ways, and removes it."""
    name = f"bench-{secrets.token_hex(4)}"
    start = time.monotonic()
    space = spaceport.create("hello", name)
    looks = {
        "a page at the gateway": lambda: at_gateway(spaceport, name) == 200,
        "a route in Traefik": lambda: traefik.has_route(name),
        "a page through Traefik": lambda: traefik.visit(name)[0] == 200,
    }
    seen = first(looks, start)
    for what, ms in seen.items():
        took[f"from the wish to {what}"].append(ms)
    for visit in ("first", "second"):
        status, handshake, total = caddy.visit(name)
        if status != 200:
            raise RuntimeError(f"{name}: {status} through Caddy")
        took[f"the {visit} visit through Caddy: its handshake"].append(handshake)
        took[f"the {visit} visit through Caddy: all of it"].append(total)
    spaceport.wait_for(space, "running")
    start = time.monotonic()
    spaceport.call("DELETE", f"/v1/spaces/{space['id']}")
    until(lambda: not traefik.has_route(name))
    took["from the delete to no route in Traefik"].append((time.monotonic() - start) * 1000)
    spaceport.wait_for(space, "deleted")


def at_gateway(spaceport, name):
    return request(spaceport.gateway, "GET", "/", {"host": f"{name}.{BASE}"})[0]


def first(looks, start):
    """When each of the looks was true first, in ms."""
    seen = {}
    while len(seen) < len(looks):
        for what, look in looks.items():
            if what not in seen and look():
                seen[what] = (time.monotonic() - start) * 1000
        time.sleep(PERIOD_S)
    return seen


def main():
    need("docker", "node", "npm")
    if not (TOOLS / "caddy").exists():
        raise SystemExit("install first: scripts/setup --tests")
    machine()
    names = ["from the wish to a page at the gateway", "from the wish to a route in Traefik",
             "from the wish to a page through Traefik", "from the delete to no route in Traefik"]
    names += [f"the {visit} visit through Caddy: {part}" for visit in ("first", "second")
              for part in ("its handshake", "all of it")]
    took = {name: [] for name in names}
    with Named(variables={"base_domain": BASE}) as spaceport:
        with Caddy(spaceport) as caddy, Traefik(spaceport) as traefik:
            for run in range(N_SPACES):
                say(f"{run + 1}/{N_SPACES}")
                new_space(spaceport, caddy, traefik, took)
    rows = [[name, f"{statistics.median(it):.0f}", f"{p95(it):.0f}"] for name, it in took.items()]
    table([f"`hello`, ms, n={N_SPACES}", "median", "p95"], rows)
