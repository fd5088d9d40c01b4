"""The Slack sink against Slack's own client library: what a method takes, refuses and answers."""

from collections.abc import Iterator

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import SlackSandbox


@pytest.fixture
def slack() -> Iterator[SlackSandbox]:
    with SlackSandbox() as running:
        running.add_channel("releases")
        running.add_user("ana")
        yield running


@pytest.fixture
def client(slack: SlackSandbox) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url)


def test_auth_names_the_app(client: WebClient) -> None:
    answer = client.auth_test()
    assert answer["ok"]
    assert answer["bot_id"] == "B0BOT"


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
def test_wrong_tokens_are_refused(slack: SlackSandbox, token: str, error: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(f"{slack.api_url}auth.test", headers=headers, trust_env=False)
    assert answer.status_code == 200
    assert answer.json() == {"ok": False, "error": error}


def test_a_message_is_posted_updated_and_found_again(client: WebClient, slack: SlackSandbox) -> None:
    posted = client.chat_postMessage(channel="#releases", text="one", metadata={"event_type": "x", "event_payload": {"key": "k"}})
    reply = client.chat_postMessage(channel="#releases", text="two", thread_ts=posted["ts"])
    client.chat_update(channel=posted["channel"], ts=posted["ts"], text="one, changed")
    history = client.conversations_history(channel=posted["channel"], include_all_metadata=True)["messages"]
    assert [message["text"] for message in history] == ["one, changed"]
    assert history[0]["metadata"]["event_payload"] == {"key": "k"}
    assert history[0]["reply_count"] == 1
    replies = client.conversations_replies(channel=posted["channel"], ts=posted["ts"])["messages"]
    assert [message["ts"] for message in replies] == [posted["ts"], reply["ts"]]
    assert [call.method for call in slack.calls("chat.postMessage")] == ["chat.postMessage"] * 2


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#foreign", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "#releases"}, "no_text"),
        ("chat.postMessage", {"channel": "#releases", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ("chat.postMessage", {"channel": "#releases", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ("chat.update", {"channel": "#releases", "ts": "1.000001", "text": "x"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "#releases", "user": "U404", "text": "x"}, "user_not_in_channel"),
        ("views.open", {"trigger_id": "no", "view": {"type": "modal", "blocks": []}}, "invalid_trigger_id"),
        ("no.such", {}, "unknown_method"),
    ],
)
def test_refusals_are_slacks(client: WebClient, slack: SlackSandbox, method: str, arguments: dict[str, object], error: str) -> None:
    slack.add_channel("foreign", member=False)
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json=arguments)
    assert refused.value.response["error"] == error


def test_a_reaction_stands_once(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="#releases", text="x")
    client.reactions_add(channel=posted["channel"], timestamp=posted["ts"], name="eyes")
    with pytest.raises(SlackApiError, match="already_reacted"):
        client.reactions_add(channel=posted["channel"], timestamp=posted["ts"], name="eyes")


def test_a_file_is_uploaded_in_three_steps(client: WebClient, slack: SlackSandbox) -> None:
    channel = client.conversations_list()["channels"][-1]["id"]
    client.files_upload_v2(channel=channel, filename="chart.png", content=b"\x89PNG chart", title="Chart", initial_comment="see")
    message = slack.messages(channel)[-1]
    file = slack.workspace.files[message.files[0]]
    assert (message.text, file.title, file.content) == ("see", "Chart", b"\x89PNG chart")
    assert httpx.get(f"{slack.url}/files/{file.id}", trust_env=False).content == b"\x89PNG chart"


def test_pages_are_cut_by_limit_and_cursor(client: WebClient) -> None:
    for number in range(5):
        client.chat_postMessage(channel="#releases", text=str(number))
    channel = client.conversations_list()["channels"][-1]["id"]
    first = client.conversations_history(channel=channel, limit=2)
    rest = client.conversations_history(channel=channel, limit=10, cursor=first["response_metadata"]["next_cursor"])
    assert [message["text"] for message in first["messages"] + rest["messages"]] == ["4", "3", "2", "1", "0"]
    assert rest["response_metadata"]["next_cursor"] == ""


def test_faults_come_once_and_then_no_more(client: WebClient, slack: SlackSandbox) -> None:
    slack.fault("ratelimited", method="chat.postMessage", seconds=7)
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="#releases", text="x")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"
    assert client.chat_postMessage(channel="#releases", text="x")["ok"]
    assert len(slack.messages("releases")) == 1


def test_a_lost_answer_leaves_the_message(client: WebClient, slack: SlackSandbox) -> None:
    slack.fault("applied_then_500", method="chat.postMessage")
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel="#releases", text="once")
    assert [message.text for message in slack.messages("releases")] == ["once"]


def test_the_page_shows_messages_escaped(client: WebClient, slack: SlackSandbox) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*bold* <https://example.org/a|here> <script>x</script>"}}]
    client.chat_postMessage(channel="#releases", text="f", blocks=blocks)
    page = httpx.get(f"{slack.url}/?channel=releases", trust_env=False)
    assert "<b>bold</b>" in page.text
    assert '<a href="https://example.org/a" rel="noreferrer">here</a>' in page.text
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
