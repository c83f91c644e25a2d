"""`messenger-bridge keys`: keys that allow a program to post to the public listener, or to read from it.

Works on the journal. A running daemon looks keys up at every request: changes apply at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, load_or_exit
from bridge.cli.output import as_json, fail, say, table
from bridge.policy.access_keys import DEFAULT_API_PER_MINUTE, DEFAULT_MOST_BYTES, DEFAULT_PER_MINUTE, LONGEST_OVERLAP_DAYS

if TYPE_CHECKING:
    from bridge.journal.contract import KeyStore, StoredKey
    from bridge.model.refs import ChatAddress
    from bridge.model.web_mount import KeyDirection

_MB = 1000**2
_MOST_BYTES = 2000 * _MB

keys = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Create, list, rotate and revoke keys, which let programs post to the bridge or read from it.",
)

Place = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT/END",
        help="The end, as bridge.yaml names it, or a route that has one such end.",
        show_default=False,
        autocompletion=completing.places,
    ),
]
PerMinute = Annotated[
    int | None,
    typer.Option(
        "--per-minute",
        min=1,
        max=60_000,
        help=f"The most requests a minute: {DEFAULT_PER_MINUTE}, or {DEFAULT_API_PER_MINUTE} with --api.",
        show_default=False,
    ),
]
_ROUTED = {"in": "takes messages from", "out": "sends messages to", "api": "has"}
"""What a route does that a key of that direction needs."""
KeyId = Annotated[
    str,
    typer.Argument(metavar="ID", help="A key's id, as `keys list` shows it.", show_default=False, autocompletion=completing.keys),
]


@keys.command()
def create(
    where: Place,
    posts: Annotated[bool, typer.Option("--in", help="The holder posts messages: /in/<key>.")] = False,
    reads: Annotated[bool, typer.Option("--out", help="The holder reads the messages sent to the end: /out/<key>.")] = False,
    speaks: Annotated[
        bool, typer.Option("--api", help="The holder speaks matterbridge's API: /api/<key>; ACCOUNT/* is for all ends.")
    ] = False,
    label: Annotated[str, typer.Option("--label", "-l", help="The holder's name: shown in lists, and as author.")] = "",
    form: Annotated[bool, typer.Option("--form", help="For a website's form: each visitor has a separate rate limit.")] = False,
    origins: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="SITE", help="With --form: accept only this site (https://example.com) and its scripts."),
    ] = None,
    per_minute: PerMinute = None,
    max_mb: Annotated[
        float, typer.Option("--max-mb", min=0.001, max=_MOST_BYTES / _MB, help="The largest request in MB, files included.")
    ] = DEFAULT_MOST_BYTES / _MB,
    days: Annotated[float | None, typer.Option("--days", min=0.001, max=36500, help="Expires after this many days.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Create a key. It is shown once: the bridge stores only its hash."""
    from bridge.cli.key_places import find_chat, is_routed
    from bridge.web.new_keys import make_key

    direction = _direction(posts, reads, speaks, json=json)
    if (form and not posts) or (origins and not form):
        fail("a form can only post: --form needs --in, and --origin needs --form", EX_USAGE, json=json)
    loaded = load_or_exit(config, json=json)
    chat = find_chat(loaded, where, json=json, or_all=speaks)
    now = datetime.now(UTC)
    usual = DEFAULT_API_PER_MINUTE if speaks else DEFAULT_PER_MINUTE
    limits: dict[str, Any] = {"per_minute": per_minute or usual, "most_bytes": int(max_mb * _MB)}
    until = None if days is None else now + timedelta(days=days)
    try:
        key, secret = make_key(
            chat, direction, now=now, label=label, is_form=form, origins=origins or (), valid_until=until, **limits
        )
    except ValueError as error:
        fail(str(error), EX_USAGE, json=json)
    with_journal(config, journal, lambda opened: opened.add_key(key), json=json)
    if not is_routed(loaded, chat, direction):
        say(f"warning: no route {_ROUTED[direction.value]} {chat}")
    _show_once(key.key_id, key.address, direction, secret, loaded.web.public_url, json=json)


def _direction(posts: bool, reads: bool, speaks: bool, *, json: bool) -> KeyDirection:
    """Ends the command if not exactly one is wanted."""
    from bridge.model.web_mount import KeyDirection

    if [posts, reads, speaks].count(True) != 1:
        fail("give --in (the holder posts), --out (reads) or --api (both, by matterbridge's API)", EX_USAGE, json=json)
    return KeyDirection.IN if posts else KeyDirection.OUT if reads else KeyDirection.API


def _show_once(key_id: str, chat: ChatAddress, direction: KeyDirection, secret: str, public_url: str, *, json: bool) -> None:
    from bridge.model.web_mount import KeyDirection
    from bridge.web.new_keys import url_of

    url = url_of(public_url, direction, secret)
    if json:
        as_json({"ok": True, "id": key_id, "address": str(chat), "direction": direction.value, "key": secret, "url": url})
        return
    say(f"key {key_id} for {chat} ({direction.value}), shown this once:")
    typer.echo(url or secret)
    if url and direction is KeyDirection.API:
        say(f"Programs with a setting for a token take the address {public_url} and the token {secret}")
    if not url:
        say(f"Its URL is <web.public.url>/{direction.value}/<key>: bridge.yaml has no web.public yet, so nobody can use it.")


