// One messenger's column: what is said in its chat, and the field to say something.

import { operate, say } from "./api.js";
import { Composer } from "./composer.js";
import { h, icon, toast } from "./dom.js";
import { Faults } from "./faults.js";
import { continues, messageNode, threadOf } from "./message.js";

const NEAR_END_PX = 80;
const MOST_SHOWN = 500;

export class Pane {
  /** `info` is this platform's entry of sandbox.json; `onNews` is called for what arrives while the pane is not looked at. */
  constructor(info, { people, avatars, onNews }) {
    this.info = info;
    this.platform = info.platform;
    this.avatars = avatars;
    this.onNews = onNews;
    this.messages = new Map();
    this.rows = new Map();
    this.dead = new Map();
    this.composer = new Composer(info, {
      people, person: info.person,
      onPerson: () => this.redraw(),
      onSend: (draft) => this.send(draft),
      onEditLast: () => this.editLast(),
    });
    this.composer.onReady = (isReady) => this.offer(isReady);
    this.faults = new Faults(info);
    this.build();
    this.offer(this.composer.isReady);
  }

  build() {
    const { title, chat_name: chat } = this.info;
    this.list = h("ol", { class: "messages", onKeydown: (event) => this.walk(event) });
    this.empty = this.emptyState();
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onClick: () => this.toEnd(true) },
      icon("down"), "New messages");
    this.scroller = h("div", {
      class: "scroller", role: "log", "aria-label": `Messages in ${title}`, onScroll: () => this.scrolled(),
    }, this.empty, this.list);
    this.node = h("section", {
      class: `pane ${this.platform}`, id: `pane-${this.platform}`, "aria-label": title, "data-platform": this.platform,
    },
      h("header", { class: "pane-head" },
        h("div", { class: "pane-title" }, h("h2", {}, title), h("span", { class: "chat" }, chat)),
        this.faults.pill, this.faults.toggle),
      this.faults.panel, this.faults.banner,
      h("div", { class: "stage" }, this.scroller, this.jump),
      this.composer.node,
      h("div", { class: "drop-hint", "aria-hidden": "true" }, `Drop to send in ${title}`));
    this.acceptDrops();
    this.keepFollowing();
  }

  emptyState() {
    const first = (label, action) => h("button", { type: "button", onClick: action }, label);
    return h("div", { class: "empty" },
      h("p", {}, h("b", {}, "Nothing here yet.")),
      h("p", {}, "What you write below appears in the other messengers."),
      h("div", { class: "starters" },
        first("Say hello", () => this.send({ text: `Hello from ${this.info.title}!`, files: [] })),
        first("Send formatted text", () => this.send({ text: this.info.formatting_sample, files: [] })),
        first("Send a picture", async () => this.send({ text: "", files: [await drawnPicture(this.info.title)] }))));
  }

  offer(isReady) {
    for (const button of this.empty?.querySelectorAll("button") ?? []) button.disabled = !isReady;
  }

  // -- what people see --------------------------------------------------------------------------------------------------------

  /** Take in the new states of messages, oldest first; `live` ones are highlighted. */
  apply(changes, live) {
    const { following } = this;
    let added = 0;
    for (const { kind, message } of changes) {
      const known = this.messages.has(message.message_id);
      if (!known && kind !== "created" && this.forgetful) continue;
      this.messages.set(message.message_id, message);
      this.place(message);
      if (!known) added += 1;
      if (live) this.flash(message.message_id, kind);
    }
    this.forgetOldest();
    this.firstStop();
    this.empty.hidden = this.messages.size > 0;
    if (this.awaited && this.rows.has(this.awaited)) this.showAwaited();
    else if (following) this.toEnd(false);
    else if (added && live) this.jump.hidden = false;
    if (added && live) this.onNews(added);
  }

  place(message) {
    const row = this.row(message);
    const old = this.rows.get(message.message_id);
    if (old) {
      const held = old.contains(document.activeElement);
      old.replaceWith(row);
      if (held) row.focus({ preventScroll: true });
    } else {
      this.list.insertBefore(row, this.behind(message));
    }
    this.rows.set(message.message_id, row);
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

  /** Which messages did not arrive somewhere, and why: `letters` of the bridge's status, of this messenger's messages. */
  mark(letters) {
    const now = new Map();
    for (const letter of letters) now.set(letter.message_id, [...(now.get(letter.message_id) ?? []), letter]);
    const touched = [...new Set([...this.dead.keys(), ...now.keys()])]
      .filter((id) => JSON.stringify(this.dead.get(id)) !== JSON.stringify(now.get(id)));
    this.dead = now;
    for (const id of touched) if (this.messages.has(id)) this.place(this.messages.get(id));
    if (touched.length) this.firstStop();
  }

  row(message) {
    const parentId = message.reply_to || (message.thread_id !== message.message_id ? message.thread_id : "");
    return messageNode(message, {
      platform: this.platform, person: this.composer.person, avatars: this.avatars, parent: this.messages.get(parentId),
      dead: this.dead.get(message.message_id) ?? [], inThread: this.rows.has(threadOf(message)),
      actions: {
        reply: () => this.composer.reply(message),
        edit: () => this.composer.edit(message),
        delete: () => this.act("delete", { message_id: message.message_id }),
        react: (emoji, remove) => this.act("react", {
          message_id: message.message_id, person: this.composer.person, emoji, remove,
        }),
        show: (messageId) => this.show(messageId),
      },
    });
  }

  redraw() {
    for (const message of this.messages.values()) this.place(message);
    this.firstStop();
  }

  /** A page that is open for days stays quick. */
  forgetOldest() {
    for (const [messageId, row] of this.rows) {
      if (this.rows.size <= MOST_SHOWN) return;
      this.forgetful = true;
      row.remove();
      this.rows.delete(messageId);
      this.messages.delete(messageId);
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
    row.scrollIntoView({ block: "center", behavior: "smooth" });
    row.focus({ preventScroll: true });
    this.flash(messageId, "shown");
  }

  // -- what a person does -----------------------------------------------------------------------------------------------------

  async send({ text, files, replyTo = "", editing = "" }) {
    try {
      if (editing) await this.act("edit", { message_id: editing, text }, true);
      else {
        const body = { chat_id: this.info.chat_id, person: this.composer.person, text, reply_to: replyTo };
        const said = await say(this.platform, body, files);
        if (replyTo) this.await(said.message_id);
        else this.toEnd(false);
      }
      return true;
    } catch (fault) {
      toast(`${this.info.title}: ${fault.message}`);
      return false;
    }
  }

  async act(operation, body, strict = false) {
    try {
      await operate(this.platform, operation, { chat_id: this.info.chat_id, ...body });
    } catch (fault) {
      if (strict) throw fault;
      toast(`${this.info.title}: ${fault.message}`);
    }
  }

  /** An answer may stand in a thread far above: it is shown where it is, once it is there. */
  await(messageId) {
    this.awaited = messageId;
    if (this.rows.has(messageId)) this.showAwaited();
  }

  showAwaited() {
    const row = this.rows.get(this.awaited);
    this.awaited = "";
    if (row === this.list.lastElementChild) this.toEnd(false);
    else row.scrollIntoView({ block: "nearest" });
  }

  editLast() {
    const own = [...this.messages.values()].filter((m) => !m.is_bot && !m.deleted && m.author_name === this.composer.person);
    if (own.length) this.composer.edit(own.at(-1));
  }

  acceptDrops() {
    let depth = 0;
    const over = (change) => {
      depth = Math.max(0, depth + change);
      this.node.classList.toggle("dropping", depth > 0);
    };
    const carriesFiles = (event) => [...event.dataTransfer.types].includes("Files");
    this.node.addEventListener("dragenter", (event) => carriesFiles(event) && over(1));
    this.node.addEventListener("dragleave", (event) => carriesFiles(event) && over(-1));
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      over(-depth);
      this.composer.attach(event.dataTransfer.files);
    });
  }

  // -- moving about -----------------------------------------------------------------------------------------------------------

  atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_END_PX;
  }

  toEnd(smoothly) {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smoothly ? "smooth" : "instant" });
    this.jump.hidden = true;
    this.following = true;
  }

  /** Only somebody who scrolls up leaves the end: what grows above or below moves it too, and tells of it by the same event. */
  scrolled() {
    const { scrollTop } = this.scroller;
    if (this.atEnd()) {
      this.following = true;
      this.jump.hidden = true;
    } else if (scrollTop < this.lastTop - 1) this.following = false;
    this.lastTop = scrollTop;
  }

  walk(event) {
    const row = event.target.closest(".message");
    const step = { ArrowUp: row?.previousElementSibling, ArrowDown: row?.nextElementSibling,
      Home: this.list.firstElementChild, End: this.list.lastElementChild }[event.key];
    if (event.key === "Escape" && row) row.focus();
    if (!step || event.target.closest("input, textarea, audio, video")) return;
    event.preventDefault();
    step.focus();
    step.scrollIntoView({ block: "nearest" });
  }

  /** One message is reached by the Tab key, the others from it by the arrow keys. */
  firstStop() {
    for (const row of this.list.querySelectorAll(".message[tabindex='0']")) row.tabIndex = -1;
    if (this.list.lastElementChild) this.list.lastElementChild.tabIndex = 0;
  }

  /** Pictures that finish loading and panels that open move the end: whoever was at the end stays there. */
  keepFollowing() {
    this.following = true;
    this.lastTop = 0;
    const observer = new ResizeObserver(() => this.following && this.toEnd(false));
    observer.observe(this.scroller);
    observer.observe(this.list);
  }
}

