"""Which hooks an event goes to: the App's own, the forge-wide one, and those that were set on the repository."""

from dataclasses import dataclass

from bot.sandbox.github.access import Caller
from bot.sandbox.github.deliveries import Deliveries
from bot.sandbox.github.delivery import Target
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.state import Repository, RepositoryHook
from bot.sandbox.github.views.events import payload
from bot.sandbox.github.world import Event, World, covers

FORGE_HOOK = 1


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Turns events into deliveries. `url` is the one address that every event goes to: the App's hook once there is an App."""

    world: World
    deliveries: Deliveries
    url: str | None = None
    secret: str | None = None

    def emit(self, event: Event) -> None:
        """Queue the deliveries of one event; nothing is built where nobody listens."""
        targets = self.targets(event)
        if not targets:
            return
        body = payload(self.world, event)
        for target in targets:
            own = body if target.kind == "integration" else {key: value for key, value in body.items() if key != "installation"}
            self.deliveries.offer(target, event.name, own)

    def targets(self, event: Event) -> list[Target]:
        """Every hook that asked for this event."""
        found = []
        repository = event.repository
        if self.url:
            found += self._forge_wide(event, repository)
        if repository is not None:
            wanted = [hook.id for hook in repository.hooks.values() if hook.active and ("*" in hook.events or event.name in hook.events)]
            found += [target for target in self.targets_of(repository) if target.hook_id in wanted]
        return found

    def targets_of(self, repository: Repository) -> list[Target]:
        """The hooks that were set on a repository."""
        return [
            Target(hook_id=hook.id, url=hook.url, secret=hook.secret, kind="repository", owner_id=repository.id)
            for hook in repository.hooks.values()
        ]

    def _forge_wide(self, event: Event, repository: Repository | None) -> list[Target]:
        url = self.url or ""
        apps = list(self.world.apps.values())
        hooked = [app for app in apps if app.has_hook]
        if not hooked:
            owner = repository.id if repository else 0
            return [Target(hook_id=FORGE_HOOK, url=url, secret=self.secret, kind="repository", owner_id=owner)]
        found = []
        for app in hooked:
            seen = repository is None or any(item.app is app and covers(item, repository) for item in self.world.installations.values())
            always = event.name.startswith("installation") or event.name == "ping"
            if seen and (always or event.name in app.events):
                found.append(Target(hook_id=FORGE_HOOK, url=url, secret=self.secret, kind="integration", owner_id=app.id))
        return found

    def create(self, repository: Repository, caller: Caller, fields: dict[str, object]) -> RepositoryHook:
        """A webhook on a repository; it is greeted with a ping."""
        config = fields.get("config")
        url = config.get("url") if isinstance(config, dict) else None
        if not isinstance(config, dict) or not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise ApiError(422, "Validation Failed", errors=[{"resource": "Hook", "code": "custom", "message": "url is missing"}])
        if any(hook.url == url for hook in repository.hooks.values()):
            raise ApiError(
                422,
                "Validation Failed",
                errors=[{"resource": "Hook", "code": "custom", "message": "Hook already exists on this repository"}],
            )
        events = fields.get("events")
        hook = RepositoryHook(
            id=self.world.next_id(),
            url=url,
            secret=str(config["secret"]) if config.get("secret") else None,
            events=tuple(str(name) for name in events) if isinstance(events, list) and events else ("push",),
            active=bool(fields.get("active", True)),
            created_at=self.world.now(),
        )
        repository.hooks[hook.id] = hook
        return hook
