// One chat of a messenger: what is said in it, its threads and pins, and the field to say something. A column has one for each room.

import { operate, say } from "./api.js";
import { Composer } from "./composer.js";
import { h, icon, plain, toast } from "./dom.js";
import { Feed } from "./feed.js";
import { continues, messageNode, threadOf } from "./message.js";
import { drawnPicture } from "./samples.js";
import { Threads } from "./threads.js";
import { showTrace } from "./trace.js";

const MOST_SHOWN = 500;

export class Chat {
  /** `info` is the platform's entry of sandbox.json, `room` the room's chat there; `onNews(count)` is called for what arrives. */
  constructor(info, room, { people, person, avatars, titles, about, onNews, onPerson }) {
    this.info = info;
    this.room = room;
    this.platform = info.platform;
    this.chatId = room.chat_id;
    this.avatars = avatars;
    this.titles = titles;
    this.about = about;
    this.onNews = onNews;
    this.messages = new Map();
    this.rows = new Map();
    this.dead = new Map();
    this.marks = new Map();
    this.composer = new Composer(info, {
      room, people, person,
      onPerson: (name) => { this.redraw(); onPerson(name); },
      onSend: (draft) => this.send(draft),
      onEditLast: () => this.editLast(),
      onAsk: (poll) => this.ask(poll),
      onTyping: () => this.act("type", { person: this.composer.person }),
    });
    this.composer.onBecome = () => this.redraw();
    this.composer.onReady = (isReady) => this.offer(isReady);
    this.build();
    this.offer(this.composer.isReady);
  }

  build() {
    const { title } = this.info;
    this.empty = this.emptyState();
    this.feed = new Feed(`Messages in ${title}`, this.empty);
    this.list = this.feed.list;
    this.threads = new Threads({
      title, canOpen: this.room.names_threads, onChoose: (threadId) => this.chooseThread(threadId), onOpen: (name) => this.startThread(name),
      canChange: this.info.can.includes("change_thread"),
      onChange: (threadId, change) => this.act("change_thread", { person: this.composer.person, thread_id: threadId, ...change }),
    });
    this.pins = h("div", { class: "pins", hidden: true });
    this.typing = h("p", { class: "typing", role: "status", dir: "auto", hidden: true });
    this.node = h("div", { class: "chat-view" }, this.threads.node, this.pins, this.feed.node, this.typing, this.composer.node);
  }

  emptyState() {
    const first = (label, action) => h("button", { type: "button", onClick: action }, label);
    const { relayed } = this.room;
    return h("div", { class: "empty" },
      h("p", {}, h("b", {}, "Nothing here yet.")),
      h("p", {}, relayed ? "What you write below appears in the other messengers." : "This chat only receives: no route takes what is said here."),
      relayed && h("div", { class: "starters" },
        first("Say hello", () => this.send({ text: `Hello from ${this.info.title}!`, files: [] })),
        first("Send formatted text", () => this.send({ text: this.info.formatting_sample, files: [] })),
        first("Send a picture", async () => this.send({ text: "", files: [await drawnPicture(this.info.title)] }))));
  }

  offer(isReady) {
    for (const button of this.empty?.querySelectorAll("button") ?? []) button.disabled = !isReady;
    this.threads?.ready(isReady);
  }

  // -- what people see --------------------------------------------------------------------------------------------------------

  /** Take in the new states of messages, oldest first; `live` ones are highlighted. */
  apply(changes, live) {
    const { following } = this.feed;
    let added = 0;
    for (const { kind, message } of newest(changes)) {
      const known = this.messages.has(message.message_id);
      if (!known && kind !== "created" && this.forgetful) continue;
      this.messages.set(message.message_id, message);
      this.place(message);
      if (!known) added += 1;
      if (live) this.flash(message.message_id, kind);
    }
    if (added) this.refreshRoots(changes);
    this.forgetOldest();
    this.feed.firstStop();
    this.drawPins();
    this.empty.hidden = this.messages.size > 0;
    if (this.awaited && this.rows.has(this.awaited)) this.showAwaited();
    else if (following) this.feed.toEnd(false);
    else if (added && live) this.feed.jump.hidden = false;
    if (added && live) this.onNews(added);
  }

  place(message) {
    const row = this.row(message);
    const old = this.rows.get(message.message_id);
    if (old) {
      const held = old.contains(document.activeElement);
      const reactions = openReactions(old);
      old.replaceWith(row);
      if (held) row.focus({ preventScroll: true });
      if (reactions) reopenReactions(row, reactions);
    } else {
      this.list.insertBefore(row, this.behind(message));
    }
    this.rows.set(message.message_id, row);
    row.hidden = !this.threads.shows(message);
    const before = this.messages.get(row.previousElementSibling?.dataset.id);
    row.classList.toggle("continued", continues(message, before));
    const next = row.nextElementSibling;
    if (next) next.classList.toggle("continued", continues(this.messages.get(next.dataset.id), message));
  }

