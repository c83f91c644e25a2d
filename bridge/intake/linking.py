"""Links a person's own accounts by a one-time code: one account requests it, the other sends it, and both confirm after each was
told the name of the other."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from msgspec.structs import replace

from bridge.journal.contract import Audited, Claim, Claimant, ClaimStep, LinkedUser, PersonStore, UserKey
from bridge.model.clock import Clock

VALID_FOR = timedelta(minutes=10)
_CODE_BYTES = 5
"""40 bits: eight letters."""
_YES, _NO = frozenset({"yes", "y", "ok"}), frozenset({"no", "n", "cancel"})

Answer = tuple[Claimant | None, str]
"""The recipient (None: the author of the command), and the text."""


class Linking:
    def __init__(self, journal: PersonStore, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def command(self, who: Claimant, argument: str, word: str) -> Sequence[Answer]:
        """The answers to `link`, `link CODE`, `link yes` and `link no`."""
        said = argument.strip().casefold()
        if not said:
            return await self._ask(who, word)
        if said in _YES:
            return await self._agree(who)
        if said in _NO:
            return await self._refuse(who)
        return await self._say(who, argument, word)

    async def _ask(self, who: Claimant, word: str) -> Sequence[Answer]:
        code, now = _new_code(), self._clock.now()
        await self._journal.put_claim(
            Claim(asker=who, step=ClaimStep.ASKED, code_hash=_hash(code), created_at=now, valid_until=now + VALID_FOR)
        )
        return [(None, f"Within ten minutes, say this from your other account, where the bridge listens: {word} link {code}")]

    async def _say(self, who: Claimant, code: str, word: str) -> Sequence[Answer]:
        given, found = _hash(code), None
        for claim in await self._claims():
            # all are compared, so that the time reveals nothing
            if hmac.compare_digest(claim.code_hash, given) and claim.step is ClaimStep.ASKED:
                found = claim
        if found is None:
            return [(None, f"There is no such code, or it was used, or its ten minutes are over. A new one: {word} link")]
        if found.asker.user.account == who.user.account:
            return [(None, "Say it from an account on another platform.")]
        await self._journal.put_claim(replace(found, step=ClaimStep.SAID, code_hash=b"", other=who))
        how = f"If both are you, say {word} link yes in both places; if not: {word} link no"
        return [
            (None, f"This would link you with {_shown(found.asker)}. {how}"),
            (found.asker, f"{_shown(who)} said your code. {how}"),
        ]

    async def _agree(self, who: Claimant) -> Sequence[Answer]:
        for claim in await self._claims():
            if claim.other is None or who.user not in (claim.asker.user, claim.other.user):
                continue
            mine, theirs = (
                (ClaimStep.USER_AGREED, ClaimStep.OTHER_AGREED)
                if who.user == claim.asker.user
                else (ClaimStep.OTHER_AGREED, ClaimStep.USER_AGREED)
            )
            if claim.step is not theirs:
                await self._journal.put_claim(replace(claim, step=mine))
                return [(None, "Noted. Now say the same from the other account.")]
            return await self._link(claim, who)
        return [(None, "There is nothing to agree to, or its ten minutes are over.")]

    async def _link(self, claim: Claim, who: Claimant) -> Sequence[Answer]:
        assert claim.other is not None
        now, person = self._clock.now(), secrets.token_hex(8)
        one, other = (
            LinkedUser(user=each.user, person=person, name=each.name, username=each.username, at=now)
            for each in (claim.asker, claim.other)
        )
        await self._journal.link_users(one, other)
        await self._journal.drop_claim(claim.asker.user)
        await self._journal.audit(Audited(at=now, actor=str(who.user), action="link", subject=f"{one.user} = {other.user}"))
        there = claim.other if who.user == claim.asker.user else claim.asker
        return [(None, f"Linked with {_shown(there)}."), (there, f"Linked with {_shown(who)}.")]

    async def _refuse(self, who: Claimant) -> Sequence[Answer]:
        for claim in await self._claims():
            if who.user in (claim.asker.user, claim.other.user if claim.other else None):
                await self._journal.drop_claim(claim.asker.user)
                return [(None, "Nothing is linked.")]
        return [(None, "There is nothing to refuse.")]

    async def unlink(self, user: UserKey) -> str:
        if not await self._journal.unlink_user(user):
            return "This account is not linked by you. What bridge.yaml says, its admin can change."
        await self._journal.audit(Audited(at=self._clock.now(), actor=str(user), action="unlink", subject=str(user)))
        return "This account is no longer linked."

    async def _claims(self) -> Sequence[Claim]:
        return await self._journal.claims(at=self._clock.now())


def _new_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
    return f"{letters[:4]}-{letters[4:]}"


def _hash(code: str) -> bytes:
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return sha256(b"link " + letters.encode()).digest()


def _shown(who: Claimant) -> str:
    return f"{who.name} on {who.user.account}"
