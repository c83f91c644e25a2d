"""What goes out is verified by npm's `svix` and `standardwebhooks`, and what they sign agrees with what we sign."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from adapters.webhook.outbound.signing import headers_for
from tests.support.programs import node

SECRETS = (
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "whsec_eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==",
)
PRIVATE = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BODIES = ('{"test": 2432232314}', '{"text":"Привет, 世界 👋 \\"x\\" \\n"}', "{}")

_CHECK = """
import { Webhook } from "%s";
const checks = JSON.parse(process.argv[1]);
for (const { secret, headers, body } of checks) new Webhook(secret).verify(body, headers);
const refused = ({ secret, headers, body }) => {
  try { new Webhook(secret).verify(body + " ", headers); return false; } catch { return true; }
};
const signed = checks.map(({ secret, headers, body }) =>
  new Webhook(secret).sign(headers["webhook-id"], new Date(Number(headers["webhook-timestamp"]) * 1000), body));
console.log(JSON.stringify({ refused: checks.map(refused), signed }));
"""


@pytest.mark.parametrize("package", ["svix", "standardwebhooks"])
async def test_what_we_sign_is_what_they_sign_and_they_take_it(package: str) -> None:
    at = datetime.now(UTC)
    checks = []
    for number, secret in enumerate(SECRETS):
        # a receiver that changes its key has the older one alone
        keys = [PRIVATE, *SECRETS[number - 1 : number], secret]
        body = BODIES[number]
        checks.append({"secret": secret, "body": body, "headers": headers_for(keys, f"msg_{number}", at, body.encode())})
    told = json.loads(await node(_CHECK % package, json.dumps(checks)))
    assert told["refused"] == [True] * len(SECRETS)
    ours = [headers_for([secret], f"msg_{n}", at, BODIES[n].encode())["webhook-signature"] for n, secret in enumerate(SECRETS)]
    assert told["signed"] == ours
