// Behind an @ the field offers the people of that chat, as the messenger's own composer does.

import { members } from "./api.js";
import { h, hue, initials, plain } from "./dom.js";

const MOST_SHOWN = 8;
const KNOWN_FOR_MS = 5000;
let made = 0;

export class Mentions {
  /** `onTake` is called after a mention was put into `field`. */
  constructor(field, { platform, chatId, onTake }) {
    this.field = field;
    this.platform = platform;
    this.chatId = chatId;
    this.onTake = onTake;
    this.id = `people-${made += 1}`;
    this.list = h("ul", { class: "people", id: this.id, role: "listbox", "aria-label": "People of this chat", hidden: true });
    this.found = [];
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.id);
    field.addEventListener("input", () => this.look());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("click", () => this.look());
  }

  get open() {
    return !this.list.hidden;
  }

  /** The word behind the last @ before the caret; null if there is none. */
  asked() {
    const before = this.field.value.slice(Math.max(0, this.field.selectionStart - 60), this.field.selectionStart);
    return /(?:^|[\s(])@([\p{L}\p{N}\p{M}._-]{0,40})$/u.exec(before)?.[1] ?? null;
  }

  async look() {
    const word = this.asked();
    if (word === null) {
      this.close();
      return;
    }
    const people = await this.known();
    if (this.asked() !== word || document.activeElement !== this.field) return;
    const starts = word.toLowerCase();
    this.found = people.filter(({ name }) => name.toLowerCase().split(/\s+/).some((part) => part.startsWith(starts))).slice(0, MOST_SHOWN);
    this.at = 0;
    this.draw();
  }

  async known() {
    if (!this.people || performance.now() - this.askedAt > KNOWN_FOR_MS) {
      this.askedAt = performance.now();
      this.people = members(this.platform, this.chatId).catch(() => []);
    }
    return this.people;
  }

  draw() {
    this.list.hidden = !this.found.length;
    this.list.replaceChildren(...this.found.map(({ name }, index) => {
      const dot = h("span", { class: "person-dot", "aria-hidden": "true" }, initials(name));
      dot.style.setProperty("--hue", hue(name));
      return h("li", {
        id: `${this.id}-${index}`, role: "option", "aria-selected": String(index === this.at),
        onMousedown: (event) => event.preventDefault(), onClick: () => this.take(index),
      }, dot, h("span", { class: "person-name", dir: "auto" }, plain(name, 60)));
    }));
    if (this.open) this.field.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
    else this.field.removeAttribute("aria-activedescendant");
  }

  /** Whether the key was meant for the list. */
  key(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.at = (this.at + step + this.found.length) % this.found.length;
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.at);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    if (this.open) this.draw();
    return true;
  }

  take(index) {
    const word = this.asked() ?? "";
    const end = this.field.selectionStart;
    this.field.setRangeText(`${this.found[index].mention} `, end - word.length - 1, end, "end");
    this.close();
    this.onTake();
  }

  close() {
    this.found = [];
    this.draw();
  }
}