  /** The row before which a new message goes: an answer in a thread stands below the first message and the other answers. */
  behind(message) {
    const root = threadOf(message);
    let row = root && this.rows.get(root);
    if (!row) return null;
    do row = row.nextElementSibling;
    while (row && threadOf(this.messages.get(row.dataset.id)) === root);
    return row;
  }

  /** The first message of a thread tells how many answers it has. */
  refreshRoots(changes) {
    for (const root of new Set(changes.map(({ message }) => threadOf(message)))) {
      if (this.messages.has(root)) this.place(this.messages.get(root));
    }
  }

  row(message) {
    const thread = threadOf(message);
    const parentId = message.reply_to || thread;
    return messageNode(message, {
      platform: this.platform, person: this.composer.person, avatars: this.avatars, parent: this.messages.get(parentId),
      dead: this.dead.get(message.message_id) ?? [], mark: this.marks.get(message.message_id), relayed: this.room.relayed,
      inThread: this.rows.has(thread), threadName: this.threads.nameOf(thread), answers: this.answersOf(message.message_id),
      actions: this.actions(message),
    });
  }

  answersOf(messageId) {
    let count = 0;
    for (const message of this.messages.values()) if (threadOf(message) === messageId && !message.deleted) count += 1;
    return count;
  }

  actions(message) {
    const { can } = this.info;
    const id = message.message_id;
    const { person } = this.composer;
    return {
      reply: () => this.composer.reply(message),
      edit: () => this.composer.edit(message),
      delete: () => this.act("delete", { message_id: id }),
      react: (emoji, remove) => this.act("react", { message_id: id, person, emoji, remove }),
      show: (messageId) => this.show(messageId),
      openThread: (threadId) => this.threads.choose(threadId),
      trace: () => this.trace(message),
      pin: can.includes("pin") && (() => this.act("pin", { message_id: id, person, remove: Boolean(message.pinned) })),
      startThread: this.room.threads_from_messages && !threadOf(message) && (() => this.threadOn(message)),
      vote: can.includes("ask") && ((options) => this.act("vote", { message_id: id, person, options })),
      closePoll: can.includes("ask") && !message.is_bot && (() => this.act("close_poll", { message_id: id })),
    };
  }

  redraw() {
    for (const message of this.messages.values()) this.place(message);
    this.feed.firstStop();
  }

  /** A page that is open for days stays quick. */
  forgetOldest() {
    for (const [messageId, row] of this.rows) {
      if (this.rows.size <= MOST_SHOWN) return;
      this.forgetful = true;
      row.remove();
      this.rows.delete(messageId);
      this.messages.delete(messageId);
      this.marks.delete(messageId);
    }
  }

  flash(messageId, kind) {
    const row = this.rows.get(messageId);
    row.classList.add("fresh", `fresh-${kind}`);
    setTimeout(() => row.classList.remove("fresh", `fresh-${kind}`), 1800);
  }

  show(messageId) {
    const row = this.rows.get(messageId);
    if (!row) return;
    if (row.hidden) this.threads.choose("");
    row.scrollIntoView({ block: "center", behavior: "smooth" });
    row.focus({ preventScroll: true });
    this.flash(messageId, "shown");
  }

  drawPins() {
    const pinned = [...this.messages.values()].filter((message) => message.pinned && !message.deleted);
    const key = JSON.stringify(pinned.map((message) => [message.message_id, message.text]));
    if (key === this.pinned) return;
    this.pinned = key;
    this.pins.hidden = !pinned.length;
    const last = pinned.at(-1);
    if (!last) return;
    const words = plain(last.text, 90) || plain(last.poll?.question) || `${last.files?.length ?? 0} files`;
    this.pins.replaceChildren(h("button", { type: "button", title: "Show the pinned message", onClick: () => {
      this.pinAt = ((this.pinAt ?? 0) + 1) % pinned.length;
      this.show(pinned.at(-1 - this.pinAt + (pinned.length === 1 ? 0 : 1))?.message_id ?? last.message_id);
    } }, icon("pin"), h("b", {}, pinned.length > 1 ? `${pinned.length} pinned` : "Pinned"), h("span", { dir: "auto" }, words)));
  }

  showTyping(names) {
    const words = names.length ? `${names.slice(0, 3).map((name) => plain(name, 30)).join(", ")} ${names.length === 1 ? "is" : "are"} typing …` : "";
    if (this.typing.textContent !== words) this.typing.textContent = words;
    this.typing.hidden = !words;
  }

  // -- what became of it ------------------------------------------------------------------------------------------------------

