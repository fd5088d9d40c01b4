"""A Slack account is tied to a GitHub account only with a proof of both: stolen, used, old and foreign links tie nobody."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.adapters.github.oauth import OAuthClient
from bot.web import link_page
from bot.web.health import Readiness
from bot.web.server import create_app
from tests.contract.slack.slack_world import CHANNEL, SlackWorld
from tests.support.far_side import Asked, FarSide, answer, far_side
from tests.support.web import served


class GitHub:
    """GitHub's sign-in as the flow needs it: each code is good once and stands for an account."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.accounts: dict[str, int] = {}

    def handle(self, asked: Asked, connection: object) -> None:
        if asked.path == "/login/oauth/access_token":
            given = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            login = self.codes.pop(given["code"], "") if given["client_secret"] == "shh" else ""
            body = {"access_token": f"gho_{login}"} if login else {"error": "bad_verification_code"}
        else:
            login = asked.headers["authorization"].removeprefix("Bearer gho_")
            body = {"login": login, "id": self.accounts[login], "type": "User"}
        connection.sendall(answer(json.dumps(body).encode(), content_type="application/json"))  # type: ignore[attr-defined]


class LinkWorld:
    def __init__(self, world: SlackWorld, github: GitHub, url: str) -> None:
        self.world, self.github, self.url = world, github, url

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, follow_redirects=False, timeout=10)

    def link(self, user: str = "nobody") -> str:
        """The link that Slack shows to a user."""
        before = len(self.world.answers(user))
        self.world.slack.slash(user, CHANNEL, "/promote", "link")
        found = re.search(r"<(http[^|>]+)\|", self.world.answer(user, after=before))
        assert found is not None
        return urlsplit(found[1]).path

    def signed_in(self, browser: httpx.Client, path: str, login: str = "ana") -> str:
        """Presses the button and signs in as an account; the word that the page shows."""
        sent = browser.post(path)
        assert sent.status_code == 303
        state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
        self.github.codes["c1"] = login
        page = browser.get(link_page.BACK, params={"code": "c1", "state": state})
        found = re.search(r"/promote link ([A-Z0-9]{8})", page.text)
        assert found is not None, page.text
        return found[1]

    def say(self, user: str, text: str) -> str:
        before = len(self.world.answers(user))
        self.world.slack.slash(user, CHANNEL, "/promote", text)
        return self.world.answer(user, after=before)


@pytest.fixture
def linked(world: SlackWorld) -> Iterator[LinkWorld]:
    github = GitHub()
    ana = world.forge.account("ana")
    assert ana is not None
    github.accounts = {"ana": ana, "eve": 999_999}
    with far_side(github.handle) as far:
        yield from _served(world, github, far)


def _served(world: SlackWorld, github: GitHub, far: FarSide) -> Iterator[LinkWorld]:
    client = OAuthClient(url=far.url, api_url=far.url, client_id="Iv1.x", client_secret="shh")
    external = "http://bot.test"
    pages = link_page.router(world.ties, client, external=external, clock=world.clock)
    world.linking = link_page.Linking(world.ties, world.history, external=external, clock=world.clock)
    with served(create_app([pages], readiness=Readiness())) as url, world.by_http():
        yield LinkWorld(world, github, url)


def test_a_proof_of_both_ties_and_from_then_on_the_command_counts(linked: LinkWorld) -> None:
    promotion = linked.world.opened()
    assert "nobody knows" in linked.say("nobody", f"approve #{promotion.number}")
    with linked.browser() as browser:
        path = linked.link()
        assert "Sign in with GitHub" in browser.get(path).text
        word = linked.signed_in(browser, path)
    assert "now counts as" in linked.say("nobody", f"link {word.lower()}")
    assert "Approved" in linked.say("nobody", f"approve #{promotion.number}")
    assert linked.world.orders()[0].actor.login == "ana"


def test_c7_a_link_works_once(linked: LinkWorld) -> None:
    with linked.browser() as browser, linked.browser() as thief:
        path = linked.link()
        assert [browser.get(path).status_code for _ in range(3)] == [200, 200, 200], "looking used it up"
        linked.signed_in(browser, path)
        assert thief.post(path).status_code == 400
        assert thief.get(path).status_code == 400


def test_c7_a_link_is_good_for_ten_minutes(linked: LinkWorld) -> None:
    with linked.browser() as browser:
        path = linked.link()
        linked.world.clock.shift = timedelta(minutes=10, seconds=2)
        assert browser.get(path).status_code == 400
        assert browser.post(path).status_code == 400


def test_c7_the_way_back_is_bound_to_the_browser_that_went(linked: LinkWorld) -> None:
    with linked.browser() as thief, linked.browser() as victim:
        sent = thief.post(linked.link())
        state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
        linked.github.codes["c1"] = "ana"
        assert victim.get(link_page.BACK, params={"code": "c1", "state": state}).status_code == 400
        assert victim.get(link_page.BACK, params={"code": "c1", "state": ""}).status_code == 400
        assert thief.get(link_page.BACK, params={"code": "c1", "state": "x" * 32}).status_code == 400
    assert "c1" in linked.github.codes, "a code was spent for a browser that never went"


def test_c7_a_victim_who_is_lured_to_a_strangers_link_ties_nothing_without_giving_the_word_away(linked: LinkWorld) -> None:
    promotion = linked.world.opened()
    path = linked.link("nobody")
    with linked.browser() as victim:
        linked.signed_in(victim, path, "ana")
    for guess in ("AAAAAAAA", "BBBBBBBB", "CCCCCCCC", "DDDDDDDD", "EEEEEEEE", "FFFFFFFF"):
        assert "Nothing was tied" in linked.say("nobody", f"link {guess}")
    assert "nobody knows" in linked.say("nobody", f"approve #{promotion.number}")
    assert linked.world.orders() == []


def test_c7_only_who_began_can_end_it(linked: LinkWorld) -> None:
    linked.world.users["other"] = linked.world.slack.add_user("other")
    with linked.browser() as browser:
        word = linked.signed_in(browser, linked.link("nobody"))
    assert "Nothing was tied" in linked.say("other", f"link {word}")
    assert "now counts as" in linked.say("nobody", f"link {word}")
    assert "Nothing was tied" in linked.say("nobody", f"link {word}"), "a word was used twice"


def test_five_wrong_words_end_it(linked: LinkWorld) -> None:
    with linked.browser() as browser:
        word = linked.signed_in(browser, linked.link())
    for _ in range(5):
        linked.say("nobody", "link WRONGONE")
    assert "Nothing was tied" in linked.say("nobody", f"link {word}")


@pytest.mark.parametrize("code", ["", "spent", "a b", "x" * 300, "<script>"])
def test_a_code_that_github_does_not_take_is_400(linked: LinkWorld, code: str) -> None:
    with linked.browser() as browser:
        sent = browser.post(linked.link())
        state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
        page = browser.get(link_page.BACK, params={"code": code, "state": state})
        assert page.status_code == 400
        assert "<script>" not in page.text


def test_the_pages_keep_to_themselves(linked: LinkWorld) -> None:
    with linked.browser() as browser:
        path = linked.link()
        page = browser.get(path)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        cookie = browser.post(path).headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie


def test_who_stands_on_the_administrators_map_needs_no_link(linked: LinkWorld) -> None:
    assert "administrator has written down" in linked.say("ana", "link")
