// Puts the page together: the columns, the tabs of a narrow screen, the stream of changes, the state of the bridge.

import { follow, getJson } from "./api.js";
import { h, toast } from "./dom.js";
import { Pane } from "./pane.js";
import { Undelivered } from "./undelivered.js";

const STATUS_EVERY_MS = 1000;
const SETTLED_MS = 700;
const NARROW = matchMedia("(max-width: 719px)");

const panes = new Map();
let run = "";
let openedAt = 0;
let waiting = [];
let undelivered;
let titles;

async function start() {
  const main = document.getElementById("panes");
  let sandbox;
  let overview;
  try {
    [sandbox, overview] = await Promise.all([getJson("sandbox.json"), getJson("api/")]);
  } catch (fault) {
    main.replaceChildren(h("p", { class: "loading" }, `The sandbox does not answer: ${fault.message}`));
    return;
  }
  const avatars = overview.map((entry) => entry.base_url);
  for (const info of sandbox.platforms) {
    const pane = new Pane(info, { people: sandbox.people, avatars, onNews: (count) => news(info.platform, count) });
    panes.set(info.platform, pane);
    pane.faults.known(overview.find((entry) => entry.platform === info.platform));
  }
  main.replaceChildren(...[...panes.values()].map((pane) => pane.node));
  document.getElementById("count").textContent = sandbox.platforms.length;
  titles = new Map(sandbox.platforms.map((info) => [info.platform, info.title]));
  undelivered = new Undelivered(titles, { onShow: (platform, messageId) => {
    choose(platform);
    panes.get(platform)?.show(messageId);
  } });
  document.getElementById("undelivered").replaceWith(undelivered.node);
  buildTabs(sandbox.platforms);
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => event.preventDefault());
  follow({ onChange: queue, onRun: begin, onReset: fellBehind, onLost: lost });
  watchStatus();
}

// -- the stream ---------------------------------------------------------------------------------------------------------------

function begin(newRun) {
  document.body.classList.remove("lost");
  openedAt ||= performance.now();
  if (run && run !== newRun) location.reload();
  run = newRun;
}

/** Changes were lost to this page because it was too slow. At the opening that only means that the run is a long one. */
function fellBehind() {
  if (performance.now() - openedAt > SETTLED_MS) location.reload();
}

function lost() {
  document.body.classList.add("lost");
  drawStrip([], "The sandbox is not running. Start it again: this page waits.");
}

/** Whether it was written while the page was open; the messengers run on this machine, so they have its clock. */
function saidSinceOpened(message) {
  return Date.parse(message.sent_at) > performance.timeOrigin + openedAt;
}

/** Changes are drawn once a frame: what happened before the page was opened comes in one go and is not highlighted. */
function queue(change) {
  waiting.push(change);
  if (waiting.length > 1) return;
  setTimeout(() => {
    const changes = waiting;
    waiting = [];
    const settled = performance.now() - openedAt > SETTLED_MS;
    for (const [platform, pane] of panes) {
      const own = changes.filter((change) => change.platform === platform && change.message.chat_id === pane.info.chat_id);
      if (own.length) pane.apply(own, settled || own.every(({ message }) => saidSinceOpened(message)));
    }
  }, 16);
}

// -- the bridge's state -------------------------------------------------------------------------------------------------------

async function watchStatus() {
  for (;;) {
    if (!document.hidden) await oneStatus();
    await new Promise((resolve) => setTimeout(resolve, STATUS_EVERY_MS));
  }
}

async function oneStatus() {
  let status;
  try {
    status = await getJson("status.json");
  } catch {
    return; // the stream notices too, and says so
  }
  for (const account of status.accounts) panes.get(account.platform)?.faults.health(account);
  for (const [platform, pane] of panes) {
    pane.composer.ready(status.ready);
    const dead = status.dead.filter((letter) => letter.origin === platform);
    pane.mark(dead.map((letter) => ({ ...letter, target: titles.get(letter.target) ?? letter.target })));
  }
  undelivered.draw(status);
  drawStrip(status.accounts, "", status.ready);
}

function drawStrip(accounts, trouble, ready = true) {
  const strip = document.getElementById("strip");
  const broken = [...panes.values()].filter((pane) => pane.faults.broken);
  const down = accounts.filter((account) => account.state !== "up");
  const held = accounts.reduce((sum, account) => sum + (account.waiting ?? 0), 0);
  let tone = "good";
  let words = "All accounts are connected";
  if (trouble) [tone, words] = ["bad", trouble];
  else if (!accounts.length) [tone, words] = ["wait", "The bridge is starting"];
  else if (down.length) {
    const names = down.map((account) => panes.get(account.platform)?.info.title ?? account.account);
    [tone, words] = ["wait", `${accounts.length - down.length} of ${accounts.length} accounts connected; not ${names.join(", ")}`];
  }
  if (!ready && !trouble) {
    [tone, words] = ["wait", `The bridge is connecting: ${accounts.length - down.length} of ${accounts.length} accounts`];
  }
  if (held) words += ` · ${held} ${held === 1 ? "message waits" : "messages wait"} in the journal`;
  const key = `${tone}|${words}|${broken.length}`;
  if (strip.dataset.key === key) return;
  strip.dataset.key = key;
  strip.className = `strip ${tone}`;
  strip.replaceChildren(h("span", { class: "pill-dot" }), h("span", { class: "strip-words", title: words }, words));
  if (broken.length) {
    const healAll = () => Promise.all(broken.map((pane) => pane.faults.heal()));
    strip.append(h("button", { type: "button", onClick: healAll }, "Heal all"));
  }
}

// -- tabs of a narrow screen --------------------------------------------------------------------------------------------------

function buildTabs(platforms) {
  const tabs = document.getElementById("tabs");
  tabs.replaceChildren(...platforms.map((info) => h("button", {
    type: "button", role: "tab", id: `tab-${info.platform}`, "aria-controls": `pane-${info.platform}`, class: "tab",
    onClick: () => choose(info.platform), onKeydown: (event) => walkTabs(event, platforms),
  }, info.title, h("span", { class: "count", hidden: true }))));
  choose(platforms[0].platform);
  NARROW.addEventListener("change", () => choose(document.querySelector(".tab[aria-selected='true']").id.slice(4)));
}

function choose(platform) {
  for (const [name, pane] of panes) {
    const chosen = name === platform;
    const tab = document.getElementById(`tab-${name}`);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    pane.node.classList.toggle("chosen", chosen);
    if (chosen) {
      tab.lastChild.hidden = true;
      tab.lastChild.textContent = "";
      if (NARROW.matches) pane.toEnd(false);
    }
  }
}

function walkTabs(event, platforms) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const at = platforms.findIndex((info) => `tab-${info.platform}` === event.target.id);
  const next = platforms[(at + step + platforms.length) % platforms.length].platform;
  choose(next);
  document.getElementById(`tab-${next}`).focus();
}

function news(platform, count) {
  const badge = document.getElementById(`tab-${platform}`).lastChild;
  if (panes.get(platform).node.getClientRects().length) return; // it is on the screen
  badge.hidden = false;
  badge.textContent = String(Number(badge.textContent || 0) + count);
}

start().catch((fault) => toast(fault.message));
