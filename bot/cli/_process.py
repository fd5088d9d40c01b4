"""The bot and its web server as one running thing: for `serve` in the foreground, for the demo in a thread."""

import asyncio
import threading
from time import monotonic

import uvicorn
from fastapi import FastAPI

from bot.app import Bot, Parts
from bot.cli._memory import SET_ASIDE_EVERY, set_aside
from bot.reconcile.rota import Duty
from bot.web.composition import web_app
from bot.web.health import Readiness
from bot.web.server import listen, serve


def serve_forever(parts: Parts) -> None:
    """Serve until SIGTERM or SIGINT, then leave in order."""
    settings = parts.settings
    bot = Bot(parts)
    bot.background.duties.append(Duty("memory", SET_ASIDE_EVERY, set_aside, due=monotonic() + SET_ASIDE_EVERY.total_seconds()))
    readiness = Readiness()
    app = web_app(bot, readiness)
    set_aside()  # before anybody waits for an answer
    listener = listen(settings.listen_host, settings.listen_port)
    try:
        serve(app, readiness, listener, started=lambda: _start(bot, app), drain_seconds=settings.drain_seconds)
    finally:
        _stop(bot, app)


def _start(bot: Bot, app: FastAPI) -> None:
    bot.start()
    app.state.slack.start()
    if app.state.aside is not None:
        app.state.aside.start()


def _stop(bot: Bot, app: FastAPI) -> None:
    app.state.slack.stop()
    bot.stop()
    if app.state.aside is not None:
        app.state.aside.stop()


class Served:
    """A bot that serves from a thread of this process; `url` is known from the start."""

    def __init__(self, parts: Parts) -> None:
        self.bot = Bot(parts)
        self._readiness = Readiness()
        self._app = web_app(self.bot, self._readiness)
        self._listener = listen(parts.settings.listen_host, parts.settings.listen_port)
        host, port = self._listener.getsockname()[:2]
        self.url = f"http://{host}:{port}"
        self.aside_url: str | None = self._app.state.aside.url if self._app.state.aside is not None else None
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        self._thread = threading.Thread(target=self._run, name="bot-web", daemon=True)

    def start(self) -> None:
        """Begin to run stages, then to take requests."""
        _start(self.bot, self._app)
        self._thread.start()
        self._readiness.ready()

    def stop(self) -> None:
        """Take no more requests, end what is under way, close everything."""
        self._readiness.stopping()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        _stop(self.bot, self._app)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))
