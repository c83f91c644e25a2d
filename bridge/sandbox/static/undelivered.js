// What did not arrive: dead letters with their reason and a way to try again, and what was left out on purpose, by rule.

import { retry } from "./api.js";
import { h, toast } from "./dom.js";

export class Undelivered {
  /** `titles` names the messengers; `onShow(platform, messageId)` brings a message into view. */
  constructor(titles, { onShow }) {
    this.titles = titles;
    this.onShow = onShow;
    this.summary = h("summary", {});
    this.lines = h("div", { class: "undelivered-lines" });
    this.node = h("details", { class: "undelivered", hidden: true }, this.summary, this.lines);
  }

  draw({ dead, skips }) {
    const key = JSON.stringify([dead, skips]);
    if (key === this.key) return;
    this.key = key;
    const skipped = skips.reduce((sum, { count }) => sum + count, 0);
    this.node.hidden = !dead.length && !skipped;
    this.node.classList.toggle("bad", dead.length > 0);
    const parts = [];
    if (dead.length) parts.push(`${dead.length} not delivered`);
    if (skipped) parts.push(`${skipped} left out by rule`);
    this.summary.textContent = parts.join(" · ");
    this.lines.replaceChildren(...dead.map((letter) => this.letter(letter)), ...skips.map((skip) => this.skip(skip)));
    if (dead.length > 1) this.lines.append(this.again("Try all again", dead.map((letter) => letter.delivery_id)));
  }

  letter({ delivery_id: id, origin, message_id: messageId, target, words, reason }) {
    const title = words ? `“${words}”` : "a change";
    const what = messageId
      ? h("button", { type: "button", class: "link", dir: "auto", onClick: () => this.onShow(origin, messageId) }, title)
      : h("span", { dir: "auto" }, title);
    return h("div", { class: "undelivered-line" },
      h("p", {}, what, ` from ${this.titles.get(origin) ?? origin} is not in ${this.titles.get(target) ?? target}: `,
        h("span", { class: "reason" }, reason)),
      this.again("Try again", [id]));
  }

  skip({ target, rule, count }) {
    const times = count === 1 ? "once" : `${count} times`;
    return h("div", { class: "undelivered-line" },
      h("p", {}, `Left out in ${this.titles.get(target) ?? target} ${times}: `, h("span", { class: "reason" }, rule)));
  }

  again(label, deliveries) {
    return h("button", { type: "button", onClick: async (event) => {
      event.target.disabled = true;
      try {
        await retry(deliveries);
      } catch (fault) {
        toast(fault.message);
        event.target.disabled = false;
      }
    } }, label);
  }
}
