// The threads and topics of a chat, as a row above its messages: choose one to read and write in it, or open a new one by name.

import { h, icon, plain } from "./dom.js";
import { threadOf } from "./message.js";

const MOST_LISTED = 12;
const NAME_MOST = 100;

export class Threads {
  /** `onChoose(threadId)`: empty is the whole chat. `onOpen(name)` opens one. `onChange(threadId, {name?, closed?})` renames, closes or
   *  reopens one, where the messenger's people can. */
  constructor({ title, canOpen, canChange, onChoose, onOpen, onChange }) {
    this.onChoose = onChoose;
    this.title = title;
    this.canChange = canChange;
    this.onChange = onChange;
    this.renaming = "";
    this.chosen = "";
    this.named = new Map();
    this.row = h("div", { class: "thread-row", role: "group", "aria-label": `Threads in ${title}` });
    this.field = h("input", { type: "text", class: "thread-name", maxLength: NAME_MOST, dir: "auto", placeholder: "Its name",
      "aria-label": `Name of the new thread in ${title}`, onKeydown: (event) => event.key === "Escape" && this.asking(false) });
    this.form = h("form", { class: "thread-form", hidden: true, onSubmit: (event) => {
      event.preventDefault();
      const name = this.field.value.trim();
      if (name && this.renaming) onChange(this.renaming, { name });
      else if (name) onOpen(name);
      this.asking(false);
    } }, this.field, this.submit = h("button", { type: "submit", class: "primary" }, "Open"));
    this.open = canOpen && h("button", { type: "button", class: "thread-new", title: "New thread", "aria-label": `New thread in ${title}`,
      onClick: () => this.asking(this.form.hidden) }, icon("plus"));
    this.node = h("div", { class: "threads" }, this.row, this.form);
    this.draw();
  }

  ready(isReady) {
    if (this.open) this.open.disabled = !isReady;
  }

  /** `renaming`: the thread that gets the name; empty: a new one. */
  asking(wanted, renaming = "") {
    this.form.hidden = !wanted;
    this.renaming = renaming;
    this.field.value = renaming && this.nameOf(renaming);
    this.field.setAttribute("aria-label", `Name of the ${renaming ? "chosen" : "new"} thread in ${this.title}`);
    this.submit.textContent = renaming ? "Rename" : "Open";
    if (wanted) this.field.focus();
  }

  /** The threads as the messenger lists them: {thread_id, name, closed}. */
  known(threads) {
    const key = JSON.stringify(threads);
    if (key === this.key) return;
    this.key = key;
    for (const thread of threads) this.named.set(thread.thread_id, thread);
    const listed = new Set(threads.map((thread) => thread.thread_id));
    for (const [id, thread] of this.named) if (!thread.own && !listed.has(id)) this.named.delete(id);
    this.draw();
  }

  opened(threadId, name) {
    if (!this.named.has(threadId)) this.named.set(threadId, { thread_id: threadId, name, own: true });
    this.choose(threadId);
  }

  nameOf(threadId) {
    return this.named.get(threadId)?.name ?? "";
  }

  shows(message) {
    return !this.chosen || threadOf(message) === this.chosen || message.message_id === this.chosen;
  }

  choose(threadId) {
    this.chosen = threadId;
    this.draw();
    this.onChoose(threadId);
  }

  /** What people can do to the chosen thread, where the messenger lists it as one with a name. */
  changes() {
    const chosen = this.named.get(this.chosen);
    if (!this.canChange || !chosen || chosen.own) return [];
    const button = (word, onClick) => h("button", { type: "button", class: "thread-tab", onClick,
      "aria-label": `${word} the thread ${plain(chosen.name)} in ${this.title}` }, word);
    return [
      button("Rename", () => this.asking(true, this.chosen)),
      button(chosen.closed ? "Reopen" : "Close", () => this.onChange(this.chosen, { closed: !chosen.closed })),
    ];
  }

  draw() {
    const listed = [...this.named.values()].slice(-MOST_LISTED);
    if (this.chosen && !listed.some((thread) => thread.thread_id === this.chosen)) {
      listed.push(this.named.get(this.chosen) ?? { thread_id: this.chosen, name: "Thread" });
    }
    const tab = (id, name, closed) => h("button", {
      type: "button", class: closed ? "thread-tab closed" : "thread-tab", "aria-pressed": String(this.chosen === id),
      title: closed ? `${plain(name)} (closed)` : plain(name), onClick: () => this.choose(id),
    }, h("span", { dir: "auto" }, plain(name, 40)));
    const tabs = listed.map((thread) => tab(thread.thread_id, thread.name, thread.closed));
    this.row.replaceChildren(...[tab("", "All"), ...tabs, this.open, ...this.changes()].filter(Boolean));
    this.node.hidden = !listed.length && !this.open;
  }
}
