"""Where the URL of a new key is pasted in services that people often connect, in the page's languages. Data only; the same as in
docs/webhooks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Place(NamedTuple):
    """`{url}` stands for the URL, `{server}` for the bridge's address and `{key}` for the key."""

    service: str
    english: str
    russian: str


ANY_FILE, A_VISIT = "any_file", "a_visit"
"""Places that are no service, by the name of the text that says what they are."""
PLACES = (
    Place("Alertmanager", "receivers: webhook_configs: [{{url: {url}}}]", "receivers: webhook_configs: [{{url: {url}}}]"),
    Place("Grafana", "Contact point, type Webhook: URL", "Contact point, тип Webhook: URL"),
    Place("Uptime Kuma", "Notification, type Webhook: Post URL", "Уведомление, тип Webhook: Post URL"),
    Place("Healthchecks", "Integration Webhook: POST, the URL, body $JSON", "Интеграция Webhook: POST, адрес, тело $JSON"),
    Place("Sentry", "Internal integration: Webhook URL", "Internal integration: Webhook URL"),
    Place(
        "GitHub",
        "Settings, Webhooks: Payload URL, content type application/json",
        "Settings, Webhooks: Payload URL, content type application/json",
    ),
    Place("GitLab", "Settings, Webhooks: URL", "Settings, Webhooks: URL"),
    Place("Jira", "System, WebHooks: URL", "System, WebHooks: URL"),
    Place(
        "Apprise, matterhook",
        "Server {server}, the key (or token) is {key}",
        "Сервер {server}, ключ (или токен): {key}",
    ),
    Place(ANY_FILE, "curl -T report.pdf -H 'Filename: report.pdf' {url}", "curl -T report.pdf -H 'Filename: report.pdf' {url}"),
    Place(
        A_VISIT,
        '<img src="{url}?page=prices" width="1" height="1" alt="">',
        '<img src="{url}?page=prices" width="1" height="1" alt="">',
    ),
)


def places_for(language: str, texts: Mapping[str, str], url: str) -> list[tuple[str, str]]:
    """What is connected, and how."""
    server, _, key = url.rpartition("/in/")
    return [
        (
            texts.get(one.service, one.service),
            (one.russian if language == "ru" else one.english).format(url=url, server=server, key=key),
        )
        for one in PLACES
    ]
