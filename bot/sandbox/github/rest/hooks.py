"""Webhooks and their deliveries: of an App (asked with its JWT), and of a repository (token mode)."""

from typing import Any

from bot.sandbox.github.deliveries import Deliveries
from bot.sandbox.github.delivery import Delivery
from bot.sandbox.github.errors import ApiError, not_found
from bot.sandbox.github.hooks import FORGE_HOOK, Dispatcher
from bot.sandbox.github.rest.apps import app_of
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.views.events import webhook_repository
from bot.sandbox.github.views.people import simple_user
from bot.sandbox.github.views.repos import hook_view
from bot.sandbox.github.views.times import stamp

HOOKS = "/repos/{owner}/{repo}/hooks"
ADMIN = "repository_hooks=write"


def delivery_item(delivery: Delivery) -> dict[str, Any]:
    """`hook-delivery-item`."""
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": stamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


def whole_delivery(delivery: Delivery) -> dict[str, Any]:
    """`hook-delivery`: with request and answer. The signature is shown, the secret never."""
    return delivery_item(delivery) | {
        "url": delivery.target.url,
        "request": {"headers": delivery.headers(), "payload": delivery.payload},
        "response": {"headers": {}, "payload": delivery.answer},
    }


def _cursor_page(call: Call, found: list[Delivery]) -> Answer:
    """Deliveries are paged by a cursor: the id below which the next page begins."""
    size = call.request.query.get("per_page", "30")
    count = min(max(int(size), 1), 100) if size.isdigit() else 30
    cursor = call.request.query.get("cursor", "")
    if cursor:
        number = cursor.removeprefix("v1_")
        if not number.isdigit():
            raise ApiError(400, "Invalid cursor")
        found = [item for item in found if item.id < int(number)]
    if call.request.query.get("status") == "failure":
        found = [item for item in found if 400 <= item.status_code <= 599]
    page = found[:count]
    more = len(found) > count
    link = f'<{call.world.base_url}{call.request.path}?per_page={count}&cursor=v1_{page[-1].id}>; rel="next"' if more else ""
    return Answer(body=[delivery_item(item) for item in page], headers={"link": link} if link else {})


def hook_routes(deliveries: Deliveries, dispatcher: Dispatcher) -> Routes:
    """The routes over this queue of deliveries."""
    routes = Routes()

    def of_app(call: Call) -> list[Delivery]:
        return deliveries.visible("integration", app_of(call).id)

    def of_hook(call: Call) -> list[Delivery]:
        number = call.number("hook_id")
        if number != FORGE_HOOK and number not in call.repository.hooks:
            raise not_found()
        return [item for item in deliveries.visible("repository", call.repository.id) if item.target.hook_id == number]

    def pick(call: Call, found: list[Delivery]) -> Delivery:
        number = call.number("delivery_id")
        for item in found:
            if item.id == number:
                return item
        raise not_found()

    def again(call: Call, found: list[Delivery]) -> Answer:
        deliveries.redeliver(pick(call, found).id)
        return Answer(status=202, body={})

    routes.add("GET", "/app/hook/deliveries")(lambda call: _cursor_page(call, of_app(call)))
    routes.add("GET", "/app/hook/deliveries/{delivery_id}")(lambda call: Answer(body=whole_delivery(pick(call, of_app(call)))))
    routes.add("POST", "/app/hook/deliveries/{delivery_id}/attempts")(lambda call: again(call, of_app(call)))
    routes.add("GET", HOOKS + "/{hook_id}/deliveries", needs=ADMIN, role="admin")(lambda call: _cursor_page(call, of_hook(call)))
    routes.add("GET", HOOKS + "/{hook_id}/deliveries/{delivery_id}", needs=ADMIN, role="admin")(
        lambda call: Answer(body=whole_delivery(pick(call, of_hook(call))))
    )
    routes.add("POST", HOOKS + "/{hook_id}/deliveries/{delivery_id}/attempts", needs=ADMIN, role="admin")(
        lambda call: again(call, of_hook(call))
    )

    @routes.add("GET", HOOKS, needs=ADMIN, role="admin")
    def list_hooks(call: Call) -> Answer:
        """The hooks of the repository."""
        page, links = page_of(call, list(call.repository.hooks.values()))
        return Answer(body=[hook_view(call.world, call.repository, hook) for hook in page], headers=links)

    @routes.add("POST", HOOKS, needs=ADMIN, role="admin")
    def create_hook(call: Call) -> Answer:
        """Set a hook, and ping it."""
        hook = dispatcher.create(call.repository, call.caller, call.fields)
        view = hook_view(call.world, call.repository, hook)
        target = next(item for item in dispatcher.targets_of(call.repository) if item.hook_id == hook.id)
        greeting = {
            "zen": "Keep it logically awesome.",
            "hook_id": hook.id,
            "hook": view,
            "repository": webhook_repository(call.world, call.repository),
            "sender": simple_user(call.world, call.caller.account),
        }
        deliveries.offer(target, "ping", greeting)
        return Answer(status=201, body=view, headers={"location": view["url"]})

    @routes.add("DELETE", HOOKS + "/{hook_id}", needs=ADMIN, role="admin")
    def delete_hook(call: Call) -> Answer:
        """Take a hook away."""
        if call.repository.hooks.pop(call.number("hook_id"), None) is None:
            raise not_found()
        return Answer(status=204)

    return routes