@keys.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Include revoked and expired keys.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """List keys, oldest first. The keys themselves are not shown: only their hashes are stored."""
    found = with_journal(config, journal, lambda opened: opened.keys(), json=json)
    now = datetime.now(UTC)
    chosen = [key for key in found if everything or _state(key, now) not in ("revoked", "over")]
    if json:
        as_json({"keys": [_data(key, now) for key in chosen]})
        return
    if not chosen:
        say("no keys")
        return
    rows = [
        (
            *(key.key_id, str(key.address), key.direction.value, key.label, _kind(key), _state(key, now)),
            *(moment(key.created_at)[:10], str(key.last_used_on or "never"), f"{key.per_minute}/min"),
        )
        for key in chosen
    ]
    table(("id", "for", "may", "label", "kind", "state", "since", "last used", "rate"), rows)


@keys.command()
def rotate(
    key_id: KeyId,
    overlap_days: Annotated[
        float,
        typer.Option(
            "--overlap-days",
            min=0,
            max=LONGEST_OVERLAP_DAYS,
            help="How long the old key stays valid.",
        ),
    ] = 1.0,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Replace a key by a new one with the same id. The old one stays valid for --overlap-days."""
    from bridge.journal.contract import KeySecret
    from bridge.policy.access_keys import hash_of, new_secret

    public_url = load_or_exit(config, json=json).web.public_url
    secret, now = new_secret(), datetime.now(UTC)
    until = now + timedelta(days=overlap_days)

    async def work(opened: KeyStore) -> StoredKey | None:
        made = await opened.rotate_key(key_id, KeySecret(hash=hash_of(secret), created_at=now), old_until=until)
        return await opened.find_key(hash_of(secret)) if made else None

    key = with_journal(config, journal, work, json=json)
    if key is None:
        _unknown(key_id, json=json)
    if not json:
        say(f"the old key is valid until {moment(until)} UTC" if overlap_days else "the old key is no longer valid")
    _show_once(key_id, key.address, key.direction, secret, public_url, json=json)


@keys.command()
def revoke(key_id: KeyId, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Revoke a key, at once and for good."""
    if not with_journal(config, journal, lambda opened: opened.revoke_key(key_id, at=datetime.now(UTC)), json=json):
        _unknown(key_id, json=json)
    if json:
        as_json({"ok": True, "id": key_id})
    else:
        typer.echo(f"revoked: {key_id}")


@keys.command()
def invite(
    where: Annotated[
        list[str],
        typer.Argument(
            metavar="ROUTE|ACCOUNT/END...",
            help="What the holder of the link may choose from: ends, or all ends of a route that a key can post to.",
            show_default=False,
            autocompletion=completing.places,
        ),
    ],
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=168, help="How long the link is valid.")] = 24.0,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Create a one-time link to a page where somebody without a terminal connects a website's form or a service to a chat."""
    from bridge.cli.key_places import chats_of, find_chat
    from bridge.journal.contract import Invite
    from bridge.policy.access_keys import LINK_PREFIX, hash_of, new_secret

    loaded = load_or_exit(config, json=json)
    if not loaded.web.public_url:
        fail("the link needs a public listener: set web.public in bridge.yaml", EX_FAILED, json=json)
    routes = {route.name for route in loaded.routes}
    chats = [
        chat
        for one in where
        for chat in (chats_of(loaded, one, to_post=True) if one in routes else [find_chat(loaded, one, json=json)])
    ]
    if not chats:
        fail(f"a key can post to no end of {', '.join(where)}", EX_USAGE, json=json)
    link, now = new_secret(LINK_PREFIX), datetime.now(UTC)
    until = now + timedelta(hours=hours)
    made = Invite(hash=hash_of(link), chats=tuple(dict.fromkeys(chats)), created_at=now, valid_until=until)
    with_journal(config, journal, lambda opened: opened.add_invite(made), json=json)
    url = f"{loaded.web.public_url}/keys/{link}"
    if json:
        as_json({"ok": True, "url": url, "valid_until": until, "chats": [str(chat) for chat in made.chats]})
        return
    say(f"for {', '.join(map(str, made.chats))}; works once, until {moment(until)} UTC:")
    typer.echo(url)


def _unknown(key_id: str, *, json: bool) -> NoReturn:
    fail(f"there is no valid key {key_id!r}; `keys list` shows those that are", EX_FAILED, json=json)


# -- words ------------------------------------------------------------------------------------------------------------------


def _kind(key: StoredKey) -> str:
    return "form" if key.is_form else ""


def _state(key: StoredKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    opening = [one for one in key.secrets if one.valid_until is None or now < one.valid_until]
    if not opening:
        return "over"
    if len(opening) > 1:
        return "rotating"
    until = opening[0].valid_until
    return "valid" if until is None else f"until {moment(until)[:10]}"


def _data(key: StoredKey, now: datetime) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "address": str(key.address),
        "direction": key.direction.value,
        "label": key.label,
        "form": key.is_form,
        "origins": key.origins,
        "state": _state(key, now),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "last_used_on": key.last_used_on,
        "per_minute": key.per_minute,
        "max_mb": key.most_bytes / _MB,
        "valid_until": [one.valid_until for one in key.secrets],
    }
