"""Events under Slack's own Socket Mode client: what is told, again and again until it is acknowledged."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.emulation.contract import StreamFault
from adapters.slack.emulator import SlackEmulator
from tests.adapters.slack.emulator.listening import Listener
from tests.support.patience import eventually


async def test_events_reach_the_socket_mode_client(emulator: SlackEmulator, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    ts = await emulator.say(chat, "Anna", "*hi* <you> :wave: & [site](https://example.com/)")
    await emulator.edit(chat, ts, "edited")
    await emulator.react(chat, ts, "Boris", "👍")
    await emulator.delete(chat, ts)
    await eventually(lambda: len(listener.requests) == 4)
    message, edit, reaction, deletion = listener.events()
    assert message["text"] == "*hi* &lt;you&gt; :wave: &amp; <https://example.com/|site>"
    assert message["blocks"][0]["elements"][0]["elements"][0] == {"type": "text", "text": "hi", "style": {"bold": True}}
    assert (edit["message"]["ts"], edit["message"]["text"]) == (ts, "edited")
    assert int(ts.partition(".")[0]) <= float(edit["message"]["edited"]["ts"]) <= float(edit["ts"])
    assert edit["message"]["edited"]["ts"].endswith(".000000")
    assert (reaction["type"], reaction["reaction"], reaction["item"]["ts"]) == ("reaction_added", "+1", ts)
    assert (deletion["subtype"], deletion["deleted_ts"]) == ("message_deleted", ts)
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_own_messages_come_back(emulator: SlackEmulator, web: AsyncWebClient, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    await web.chat_postMessage(channel=chat, text="plain", metadata={"event_type": "m", "event_payload": {"id": "1"}})
    await web.chat_postMessage(channel=chat, text="persona", username="Anna")
    emulator.workspace.persona_as_bot_message = False
    await web.chat_postMessage(channel=chat, text="persona", username="Anna")
    await eventually(lambda: len(listener.requests) == 3)
    plain, persona, modern = listener.events()
    assert (plain["bot_id"], plain["user"], plain["metadata"]["event_payload"]) == (
        emulator.workspace.bot_id,
        emulator.workspace.bot_user_id,
        {"id": "1"},
    )
    assert (persona["subtype"], persona["username"], persona.get("user")) == ("bot_message", "Anna", None)
    assert (modern.get("subtype"), modern["bot_id"]) == (None, emulator.workspace.bot_id)


async def test_unacknowledged_events_are_retried_three_times(emulator: SlackEmulator, listener: Listener) -> None:
    emulator.deliveries.ack_deadline_s = 0.05
    emulator.deliveries.retry_delays_s = (0.0, 0.05, 0.1)
    listener.acks = False
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "hello?")
    await eventually(lambda: bool(emulator.deliveries.lost))
    assert [frame.get("retry_attempt") for frame in listener.frames if "envelope_id" in frame] == [0, 1, 2, 3]
    assert len({frame["envelope_id"] for frame in listener.frames if "envelope_id" in frame}) == 4
    assert len({frame["payload"]["event_id"] for frame in listener.frames if "envelope_id" in frame}) == 1


async def test_events_without_a_socket_wait_for_their_retry(emulator: SlackEmulator) -> None:
    emulator.deliveries.retry_delays_s = (0.0, 0.3, 0.3)
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "anybody?")
    listener = Listener(emulator)
    await listener.client.connect()
    await eventually(lambda: len(listener.requests) == 1)
    assert listener.requests[0].retry_attempt == 2
    await listener.client.close()


async def test_stream_faults(emulator: SlackEmulator, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "one")
    await emulator.disturb(StreamFault.REDELIVER)
    await eventually(lambda: len(listener.requests) == 2)
    assert listener.requests[0].payload["event_id"] == listener.requests[1].payload["event_id"]
    await emulator.disturb(StreamFault.REORDER)
    await emulator.say(chat, "Anna", "two")
    await emulator.say(chat, "Anna", "three")
    await eventually(lambda: len(listener.requests) == 4)
    assert [event["text"] for event in listener.events()[2:]] == ["three", "two"]
    await emulator.disturb(StreamFault.POISON)
    await eventually(lambda: len(listener.requests) == 5)
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    await eventually(lambda: emulator.sockets.connections_total >= 2 and emulator.sockets.open_count == 1)
    await emulator.say(chat, "Anna", "four")
    await eventually(lambda: any(event.get("text") == "four" for event in listener.events()))