async function drawnPicture(title) {
  const canvas = h("canvas", { width: 640, height: 360 });
  const pen = canvas.getContext("2d");
  const hueAt = Math.floor(Math.random() * 360);
  const sky = pen.createLinearGradient(0, 0, 0, 360);
  sky.addColorStop(0, `hsl(${hueAt} 70% 35%)`);
  sky.addColorStop(1, `hsl(${(hueAt + 60) % 360} 80% 75%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, 640, 360);
  pen.fillStyle = "#ffffffcc";
  pen.beginPath();
  pen.arc(480, 110, 46, 0, Math.PI * 2);
  pen.fill();
  for (const [top, shade] of [[220, "30%"], [265, "22%"], [310, "14%"]]) {
    pen.fillStyle = `hsl(${(hueAt + 30) % 360} 40% ${shade})`;
    pen.beginPath();
    pen.moveTo(0, 360);
    for (let x = 0; x <= 640; x += 8) pen.lineTo(x, top + Math.sin(x / 70 + top) * 26 + Math.sin(x / 23 + top) * 8);
    pen.lineTo(640, 360);
    pen.fill();
  }
  pen.fillStyle = "#fff";
  pen.font = "600 26px system-ui, sans-serif";
  pen.fillText(`Greetings from ${title}`, 28, 52);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new File([blob], "greetings.png", { type: "image/png" });
}
