// One message as nodes: author, quote, formatted text, files, poll, reactions, what became of it, and the buttons to act on it.

import { fileNames, filesOf } from "./files.js";
import { h, hue, icon, iconButton, initials, plain } from "./dom.js";
import { render } from "./markup.js";
import { pickEmoji } from "./picker.js";
import { pollNode } from "./poll.js";

const EMOJI = ["👍", "❤", "🔥", "🎉", "🤣", "😢", "👀"];
const GROUP_MS = 5 * 60 * 1000;
const LONG_CHARACTERS = 3000;
const LONG_LINES = 40;
const HEAD_CHARACTERS = 1200;
const MOST_REACTIONS = 24;
const MOST_NAMES = 20;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The message whose thread this one is said in; empty for what is said in the chat itself. */
export function threadOf(message) {
  return message?.thread_id && message.thread_id !== message.message_id ? message.thread_id : "";
}

/** `actions` is what a person may do there, by name (see chat.js); `parent` is the answered message, if it is known; `dead` says where
 * it did not arrive; `mark` what became of its copies; `inThread`: it stands below the first message of its thread; `threadName`: the
 * name of the thread it belongs to; `answers`: how many stand in its own thread. */
export function messageNode(message, told) {
  const { platform, person, parent, avatars, actions, dead = [], inThread = false, answers = 0, threadName = "" } = told;
  const mine = !message.is_bot && message.author_name === person;
  const row = h("li", {
    class: "message", tabIndex: -1, "data-id": message.message_id, "data-author": message.author_name,
    "data-bot": message.is_bot ? "1" : "0", "aria-label": spoken(message),
  });
  row.classList.toggle("mine", mine);
  row.classList.toggle("deleted", Boolean(message.deleted));
  row.classList.toggle("system", Boolean(message.system));
  row.classList.toggle("threaded", inThread);
  row.classList.toggle("pinned", Boolean(message.pinned));
  const meta = h("span", { class: "meta" },
    message.edited && !message.deleted && h("span", { class: "edited" }, "edited"),
    message.deleted && h("span", { class: "gone" }, "deleted"), time(message), markNode(message, told));
  const author = h("span", { class: "author", dir: "auto" }, message.author_name.slice(0, 200));
  author.style.setProperty("--hue", hue(message.author_name));
  const head = h("div", { class: "head" }, author, message.is_bot && h("span", { class: "badge" }, "APP"), time(message),
    message.pinned && h("span", { class: "pin-sign", title: "Pinned" }, icon("pin")));
  const answersItsThread = inThread && parent?.message_id === threadOf(message);
  const body = h("div", { class: "body" }, head, !answersItsThread && quote(message, parent, actions),
    text(message), message.poll && pollNode(message.poll, person, message.deleted ? {} : actions), filesOf(platform, message),
    reactions(message, person, actions), meta,
    threadLink(message, inThread, threadName, answers, actions),
    ...dead.map(({ target, reason }) => h("p", { class: "dead" }, `not in ${target}: ${plain(reason, 300)}`)));
  row.append(avatar(message, avatars), body);
  if (!message.deleted && !message.system) row.append(tools(message, actions));
  return row;
}

/** Whether `message` continues what the same author said just before. */
export function continues(message, before) {
  if (!before || before.deleted || before.system || message.system || message.reply_to || message.reply_quote) return false;
  if (threadOf(before) !== threadOf(message)) return false;
  if (before.author_name !== message.author_name || Boolean(before.is_bot) !== Boolean(message.is_bot)) return false;
  if (!before.sent_at || !message.sent_at) return true;
  return new Date(message.sent_at) - new Date(before.sent_at) < GROUP_MS;
}

/** Shown beside the author or at the end, as the messenger does: the style sheet hides one of the two. */
function time({ sent_at: sentAt }) {
  if (!sentAt) return null;
  const sent = new Date(sentAt);
  return h("time", { dateTime: sentAt, title: sent.toLocaleString() }, clock.format(sent));
}

function spoken(message) {
  const parts = [plain(message.author_name), message.deleted ? "deleted message" : plain(message.text, 220)];
  if (message.poll) parts.push(`poll: ${plain(message.poll.question)}`);
  if (message.files?.length) parts.push(`${message.files.length} ${message.files.length === 1 ? "file" : "files"}`);
  return parts.filter(Boolean).join(": ");
}

function avatar(message, avatars) {
  const made = h("span", { class: "avatar", "aria-hidden": "true" }, h("span", {}, initials(message.author_name)));
  made.style.setProperty("--hue", hue(message.author_name));
  const from = message.author_avatar_url;
  if (from && avatars.some((base) => from.startsWith(`${base}/`))) {
    made.prepend(h("img", { src: from, alt: "", loading: "lazy", onError: (event) => event.target.remove() }));
  }
  return made;
}

// -- what is said -------------------------------------------------------------------------------------------------------------

function quote(message, parent, actions) {
  if (!parent && !message.reply_quote) return null;
  const words = message.reply_quote || parent.text || parent.poll?.question || fileNames(parent) || "…";
  const inside = [
    parent && h("span", { class: "quote-author", dir: "auto" }, parent.author_name.slice(0, 100)),
    h("span", { class: "quote-text", dir: "auto" }, words.slice(0, 400).replace(/\s+/g, " ").slice(0, 140)),
  ].filter(Boolean);
  if (!parent) return h("div", { class: "quote" }, ...inside);
  const label = `Answer to ${plain(parent.author_name)}: show that message`;
  return h("button", { type: "button", class: "quote", title: label, onClick: () => actions.show(parent.message_id) }, ...inside);
}

