// Keeps what is marked `data-live` up to date, and follows the tail. Every page works without this.
"use strict";

const EVERY_MS = 5000;

function isInUse(part) {
  const selected = document.getSelection();
  return part.contains(document.activeElement) || (selected !== null && !selected.isCollapsed && part.contains(selected.anchorNode));
}

async function renew() {
  const part = document.querySelector("[data-live]");
  if (part === null || document.hidden || isInUse(part)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (fresh !== null && !isInUse(part)) part.replaceWith(document.adoptNode(fresh));
}

async function keepUp() {
  try {
    await renew();
  } catch {
    // the bridge is away, or the session is over: the page stays as it is, with its time on it
  }
  setTimeout(keepUp, EVERY_MS);
}

if (document.querySelector("[data-live]") !== null) setTimeout(keepUp, EVERY_MS);
