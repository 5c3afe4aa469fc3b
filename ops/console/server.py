"""The console's pages as an ASGI application."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ops.console.access import Access
from ops.console.few_at_a_time import few_at_a_time
from ops.console.forms import FORM, Forms
from ops.console.guard import Guard
from ops.console.registry import HIDDEN, SCREENS
from ops.console.rendering import FOLDER, environment
from ops.console.screen import Action, Answer, Done, Download, Elsewhere, Page, Screen, ScreenRequest, View
from ops.errors import Exit, OperatorError
from ops.options import MAX_REASON_CHARS
from ops.session import Session

_MAX_BODY_BYTES: Final = 1_000_000
_MAX_FIELDS: Final = 100
_ENTRY: Final = "/enter"
_STATUSES: Final = {Exit.USAGE: 422, Exit.REFUSED: 409, Exit.UNAVAILABLE: 503, Exit.NO_ACCESS: 403}
_NOT_FOUND: Final = "(not_found)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """One console. `host` is `127.0.0.1:port`; requests for any other are refused."""

    session: Session
    may_write: bool
    host: str
    access: Access = field(default_factory=Access)
    forms: Forms = field(default_factory=Forms)
    templates: Environment = field(default_factory=environment)

    @property
    def is_production(self) -> bool:
        """Production asks for one thing more, and looks different."""
        return self.session.environment.startswith("prod")

    @property
    def address(self) -> str:
        """The address to open. It works once."""
        return f"http://{self.host}{_ENTRY}?{urlencode({'token': self.access.token})}"


def application(console: Console) -> ASGIApp:
    """Routes of all screens behind the guard."""
    console.session.find_invoker = few_at_a_time(console.session.find_invoker)
    return _Pages(console).application()


class _Pages:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._cookie = f"payflowx_console_{console.host.rpartition(':')[2]}"
        self._character_keys = True

    def application(self) -> ASGIApp:
        """The guard stands before everything, so that answers to defects have its headers, too."""
        routes: list[Route | Mount] = [
            Route(_ENTRY, self._enter, methods=["GET"]),
            Route("/keys", self._admitted(self._set_keys), methods=["POST"]),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ]
        for screen in (*SCREENS, *HIDDEN):
            routes += [Route(view.path, self._viewed(screen, view), methods=["GET"]) for view in screen.views]
            routes += [Route(view.path, self._asked(screen, view), methods=["POST"]) for view in screen.questions]
            routes += [Route(action.path, self._acted(screen, action), methods=["POST"]) for action in screen.actions]
        routes.append(Route("/help", self._viewed(None, View("/help", _help)), methods=["GET"]))
        routes.append(Route("/{rest:path}", self._admitted(self._missing), methods=["GET", "POST"]))
        pages = Starlette(routes=routes, exception_handlers={Exception: self._defect})
        return Guard(pages, host=self._console.host)

    # -- entering

    async def _enter(self, request: Request) -> Response:
        """Following a redirect is the browser's own navigation, so the strict cookie arrives with it."""
        if self._is_admitted(request):
            return RedirectResponse("/", 303)
        session = self._console.access.enter(request.query_params.get("token", ""))
        if session is None:
            return self._closed()
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, session, httponly=True, samesite="strict", path="/")
        return answer

    def _is_admitted(self, request: Request) -> bool:
        return self._console.access.admits(request.cookies.get(self._cookie))

    def _closed(self) -> Response:
        return HTMLResponse(self._console.templates.get_template("closed.html").render(), 403)

    def _admitted(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def admitted(request: Request) -> Response:
            return await answer(request) if self._is_admitted(request) else self._closed()

        return admitted

    # -- views

    def _viewed(self, screen: Screen | None, view: View) -> Callable[[Request], Awaitable[Response]]:
        async def viewed(request: Request) -> Response:
            asked = self._request(request)
            return await run_in_threadpool(self._shown, screen, view.show, asked)

        return self._admitted(viewed)

    def _asked(self, screen: Screen, view: View) -> Callable[[Request], Awaitable[Response]]:
        """A view that is asked for by a form of this session. It may be sent again."""

        async def asked(request: Request) -> Response:
            question = self._request(request)
            try:
                question = replace(question, form=await _form(request))
                self._nonce(question.form, question)
            except OperatorError as error:
                fault = error
                return await run_in_threadpool(self._shown, screen, lambda _: _fault_page(fault), question)
            return await run_in_threadpool(self._shown, screen, view.show, question)

        return self._admitted(asked)

    def _request(self, request: Request) -> ScreenRequest:
        query = {name: _typed(value) for name, value in request.query_params.items()}
        return ScreenRequest(
            session=self._console.session,
            may_write=self._console.may_write,
            at=request.url.path,
            path=dict(request.path_params),
            query=query,
            done=self._console.forms.done(query.get("done", "")),
        )

    def _shown(self, screen: Screen | None, show: Callable[[ScreenRequest], Answer], asked: ScreenRequest) -> Response:
        try:
            answer = show(asked)
        except OperatorError as error:
            answer = _fault_page(error)
        match answer:
            case Download():
                disposition = f'attachment; filename="{answer.name}"'
                return StreamingResponse(
                    answer.content, headers={"Content-Disposition": disposition}, media_type=answer.content_type
                )
            case Elsewhere():
                return RedirectResponse(answer.location, 303)
            case Page():
                return HTMLResponse(self._rendered(screen, answer, asked), answer.status)

    def _rendered(self, screen: Screen | None, page: Page, asked: ScreenRequest) -> str:
        return self._console.templates.get_template(page.template).render(
            **page.values,
            page=page,
            screen=screen,
            screens=SCREENS,
            request=asked,
            console=self._console,
            form_field=partial(self._console.forms.new, self._console.access),
            character_keys=self._character_keys,
        )

    # -- actions

    def _acted(self, screen: Screen, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def acted(request: Request) -> Response:
            asked = self._request(request)
            try:
                asked = replace(asked, form=await _form(request))
            except OperatorError as error:
                return await run_in_threadpool(self._again, screen, action, asked, error)
            return await run_in_threadpool(self._carried_out, screen, action, asked)

        return self._admitted(acted)

    def _carried_out(self, screen: Screen, action: Action, asked: ScreenRequest) -> Response:
        try:
            nonce = self._nonce(asked.form, asked)
            self._check(action, asked)
            outcome = self._console.forms.once(nonce, lambda: action.run(asked))
        except OperatorError as error:
            return self._again(screen, action, asked, error)
        if isinstance(outcome, OperatorError):
            return self._again(screen, action, asked, outcome)
        return RedirectResponse(_with_result(outcome, nonce), 303)

    def _nonce(self, form: Mapping[str, str], asked: ScreenRequest) -> str:
        return self._console.forms.nonce(self._console.access, form.get(FORM, ""), asked.at)

    def _check(self, action: Action, asked: ScreenRequest) -> None:
        """Raises `OperatorError` when the form may not be carried out."""
        if not (asked.may_write or action.is_access):
            raise OperatorError(
                "This console only reads.", Exit.REFUSED, hint="Start it with --write to change something."
            )
        if not 1 <= len(asked.form.get("reason", "")) <= MAX_REASON_CHARS:
            raise OperatorError(f"Say why, in 1 to {MAX_REASON_CHARS} characters.", Exit.USAGE)
        environment_name = self._console.session.environment
        if self._console.is_production and asked.form.get("environment") != environment_name:
            raise OperatorError(f"Type {environment_name} to confirm that production is meant.", Exit.USAGE)

    def _again(self, screen: Screen, action: Action, asked: ScreenRequest, error: OperatorError) -> Response:
        answer = self._shown(screen, action.shown_by, replace(asked, fault=error))
        if answer.status_code == 200:
            answer.status_code = _status(error)
        return answer

    # -- settings and the rest

    async def _defect(self, _request: Request, _error: Exception) -> Response:
        """Starlette raises the error again afterwards, so that its trace is in the terminal."""
        return HTMLResponse(self._console.templates.get_template("defect.html").render(), 500)

    async def _set_keys(self, request: Request) -> Response:
        """Character keys can be turned off, as WCAG 2.1.4 asks. The setting lasts as long as the process."""
        asked = self._request(request)
        try:
            form = await _form(request)
            self._nonce(form, asked)
        except OperatorError as error:
            fault = error
            return await run_in_threadpool(self._shown, None, lambda _: _fault_page(fault), asked)
        self._character_keys = form.get("keys") == "on"
        return RedirectResponse("/help", 303)

    async def _missing(self, request: Request) -> Response:
        def missing(_request: ScreenRequest) -> Page:
            return Page(template="missing.html", title="No such page", status=404)

        return await run_in_threadpool(self._shown, None, missing, self._request(request))


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, without spaces around them. Raises `OperatorError` for what no form of ours sends."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise OperatorError("The form is larger than 1 MB.", Exit.USAGE)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, strict_parsing=True)
    except ValueError:
        raise OperatorError("The form cannot be read.", Exit.USAGE) from None
    return {name: _typed(value) for name, value in fields}


def _typed(value: str) -> str:
    """Without spaces around it, and without controls that could turn or hide the text beside it; lines stay lines.

    Browsers end the lines of a form's field with CR and LF.
    """
    lines = value.strip().replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in lines if char.isprintable() or char in "\n\t")


def _with_result(done: Done, nonce: str) -> str:
    separator = "&" if "?" in done.location else "?"
    return f"{done.location}{separator}{urlencode({'done': nonce})}"


def _status(error: OperatorError) -> int:
    if _NOT_FOUND in error.hint:
        return 404
    return _STATUSES.get(Exit(error.exit_code), 502)


def _fault_page(error: OperatorError) -> Page:
    values: dict[str, Any] = {"fault": error}
    return Page(template="fault.html", title="This did not work", values=values, status=_status(error))


def _help(_request: ScreenRequest) -> Page:
    return Page(template="help.html", title="Help")
