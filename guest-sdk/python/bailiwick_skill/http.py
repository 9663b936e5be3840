"""Requests: `http` among the permissions of the manifest.

Redirects are not followed: `Response.header("location")` says where one leads, and a
request there is a new one, which the host checks again. A secret is written as
`{{secret:NAME}}` in the value of a header; the host puts it in, and the skill never
sees it.
"""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from . import _host

TIMEOUT = 10.0
"""Seconds for a whole exchange, unless said otherwise."""
MAX_BYTES = 4 * 1024 * 1024
"""The largest body, unless said otherwise."""

# How much is asked of a body at once.
_CHUNK = 64 * 1024


class HttpError(_host.HostError):
    """Why there is no response. `kind` is `denied`, where no grant covers the request,
    `invalid-request`, `timeout`, `connection`, `tls`, `too-large` or `protocol`."""


@dataclass
class Response:
    """What a server answered. Statuses of failure are answers too."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status <= 299

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json_module.loads(self.body)


def get(url: str, **options: Any) -> Response:
    """A GET request; see `request`."""
    return request("GET", url, **options)


def post(
    url: str, body: bytes | str = b"", *, json: Any = None, headers: Mapping[str, str] | None = None, **options: Any
) -> Response:
    """A POST request of a body, or of JSON; see `request`."""
    if json is not None:
        body = json_module.dumps(json)
        headers = {"content-type": "application/json", **(headers or {})}
    return request("POST", url, body=body, headers=headers, **options)


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    timeout: float = TIMEOUT,
    max_bytes: int = MAX_BYTES,
) -> Response:
    """Sends a request and waits for the whole response, at most `timeout` seconds. The
    URL is absolute and percent-encoded. Raises `HttpError`."""
    raw = body.encode() if isinstance(body, str) else body
    exchange = _Exchange(method.upper(), url, timeout)
    return exchange.run(dict(headers or {}), raw, max_bytes)


class _Exchange:
    """One request and its response, in the terms of `wasi:http`."""

    def __init__(self, method: str, url: str, timeout: float):
        parts = urlsplit(url)
        self._method = method
        self._authority = parts.netloc
        self._timeout = timeout
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
            raise self._error("invalid-request", f"`{url}` is no absolute URL of http or https without credentials")
        self._is_tls = parts.scheme == "https"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._types = _host.bindings("wasi_http_types")
        self._streams = _host.bindings("wasi_io_streams")

    def run(self, headers: dict[str, str], body: bytes | None, max_bytes: int) -> Response:
        clock = _host.bindings("wasi_clocks_monotonic")
        with clock.subscribe_duration(int(self._timeout * 1e9)) as deadline:
            self._deadline = deadline
            outgoing = self._outgoing(headers, body)
            sink = self._try(outgoing.body) if body else None
            handler = _host.bindings("wasi_http_handler")
            with self._try(handler.handle, outgoing, self._options()) as future:
                if sink is not None:
                    self._write(sink, body or b"")
                with self._head(future) as incoming:
                    return self._response(incoming, max_bytes)

    def _outgoing(self, headers: dict[str, str], body: bytes | None) -> Any:
        types = self._types
        fields = types.Fields()
        if body is not None and not any(name.lower() == "content-length" for name in headers):
            headers["content-length"] = str(len(body))
        for name, value in headers.items():
            self._try(fields.append, name, value.encode(), what=f"the header `{name}`")
        outgoing = types.OutgoingRequest(fields)
        known = getattr(types, f"Method_{self._method.capitalize()}", None)
        self._try(outgoing.set_method, known() if known else types.Method_Other(self._method), what="the method")
        self._try(outgoing.set_scheme, types.Scheme_Https() if self._is_tls else types.Scheme_Http(), what="the scheme")
        self._try(outgoing.set_authority, self._authority, what="the authority")
        self._try(outgoing.set_path_with_query, self._path, what="the path")
        return outgoing

    def _options(self) -> Any:
        options = self._types.RequestOptions()
        within = int(self._timeout * 1e9)
        for setting in (options.set_connect_timeout, options.set_first_byte_timeout, options.set_between_bytes_timeout):
            self._try(setting, within)
        return options

    def _write(self, sink: Any, body: bytes) -> None:
        """Sends the body. A server may answer before it has all of it, so a stream that
        breaks is no error: the response decides."""
        from componentize_py_types import Err

        try:
            with sink.write() as stream:
                while body:
                    room = self._ready(stream, stream.check_write)
                    stream.write(body[:room])
                    body = body[room:]
                stream.flush()
                self._ready(stream, stream.check_write)
        except Err:
            return
        self._try(self._types.OutgoingBody.finish, sink, None)

    def _ready(self, stream: Any, ask: Any) -> int:
        """How much may be written, once something may."""
        while True:
            room = ask()
            if room:
                return room
            with stream.subscribe() as writable:
                self._wait(writable)

    def _head(self, future: Any) -> Any:
        from componentize_py_types import Ok

        while True:
            answer = future.get()
            if answer is None:
                with future.subscribe() as arrived:
                    self._wait(arrived)
                continue
            if not isinstance(answer, Ok):
                raise self._error("protocol", "the response was taken already")
            if isinstance(answer.value, Ok):
                return answer.value.value
            raise self._coded(answer.value.value)

    def _response(self, incoming: Any, max_bytes: int) -> Response:
        with incoming.headers() as fields:
            headers = [(name, value.decode("utf-8", "replace")) for name, value in fields.entries()]
        response = Response(incoming.status(), headers)
        if self._method == "HEAD":
            return response
        with self._try(incoming.consume) as body, self._try(body.stream) as stream:
            response.body = self._read(stream, max_bytes)
        return response

    def _read(self, stream: Any, max_bytes: int) -> bytes:
        from componentize_py_types import Err

        found = bytearray()
        while len(found) <= max_bytes:
            with stream.subscribe() as readable:
                self._wait(readable)
            try:
                # One byte more than the limit is enough to know that it was passed.
                found += stream.read(min(_CHUNK, max_bytes + 1 - len(found)))
            except Err as ended:
                if isinstance(ended.value, self._streams.StreamError_Closed):
                    return bytes(found)
                with ended.value.value as error:
                    code = self._types.http_error_code(error)
                    raise (
                        self._coded(code) if code is not None else self._error("protocol", error.to_debug_string())
                    ) from None
        raise self._error("too-large", f"the body has more than {max_bytes} bytes")

    def _wait(self, event: Any) -> None:
        """Waits for an event, or until the time is up. The deadline goes first, so that
        a server which always has one more byte can't outlast it."""
        if 0 in _host.bindings("wasi_io_poll").poll([self._deadline, event]):
            raise self._error("timeout", f"not finished within {self._timeout:g} s")

    def _try(self, function: Any, *arguments: Any, what: str = "the request") -> Any:
        from componentize_py_types import Err

        try:
            return function(*arguments)
        except Err as failed:
            if failed.value is None or type(failed.value).__name__.startswith("HeaderError"):
                raise self._error("invalid-request", f"the host doesn't take {what}") from None
            raise self._coded(failed.value) from None

    def _coded(self, code: Any) -> HttpError:
        """The error of an error code, whose class is called `ErrorCode_DnsTimeout`."""
        name = type(code).__name__.partition("_")[2].lower()
        detail = getattr(code, "value", None)
        words = _host.raised(HttpError, "", code).kind.replace("-", " ")
        return self._error(_kind(name), words if detail is None else f"{words}: {detail}")

    def _error(self, kind: str, detail: str) -> HttpError:
        return HttpError(f"{self._method} {self._authority}".rstrip(), kind, detail)


def _kind(name: str) -> str:
    """The kind of a code of `wasi:http`, by its name without hyphens."""
    if name in ("httprequestdenied", "destinationipprohibited"):
        return "denied"
    if name.endswith("timeout"):
        return "timeout"
    if name.startswith("httpresponse") and name.endswith("size"):
        return "too-large"
    for start, kind in (
        ("tls", "tls"),
        ("httprequest", "invalid-request"),
        ("dns", "connection"),
        ("destination", "connection"),
        ("connection", "connection"),
    ):
        if name.startswith(start):
            return kind
    return "protocol"
