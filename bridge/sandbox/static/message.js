// One message as nodes: author, quote, formatted text, files, reactions, and the buttons to act on it.

import { fileUrl } from "./api.js";
import { fileSize, h, hue, icon, iconButton, initials } from "./dom.js";
import { render } from "./markup.js";

const EMOJI = ["👍", "❤", "🔥", "🎉", "🤣", "😢", "👀", "🙏"];
const GROUP_MS = 5 * 60 * 1000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The message whose thread this one is said in; empty for what is said in the chat itself. */
export function threadOf(message) {
  return message?.thread_id && message.thread_id !== message.message_id ? message.thread_id : "";
}

/** `actions` has reply, edit, delete, react(emoji) and show(messageId); `parent` is the answered message, if it is known; `dead`
 * says where it did not arrive; `inThread`: it stands below the first message of its thread. */
export function messageNode(message, { platform, person, parent, avatars, actions, dead = [], inThread = false }) {
  const mine = !message.is_bot && message.author_name === person;
  const row = h("li", {
    class: "message", tabIndex: -1, "data-id": message.message_id, "data-author": message.author_name,
    "data-bot": message.is_bot ? "1" : "0", "aria-label": spoken(message),
  });
  row.classList.toggle("mine", mine);
  row.classList.toggle("deleted", Boolean(message.deleted));
  row.classList.toggle("system", Boolean(message.system));
  row.classList.toggle("threaded", inThread);
  const meta = h("span", { class: "meta" },
    message.edited && !message.deleted && h("span", { class: "edited" }, "edited"),
    message.deleted && h("span", { class: "gone" }, "deleted"), time(message));
  const author = h("span", { class: "author", dir: "auto" }, message.author_name);
  author.style.setProperty("--hue", hue(message.author_name));
  const head = h("div", { class: "head" }, author, message.is_bot && h("span", { class: "badge" }, "APP"), time(message));
  const answersItsThread = inThread && parent?.message_id === threadOf(message);
  const body = h("div", { class: "body" }, head, !answersItsThread && quote(message, parent, actions),
    text(message), files(platform, message), reactions(message, person, actions), meta,
    ...dead.map(({ target, reason }) => h("p", { class: "dead" }, `not in ${target}: ${reason}`)));
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
  const parts = [message.author_name, message.deleted ? "deleted message" : message.text];
  if (message.files?.length) parts.push(`${message.files.length} files`);
  return parts.filter(Boolean).join(": ").slice(0, 300);
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

function quote(message, parent, actions) {
  if (!parent && !message.reply_quote) return null;
  const words = message.reply_quote || parent.text || fileNames(parent) || "…";
  const inside = [
    parent && h("span", { class: "quote-author" }, parent.author_name),
    h("span", { class: "quote-text", dir: "auto" }, words.replace(/\s+/g, " ").slice(0, 140)),
  ].filter(Boolean);
  if (!parent) return h("div", { class: "quote" }, ...inside);
  const label = `Answer to ${parent.author_name}: show that message`;
  return h("button", { type: "button", class: "quote", title: label, onClick: () => actions.show(parent.message_id) }, ...inside);
}

function text(message) {
  if (!message.html && !message.text) return null;
  const made = h("div", { class: "text", dir: "auto" });
  if (message.html) made.append(render(message.html));
  else made.append(message.text);
  return made;
}

function fileNames(message) {
  return (message.files ?? []).map((file) => file.name).join(", ");
}

function files(platform, message) {
  if (!message.files?.length) return null;
  const shown = message.files.map((file) => fileNode(platform, file));
  return h("div", { class: shown.length > 1 ? "files several" : "files" }, ...shown);
}

function fileNode(platform, file) {
  const url = fileUrl(platform, file);
  const described = `${file.name}, ${fileSize(file.size_bytes)}`;
  if (/^image\/(png|jpeg|gif|webp|avif)$/.test(file.mime) && file.kind !== "document") {
    const picture = h("img", { src: url, alt: file.name, loading: "lazy" });
    return h("a", { class: "picture", href: url, target: "_blank", rel: "noopener", title: described }, picture);
  }
  if (file.mime.startsWith("video/")) {
    return h("video", { src: url, controls: true, preload: "metadata", "aria-label": described, class: file.kind });
  }
  const download = h("a", {
    class: "file", href: fileUrl(platform, file, { download: true }), download: file.name, title: described,
  },
    h("span", { class: "file-icon" }, icon("file")),
    h("span", { class: "file-name", dir: "auto" }, file.name), h("span", { class: "file-size" }, fileSize(file.size_bytes)));
  if (!file.mime.startsWith("audio/")) return download;
  const player = h("audio", { src: url, controls: true, preload: "metadata", "aria-label": described });
  return h("div", { class: "sound" }, download, player);
}

function reactions(message, person, actions) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, ...message.reactions.map(({ emoji, by }) => {
    const held = by.includes(person);
    const label = `${emoji} by ${by.join(", ")}`;
    return h("button", {
      type: "button", class: held ? "reaction held" : "reaction", title: label, "aria-label": label, "aria-pressed": String(held),
      disabled: Boolean(message.deleted), onClick: () => actions.react(emoji, held),
    }, h("span", { class: "reaction-emoji" }, emoji), String(by.length));
  }));
}

function tools(message, actions) {
  const picker = h("div", { class: "picker", hidden: true, role: "group", "aria-label": "Reactions" });
  picker.append(...EMOJI.map((emoji) => h("button", {
    type: "button", "aria-label": `React with ${emoji}`,
    onClick: () => {
      picker.hidden = true;
      actions.react(emoji, false);
    },
  }, emoji)));
  const open = iconButton("react", "React", () => {
    picker.hidden = !picker.hidden;
    open.setAttribute("aria-expanded", String(!picker.hidden));
    if (!picker.hidden) picker.firstChild.focus();
  }, { "aria-expanded": "false" });
  const own = message.is_bot ? [] : [
    iconButton("edit", `Edit as ${message.author_name}`, actions.edit),
    iconButton("delete", `Delete as ${message.author_name}`, actions.delete),
  ];
  return h("div", { class: "tools" }, open, iconButton("reply", "Reply", actions.reply), ...own, picker);
}