  /** Which messages did not arrive somewhere, and why: `letters` of the bridge's status, of this messenger's messages. */
  markDead(letters) {
    const now = new Map();
    for (const letter of letters) now.set(letter.message_id, [...(now.get(letter.message_id) ?? []), letter]);
    const touched = [...new Set([...this.dead.keys(), ...now.keys()])]
      .filter((id) => JSON.stringify(this.dead.get(id)) !== JSON.stringify(now.get(id)));
    this.dead = now;
    for (const id of touched) if (this.messages.has(id)) this.place(this.messages.get(id));
    if (touched.length) this.feed.firstStop();
  }

  /** What people said here of which it is not known yet that it arrived everywhere, newest first. */
  unsettled() {
    if (!this.room.relayed) return [];
    const open = [...this.messages.values()].filter((message) => !message.is_bot && !message.system
      && !isSettled(this.marks.get(message.message_id)));
    return open.reverse().map((message) => ({ platform: this.platform, chat_id: this.chatId, message_id: message.message_id }));
  }

  markDelivery(messageId, mark) {
    const message = this.messages.get(messageId);
    if (!message || JSON.stringify(mark) === JSON.stringify(this.marks.get(messageId))) return;
    this.marks.set(messageId, mark);
    this.place(message);
    this.feed.firstStop();
  }

  trace(message) {
    const asked = { platform: this.platform, chat_id: this.chatId, message_id: message.message_id };
    showTrace(asked, { words: message.text || message.poll?.question, titles: this.titles });
  }

  // -- what a person does -----------------------------------------------------------------------------------------------------

  async send({ text, files, replyTo = "", editing = "" }) {
    try {
      if (editing) await this.act("edit", { message_id: editing, text }, true);
      else {
        const thread = replyTo ? "" : this.threads.chosen;
        const body = { chat_id: this.chatId, person: this.composer.person, text, reply_to: replyTo, thread_id: thread };
        const said = await say(this.platform, body, files);
        if (replyTo) this.await(said);
        else this.feed.toEnd(false);
      }
      return true;
    } catch (fault) {
      toast(`${this.info.title}: ${fault.message}`);
      return false;
    }
  }

  async act(operation, body, strict = false) {
    try {
      return await operate(this.platform, operation, { chat_id: this.chatId, ...body });
    } catch (fault) {
      if (strict) throw fault;
      toast(`${this.info.title}: ${fault.message}`);
      return undefined;
    }
  }

  /** Resolves to why it did not go; empty when it went. */
  async ask(poll) {
    try {
      await this.act("ask", { person: this.composer.person, ...poll }, true);
      return "";
    } catch (fault) {
      return fault.message;
    }
  }

  async startThread(name) {
    const threadId = await this.act("start_thread", { person: this.composer.person, name });
    if (threadId) this.threads.opened(threadId, name);
  }

  /** Where threads have names, one is opened from the message; elsewhere the first answer opens it. */
  async threadOn(message) {
    if (this.info.can.includes("start_thread") && !this.answersOf(message.message_id)) {
      const name = plain(message.text, 60) || "Thread";
      const opened = await this.act("start_thread", { person: this.composer.person, name, message_id: message.message_id });
      if (!opened) return;
      this.threads.opened(opened, name);
      return;
    }
    this.threads.opened(message.message_id, plain(message.text, 60) || "Thread");
  }

  chooseThread(threadId) {
    for (const [id, row] of this.rows) row.hidden = !this.threads.shows(this.messages.get(id));
    this.composer.inThread(threadId && this.threads.nameOf(threadId));
    this.feed.toEnd(false);
  }

  /** An answer may stand in a thread far above: it is shown where it is, once it is there. */
  await(messageId) {
    this.awaited = messageId;
    if (this.rows.has(messageId)) this.showAwaited();
  }

  showAwaited() {
    const row = this.rows.get(this.awaited);
    this.awaited = "";
    if (row === this.list.lastElementChild) this.feed.toEnd(false);
    else row.scrollIntoView({ block: "nearest" });
  }

  editLast() {
    const own = [...this.messages.values()].filter((m) => !m.is_bot && !m.deleted && !m.poll && m.author_name === this.composer.person);
    if (own.length) this.composer.edit(own.at(-1));
  }
}

/** Somebody is choosing a reaction: which one is reached, if one is. */
function openReactions(row) {
  const picker = row.querySelector(".picker:not([hidden])");
  return picker && { at: [...picker.children].indexOf(document.activeElement) };
}

function reopenReactions(row, { at }) {
  row.querySelector(".tools [aria-expanded]")?.click();
  row.querySelector(".picker")?.children[at]?.focus({ preventScroll: true });
}

/** Of many changes at once only the last state of each message, and no more messages than are shown. */
function newest(changes) {
  const last = new Map();
  for (const { kind, message } of changes) {
    const first = last.get(message.message_id)?.kind;
    last.set(message.message_id, { kind: first === "created" ? first : kind, message });
  }
  return [...last.values()].slice(-MOST_SHOWN);
}

function isSettled(mark) {
  return Boolean(mark) && !mark.waiting && !mark.dead && mark.delivered + mark.skipped > 0;
}
