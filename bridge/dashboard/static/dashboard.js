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

const MOST_LINES = 500;

function lineOf(step) {
  const line = document.createElement("li");
  if (step.gap) {
    line.className = "error";
    line.textContent = step.gap;
    return line;
  }
  const number = document.createElement(step.delivery ? "a" : "span");
  if (step.delivery) number.href = `message?what=${step.delivery}`;
  number.textContent = step.number;
  const time = document.createElement("time");
  time.className = "soft";
  time.dateTime = step.at;
  time.textContent = step.at ? step.at.slice(0, 19).replace("T", " ") : "–";
  const pill = document.createElement("span");
  pill.className = `pill ${step.tone}`;
  const dot = document.createElement("span");
  dot.className = "dot";
  dot.setAttribute("aria-hidden", "true");
  pill.append(dot, step.outcome);
  const text = document.createElement("bdi");
  text.textContent = step.text;
  line.append(number, " ", time, " ", pill, " ", text);
  return line;
}

function follow(list) {
  const state = document.getElementById("tail-state");
  const pause = document.getElementById("pause");
  const held = [];
  let isPaused = false;
  const show = (line) => {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.append(line);
    while (list.children.length > MOST_LINES) list.firstElementChild.remove();
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  };
  const events = new EventSource(list.dataset.tail);
  events.onopen = () => { state.textContent = "New ones appear by themselves."; };
  events.onerror = () => {
    state.textContent = events.readyState === EventSource.CLOSED
      ? "The bridge ended it: too many look on, or you are signed out. Load the page again."
      : "The connection is lost; it is made again, and nothing is missed.";
  };
  events.onmessage = (event) => {
    const line = lineOf(JSON.parse(event.data));
    if (!isPaused) return show(line);
    held.push(line);
    if (held.length > MOST_LINES) held.shift();
    state.textContent = `Paused; ${held.length} new.`;
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    if (!isPaused) held.splice(0).forEach(show);
    state.textContent = isPaused ? "Paused." : "New ones appear by themselves.";
  });
  list.scrollTop = list.scrollHeight;
}

const tail = document.querySelector("[data-tail]");
if (tail !== null) follow(tail);
