// The bridge's own state, asked once a second: the line at the top, the columns' pills, dead letters, threads, who types.

import { getJson } from "./api.js";
import { h } from "./dom.js";

const STATUS_EVERY_MS = 1000;

export class Status {
  constructor(panes, { titles, undelivered }) {
    this.panes = panes;
    this.titles = titles;
    this.undelivered = undelivered;
  }

  async watch() {
    for (;;) {
      if (!document.hidden) await this.once();
      await new Promise((resolve) => setTimeout(resolve, STATUS_EVERY_MS));
    }
  }

  async once() {
    let status;
    try {
      status = await getJson("status.json");
    } catch {
      return; // the stream notices too, and says so
    }
    for (const account of status.accounts) this.panes.get(account.platform)?.faults.health(account);
    for (const [platform, pane] of this.panes) this.tell(platform, pane, status);
    this.undelivered.draw(status);
    this.strip(status.accounts, "", status.ready);
  }

  tell(platform, pane, status) {
    pane.ready(status.ready);
    const dead = status.dead.filter((letter) => letter.origin === platform)
      .map((letter) => ({ ...letter, target: this.titles.get(letter.target) ?? letter.target }));
    for (const [chatId, chat] of pane.byId) {
      const there = status.chats.find((each) => each.platform === platform && each.chat_id === chatId);
      chat.threads.known(there?.threads ?? []);
      chat.showTyping(there?.typing ?? []);
      chat.markDead(dead);
    }
  }

  strip(accounts, trouble, ready = true) {
    const strip = document.getElementById("strip");
    const broken = [...this.panes.values()].filter((pane) => pane.faults.broken);
    const down = accounts.filter((account) => account.state !== "up");
    const held = accounts.reduce((sum, account) => sum + (account.waiting ?? 0), 0);
    let tone = "good";
    let words = "All accounts are connected";
    if (trouble) [tone, words] = ["bad", trouble];
    else if (!accounts.length) [tone, words] = ["wait", "The bridge is starting"];
    else if (down.length) {
      const names = down.map((account) => this.panes.get(account.platform)?.info.title ?? account.account);
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
}
