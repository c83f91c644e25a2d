"""Requests that npm's `svix` and `standardwebhooks` have signed are taken, through the real listener."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.adapters.webhook.harness import Hooks
from tests.support.programs import node

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_POST = """
import { Webhook } from "%s";
const [, url, secret, prefix, name] = process.argv;
const body = JSON.stringify({ text: `${name} says: Привет 👋` });
const at = new Date();
const headers = {
  "Content-Type": "application/json",
  [`${prefix}-id`]: `msg_${name}`,
  [`${prefix}-timestamp`]: String(Math.floor(at.getTime() / 1000)),
  [`${prefix}-signature`]: new Webhook(secret).sign(`msg_${name}`, at, body),
};
const statuses = [];
for (const sent of [body, body + " ", body])
  statuses.push((await fetch(url, { method: "POST", headers, body: sent })).status);
console.log(JSON.stringify(statuses));
"""


@pytest.mark.parametrize(("package", "prefix"), [("svix", "svix"), ("standardwebhooks", "webhook")])
async def test_what_they_sign_is_taken_once(tmp_path: Path, package: str, prefix: str) -> None:
    """A changed body is refused; the same request again is a repeat, and confirmed."""
    async with Hooks(tmp_path, {"e": {"signature": {"scheme": "standard", "secret": SECRET}}}) as hooks:
        statuses = json.loads(await node(_POST % package, f"{hooks.url}/hooks/hooks/e", SECRET, prefix, package))
        assert statuses == [200, 401, 200]
        assert hooks.words() == [f"{package} says: Привет 👋"]
