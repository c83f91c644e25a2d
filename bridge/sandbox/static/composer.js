// The field at the foot of a column: who speaks, what is said, what it answers or changes, and which files go along.

import { fileSize, float, h, hue, icon, iconButton, plain, roving, toast } from "./dom.js";
import { Mentions } from "./mentions.js";
import { pickEmoji } from "./picker.js";
import { askPoll } from "./poll.js";
import { record } from "./recorder.js";
import { album, sticker, voice } from "./samples.js";

const FILES_MOST = 10;
const TYPING_EVERY_MS = 4000;
const SPEAK = "Record a voice message";

export class Composer {
  /** `room` is the chat it writes in. `onSend(draft)` resolves to whether it went; the draft has text, files, replyTo, editing.
   * `onAsk(poll)` resolves to why a poll was refused. */
  constructor(info, { room, people, person, onPerson, onSend, onEditLast, onAsk, onTyping }) {
    this.info = info;
    this.room = room;
    this.onSend = onSend;
    this.onEditLast = onEditLast;
    this.onAsk = onAsk;
    this.onTyping = onTyping;
    this.files = [];
    this.replyTo = null;
    this.editing = null;
    this.draft = null;
    this.sending = Promise.resolve();
    this.kept = `typed-${info.platform}-${room.chat_id}`;
    this.build(people, person, onPerson);
    this.restoreTyped();
    this.ready(false);
  }

  /** Until the bridge has been connected to every messenger, some of what is said would never reach it. */
  ready(isReady) {
    if (this.isReady === isReady) return;
    this.isReady = isReady;
    const { title } = this.info;
    this.placeholder = isReady ? `Write in ${title} …` : "The bridge is connecting …";
    this.inThread(this.thread);
    for (const part of this.node.querySelectorAll("textarea, button, input, select")) part.disabled = !isReady;
    this.node.classList.toggle("waiting", !isReady);
    this.onReady?.(isReady);
  }

  get person() {
    return this.select.value;
  }

  become(name) {
    if (this.select.value === name) return;
    this.select.value = name;
    this.colour();
    this.onBecome?.();
  }

  /** What is written goes into the thread of this name; empty: into the chat itself. */
  inThread(name) {
    this.thread = name;
    this.field.placeholder = name && this.isReady ? `Write in ${plain(name, 24)} …` : this.placeholder;
  }