function text(message) {
  if (!message.html && !message.text) return null;
  const made = h("div", { class: "text", dir: "auto" });
  if (message.poll) {
    const lead = message.text.split(`Poll: ${message.poll.question}`, 1)[0].trim();
    made.append(lead);
    return lead ? made : null;
  }
  const whole = () => (message.html ? render(message.html) : document.createTextNode(message.text));
  const { text: words = "" } = message;
  if (words.length <= LONG_CHARACTERS && words.split("\n", LONG_LINES + 1).length <= LONG_LINES) {
    made.append(whole());
    return made;
  }
  // the beginning alone, until somebody asks: a page full of long texts stays quick
  const lines = words.split("\n", LONG_LINES).join("\n");
  made.append(`${[...lines.slice(0, HEAD_CHARACTERS)].join("")} …`);
  const more = h("button", { type: "button", class: "link more", onClick: () => {
    made.replaceChildren(whole());
    more.remove();
  } }, `Show all ${words.length.toLocaleString()} characters`);
  return h("div", { class: "long" }, made, more);
}

function threadLink(message, inThread, threadName, answers, actions) {
  const own = answers && `${answers} ${answers === 1 ? "answer" : "answers"} in its thread`;
  const thread = !inThread && threadOf(message);
  if (!actions.openThread || (!own && !thread)) return null;
  const label = own || `in ${plain(threadName, 50) || "a thread"}`;
  return h("button", { type: "button", class: "thread-link", onClick: () => actions.openThread(own ? message.message_id : thread) },
    icon("thread"), h("span", { dir: "auto" }, label));
}

// -- what became of it --------------------------------------------------------------------------------------------------------

/** A sign on what people said: on its way, delivered, left out by a rule, or given up. A press tells the whole story. */
function markNode(message, { mark, relayed, actions }) {
  if (message.is_bot || message.system || !actions.trace) return null;
  const [tone, sign, words] = markOf(mark, relayed);
  const label = `${words}; show what became of it`;
  return h("button", { type: "button", class: `mark ${tone}`, title: label, "aria-label": label, onClick: actions.trace }, icon(sign));
}

function markOf(mark, relayed) {
  if (!relayed) return ["off", "stay", "Not relayed"];
  const { delivered = 0, waiting = 0, skipped = 0, dead = 0 } = mark ?? {};
  const all = delivered + waiting + skipped + dead;
  if (!all) return ["wait", "wait", "Not with the bridge yet"];
  if (dead) return ["bad", "dead", `Not delivered to ${dead} of ${all}`];
  if (waiting) return ["wait", "wait", `Waiting for ${waiting} of ${all}`];
  if (skipped) return ["good", "delivered", `Delivered to ${delivered}, left out by rule in ${skipped}`];
  return ["good", "delivered", `Delivered to all ${all}`];
}

// -- what people do -----------------------------------------------------------------------------------------------------------

function reactions(message, person, actions) {
  if (!message.reactions?.length) return null;
  const shown = message.reactions.slice(0, MOST_REACTIONS).map(({ emoji, by }) => {
    const held = by.includes(person);
    const names = by.slice(0, MOST_NAMES).map((name) => plain(name, 30)).join(", ");
    const label = `${plain(emoji, 30)} ${by.length}: ${names}${by.length > MOST_NAMES ? ` and ${by.length - MOST_NAMES} more` : ""}`;
    return h("button", {
      type: "button", class: held ? "reaction held" : "reaction", title: label, "aria-label": label, "aria-pressed": String(held),
      disabled: Boolean(message.deleted), onClick: () => actions.react(emoji, held),
    }, h("span", { class: "reaction-emoji" }, plain(emoji, 30)), String(by.length));
  });
  if (message.reactions.length > MOST_REACTIONS) shown.push(`+${message.reactions.length - MOST_REACTIONS}`);
  return h("div", { class: "reactions" }, ...shown);
}

function tools(message, actions) {
  const author = plain(message.author_name);
  const picker = h("div", { class: "picker", hidden: true, role: "group", "aria-label": "Reactions" });
  const react = (emoji) => {
    picker.hidden = true;
    actions.react(emoji, false);
  };
  const open = iconButton("react", "React", () => {
    picker.hidden = !picker.hidden;
    open.setAttribute("aria-expanded", String(!picker.hidden));
    if (!picker.hidden) picker.firstChild.focus();
  }, { "aria-expanded": "false" });
  const more = h("button", { type: "button", class: "picker-more", title: "More emoji", "aria-label": "More emoji",
    onClick: () => pickEmoji(more, { verb: "React with", onPick: react }) }, icon("plus"));
  picker.append(...EMOJI.map((emoji) => h("button", { type: "button", "aria-label": `React with ${emoji}`, onClick: () => react(emoji) }, emoji)),
    more);
  return h("div", { class: "tools" }, open,
    iconButton("reply", "Reply", actions.reply),
    actions.startThread && iconButton("thread", "Open a thread", actions.startThread),
    actions.pin && iconButton("pin", message.pinned ? "Unpin" : "Pin", actions.pin, { "aria-pressed": String(Boolean(message.pinned)) }),
    !message.is_bot && !message.poll && iconButton("edit", `Edit as ${author}`, actions.edit),
    !message.is_bot && iconButton("delete", `Delete as ${author}`, actions.delete), picker);
}
