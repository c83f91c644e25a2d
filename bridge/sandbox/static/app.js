// Puts the page together: the rooms, the columns, the tabs of a narrow screen, the stream of changes, the state of the bridge.

import { follow, getJson } from "./api.js";
import { h, toast } from "./dom.js";
import { introduce, introduceOnce } from "./intro.js";
import { watchMarks } from "./marks.js";
import { Pane } from "./pane.js";
import { Rooms } from "./rooms.js";
import { Status } from "./status.js";
import { Undelivered } from "./undelivered.js";

const SETTLED_MS = 700;
const NARROW = matchMedia("(max-width: 719px)");

const panes = new Map();
let rooms;
let status;
let run = "";
let openedAt = 0;
let waiting = [];

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
  const titles = new Map(sandbox.platforms.map((info) => [info.platform, info.title]));
  for (const info of sandbox.platforms) {
    panes.set(info.platform, new Pane(info, {
      rooms: sandbox.rooms, people: sandbox.people, avatars, titles, onNews: (room, count) => news(info.platform, room, count),
    }));
  }
  rooms = new Rooms(sandbox.rooms, (room) => {
    for (const pane of panes.values()) pane.enter(room);
    clearTabs();
  });
  document.getElementById("rooms").replaceWith(rooms.node);
  main.style.setProperty("--columns", panes.size);
  main.replaceChildren(...[...panes.values()].map((pane) => pane.node));
  document.getElementById("count").textContent = sandbox.platforms.length;
  const undelivered = new Undelivered(titles, { onShow: (platform, messageId) => showMessage(platform, messageId) });
  document.getElementById("undelivered").replaceWith(undelivered.node);
  buildTabs(sandbox.platforms);
  rooms.enter(rooms.asked());
  for (const entry of overview) panes.get(entry.platform)?.faults.known(entry);
  document.getElementById("tour").addEventListener("click", () => {
    document.querySelector(".help").open = false;
    introduce();
  });
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => event.preventDefault());
  status = new Status(panes, { titles, undelivered });
  follow({ onChange: queue, onRun: begin, onReset: fellBehind, onLost: lost });
  status.watch();
  watchMarks(() => [...panes.values()].flatMap((pane) => [...pane.chats.values()]));
  introduceOnce();
}

function showMessage(platform, messageId) {
  for (const [room, chat] of panes.get(platform)?.chats ?? []) {
    if (!chat.messages.has(messageId)) continue;
    rooms.enter(room);
    choose(platform);
    chat.show(messageId);
  }
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
  status.strip([], "The sandbox is not running. Start it again: this page waits.");
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
      for (const [chatId, chat] of pane.byId) {
        const own = changes.filter((change) => change.platform === platform && change.message.chat_id === chatId);
        if (own.length) chat.apply(own, settled || own.every(({ message }) => saidSinceOpened(message)));
      }
    }
  }, 16);
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

function clearTab(tab) {
  tab.lastChild.hidden = true;
  tab.lastChild.textContent = "";
}

/** Another room: what the tabs counted was said in the one before. */
function clearTabs() {
  for (const tab of document.querySelectorAll(".tab")) clearTab(tab);
}

function choose(platform) {
  for (const [name, pane] of panes) {
    const chosen = name === platform;
    const tab = document.getElementById(`tab-${name}`);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    pane.node.classList.toggle("chosen", chosen);
    if (!chosen) continue;
    clearTab(tab);
    if (NARROW.matches) pane.chat?.feed.toEnd(false);
    else if (openedAt) pane.node.scrollIntoView({ block: "nearest", inline: "nearest" });
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

function news(platform, room, count) {
  rooms.news(room, count);
  const tab = document.getElementById(`tab-${platform}`);
  if (room !== rooms.current || panes.get(platform).node.getClientRects().length) return; // it is on the screen, or told by its room
  tab.lastChild.hidden = false;
  tab.lastChild.textContent = String(Number(tab.lastChild.textContent || 0) + count);
}

start().catch((fault) => toast(fault.message));