  build(people, person, onPerson) {
    const { title } = this.info;
    this.select = h("select", { "aria-label": `Who writes in ${title}`, title: "Who writes", onChange: () => {
      this.colour();
      onPerson(this.select.value);
    } }, ...people.map((name) => h("option", { value: name, selected: name === person }, name)));
    this.who = h("label", { class: "who" }, h("span", { class: "who-dot", "aria-hidden": "true" }), this.select);
    this.colour();
    this.field = h("textarea", {
      rows: 1, dir: "auto", "aria-label": `Message in ${title}`, enterKeyHint: "send", autocomplete: "off",
      onInput: () => this.typed(), onKeydown: (event) => this.key(event), onPaste: (event) => this.paste(event),
    });
    this.mentions = new Mentions(this.field, { platform: this.info.platform, chatId: this.room.chat_id, onTake: () => this.grow() });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, onChange: () => {
      this.attach(this.picker.files);
      this.picker.value = "";
    } });
    this.context = h("div", { class: "context", hidden: true });
    this.chips = h("div", { class: "chips", hidden: true });
    this.spokenFor = h("b", {});
    this.listening = h("div", { class: "context", hidden: true }, icon("voice"), h("span", { class: "context-text" }, this.spokenFor),
      iconButton("close", "Throw the recording away", () => this.spoken(false)));
    this.microphone = iconButton("voice", SPEAK, () => this.speak(), { "aria-pressed": "false" });
    this.sendButton = h("button", { type: "submit", class: "send", title: "Send (Enter)", "aria-label": "Send" }, icon("send"));
    this.node = h("form", { class: "composer", onSubmit: (event) => {
      event.preventDefault();
      this.send();
    } },
      this.context, this.listening, this.chips, this.mentions.list,
      h("div", { class: "line" }, this.field, this.sendButton),
      h("div", { class: "line below" }, this.who,
        iconButton("plus", "Add …", (event) => this.menu(event.currentTarget), { "aria-haspopup": "menu" }),
        iconButton("react", "Insert an emoji", (event) => pickEmoji(event.currentTarget, { verb: "Insert", onPick: (emoji) => this.insert(emoji) })),
        iconButton("attach", "Attach files", () => this.picker.click()),
        this.microphone,
        iconButton("format", `Insert a sample of ${title}'s formatting`, () => this.insert(this.info.formatting_sample)),
        this.picker));
  }

  /** What else can be sent: samples for those who have nothing at hand, and polls where the messenger has them. */
  menu(anchor) {
    const { title, can } = this.info;
    const entry = (name, label, action) => h("button", { type: "button", role: "menuitem", tabIndex: -1, onClick: async () => {
      panel.hidePopover();
      try {
        await action();
      } catch (fault) {
        toast(`${title}: ${fault.message}`);
      }
    } }, icon(name), label);
    const send = (files) => this.onSend({ text: "", files });
    const entries = [
      entry("attach", "Files …", () => this.picker.click()),
      entry("picture", "An album of three pictures", async () => this.attach(await album(title))),
      entry("react", "A sticker", async () => send([await sticker()])),
      entry("voice", "A voice message", async () => send([await voice()])),
      can.includes("ask") && entry("poll", "A poll …", () => askPoll({ title, onAsk: this.onAsk })),
      entry("format", "Formatted text", () => this.insert(this.info.formatting_sample)),
    ].filter(Boolean);
    const panel = h("div", { class: "menu", role: "menu", "aria-label": `Add in ${title}`, onKeydown: (event) => roving(event, entries, 1) }, ...entries);
    float(panel, anchor);
    entries[0].focus();
  }

  typed() {
    this.grow();
    if (!this.info.can.includes("type") || !this.field.value || performance.now() - (this.toldTyping ?? -Infinity) < TYPING_EVERY_MS) return;
    this.toldTyping = performance.now();
    this.onTyping();
  }

  colour() {
    this.who.style.setProperty("--hue", hue(this.select.value));
  }

  key(event) {
    if (this.mentions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.node.requestSubmit();
    } else if (event.key === "Escape" && (this.replyTo || this.editing)) {
      this.clearContext();
    } else if (event.key === "ArrowUp" && !this.field.value && !this.editing) {
      event.preventDefault();
      this.onEditLast();
    }
  }

  /** What is typed outlives the page: it opens itself anew when the sandbox was started again, or when it fell far behind. */
  keepTyped() {
    try {
      if (this.editing) return;
      if (this.field.value) sessionStorage.setItem(this.kept, this.field.value);
      else sessionStorage.removeItem(this.kept);
    } catch {
      // a browser that stores nothing
    }
  }

  restoreTyped() {
    try {
      this.field.value = sessionStorage.getItem(this.kept) ?? "";
    } catch {
      // a browser that stores nothing
    }
  }

  grow() {
    this.keepTyped();
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight + 2, 180)}px`;
  }

  insert(text) {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.grow();
    this.field.focus();
  }

  paste(event) {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    this.attach(files);
  }

  /** The field is free at once, for what is typed during an upload; what could not be sent comes back into it. */
  async send() {
    const { replyTo, editing, files } = this;
    const text = this.field.value.trim();
    if (!this.isReady || (!text && !files.length) || (editing && !text)) return;
    const draft = { text, files: editing ? [] : files, replyTo: replyTo?.message_id, editing: editing?.message_id };
    this.field.value = "";
    if (!editing) {
      this.files = [];
      this.drawChips();
    }
    this.clearContext();
    this.unsent = (this.unsent ?? 0) + 1;
    this.node.classList.add("busy");
    const sending = this.sending.then(() => this.onSend(draft));
    this.sending = sending.catch(() => false);
    const sent = await this.sending;
    this.unsent -= 1;
    this.node.classList.toggle("busy", this.unsent > 0);
    if (!sent) this.takeBack(draft, replyTo, editing);
  }

  takeBack(draft, replyTo, editing) {
    if (!this.editing && !this.replyTo && editing) this.edit(editing);
    else if (!this.editing && !this.replyTo && replyTo) this.reply(replyTo);
    const typed = this.editing && editing ? "" : this.field.value;
    this.field.value = [draft.text, typed].filter(Boolean).join("\n");
    this.files = [...draft.files, ...this.files];
    this.drawChips();
    this.grow();
  }

  // -- speaking -------------------------------------------------------------------------------------------------------------

  /** A first press begins a voice message, the next one sends it. */
  async speak() {
    if (this.recording) {
      await this.spoken(true);
      return;
    }
    if (this.isAsking) return; // the browser asks whether it may
    this.isAsking = true;
    try {
      this.recording = await record(() => this.spoken(true));
    } catch (fault) {
      toast(`${this.info.title}: ${fault.message}`);
    } finally {
      this.isAsking = false;
    }
    this.drawRecording();
  }

  async spoken(isWanted) {
    const { recording, replyTo } = this;
    if (!recording) return;
    this.recording = null;
    this.drawRecording();
    try {
      const file = await recording.end();
      if (!isWanted || !this.node.isConnected) return; // another room was entered
      if (replyTo) this.clearContext();
      await this.onSend({ text: "", files: [file], replyTo: replyTo?.message_id });
    } catch (fault) {
      if (isWanted) toast(`${this.info.title}: ${fault.message}`);
    }
  }

  drawRecording() {
    const { recording } = this;
    clearInterval(this.ticking);
    const label = recording ? "Send the recording" : SPEAK;
    this.microphone.replaceChildren(icon(recording ? "send" : "voice"));
    this.microphone.title = label;
    this.microphone.setAttribute("aria-label", label);
    this.microphone.setAttribute("aria-pressed", String(Boolean(recording)));
    this.listening.hidden = !recording;
    if (!recording) return;
    const tick = () => {
      const seconds = recording.seconds();
      this.spokenFor.textContent = `Recording ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    tick();
    this.ticking = setInterval(tick, 500);
  }

  // -- answering and changing -------------------------------------------------------------------------------------------------

  reply(message) {
    if (this.editing) this.clearContext();
    this.replyTo = message;
    this.drawContext("reply", `Answer to ${plain(message.author_name)}`, message.text);
  }

  /** What was being written waits in `draft` until the change is sent or called off. */
  edit(message) {
    if (!this.editing) this.draft = { text: this.field.value, replyTo: this.replyTo };
    this.replyTo = null;
    this.editing = message;
    this.field.value = message.text ?? "";
    this.grow();
    this.drawContext("edit", `Change what ${plain(message.author_name)} said`, message.text);
    if (message.html && /<(?!br)/.test(message.html)) this.context.append(h("span", { class: "note" }, "formatting is typed anew"));
  }

  clearContext() {
    const { draft } = this;
    this.replyTo = null;
    this.editing = null;
    this.draft = null;
    this.context.hidden = true;
    if (draft) this.field.value = draft.text;
    if (draft?.replyTo) this.reply(draft.replyTo);
    this.grow();
  }

  drawContext(kind, title, text) {
    const words = ` ${(text ?? "").slice(0, 120)}`;
    this.context.replaceChildren(icon(kind), h("span", { class: "context-text", dir: "auto" }, h("b", {}, title), words),
      iconButton("close", "Cancel", () => this.clearContext()));
    this.context.hidden = false;
    this.field.focus();
  }

  // -- files ------------------------------------------------------------------------------------------------------------------

  attach(files) {
    const room = FILES_MOST - this.files.length;
    if (files.length > room) toast(`At most ${FILES_MOST} files in one message`);
    this.files.push(...[...files].slice(0, room));
    this.drawChips();
    this.field.focus();
  }

  drawChips() {
    for (const url of this.previews ?? []) URL.revokeObjectURL(url);
    this.previews = [];
    this.chips.hidden = !this.files.length;
    this.chips.replaceChildren(...this.files.map((file, index) => {
      const chip = h("span", { class: "chip" });
      if (file.type.startsWith("image/") && file.type !== "image/svg+xml") {
        const url = URL.createObjectURL(file);
        this.previews.push(url);
        chip.append(h("img", { src: url, alt: "" }));
      } else chip.append(icon("file"));
      chip.append(h("span", { class: "chip-name", dir: "auto" }, file.name || "pasted.png"), h("small", {}, fileSize(file.size)),
        iconButton("close", `Leave out ${plain(file.name)}`, () => {
          this.files.splice(index, 1);
          this.drawChips();
        }));
      return chip;
    }));
  }
}
