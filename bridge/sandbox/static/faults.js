// The switchboard of one messenger: how the bridge's account is, and what one can break.

import { operate } from "./api.js";
import { h, icon, iconButton, toast } from "./dom.js";

const STATES = {
  up: ["good", "connected"], starting: ["wait", "starting"], connecting: ["wait", "connecting"], backoff: ["bad", "reconnecting"],
  parked: ["bad", "needs help"], stopped: ["off", "stopped"],
};

// Each switch stays on until it is turned off. The waits are short, so that healing is quick to see.
const SWITCHES = [
  { name: "429", label: "Too many requests", hint: "answers every call with 429", fault: { kind: "rate_limit", retry_after_s: 2 } },
  { name: "500", label: "Server error", hint: "answers every call with 500", fault: { kind: "server_error", status: 500 } },
  { name: "slow", label: "Slow", hint: "answers everything one second late", fault: { kind: "latency", delay_s: 1 } },
  { name: "hang", label: "Hangs", hint: "takes requests and does not answer", fault: { kind: "hang", delay_s: 8 } },
  { name: "cut", label: "Cuts off", hint: "closes every connection without an answer", fault: { kind: "drop" } },
];

export class Faults {
  constructor(info) {
    this.info = info;
    this.active = null;
    this.refusing = false;
    this.pill = h("span", { class: "pill wait", role: "status" },
      h("span", { class: "pill-dot" }), h("span", { class: "pill-text" }, "starting"));
    this.toggle = iconButton("bolt", `Break ${info.title}`, () => this.open(this.panel.hidden),
      { "aria-expanded": "false", class: "icon-button bolt" });
    this.buttons = new Map();
    this.panel = h("div", { class: "faults", hidden: true, role: "group", "aria-label": `Break ${info.title}` },
      ...SWITCHES.map((entry) => this.button(entry.name, entry.label, entry.hint, () => this.switch(entry))),
      this.button("refuse", "Unreachable", "refuses every connection", () => this.refuse(!this.refusing)),
      h("button", {
        type: "button", class: "once", title: "Once: the bridge's event connection is cut", onClick: () => this.disconnect(),
      }, "Disconnect once"),
      h("button", { type: "button", class: "heal", onClick: () => this.heal() }, "Heal"));
    this.banner = h("div", { class: "banner", hidden: true, role: "status" });
  }

  button(name, label, hint, onClick) {
    const made = h("button", { type: "button", "aria-pressed": "false", title: `${this.info.title} ${hint}`, onClick }, label);
    this.buttons.set(name, made);
    return made;
  }

  open(show) {
    this.panel.hidden = !show;
    this.toggle.setAttribute("aria-expanded", String(show));
  }

  async switch(entry) {
    const on = this.active !== entry.name;
    await this.attempt(async () => {
      await operate(this.info.platform, "clear_faults", {});
      if (on) await operate(this.info.platform, "inject", { fault: entry.fault });
      this.active = on ? entry.name : null;
    });
  }

  async refuse(refuse) {
    await this.attempt(async () => {
      await operate(this.info.platform, "refuse_connections", { refuse });
      this.refusing = refuse;
    });
  }

  async disconnect() {
    await this.attempt(() => operate(this.info.platform, "disturb", { what: "disconnect" }));
  }

  async heal() {
    await this.attempt(async () => {
      await operate(this.info.platform, "clear_faults", {});
      await operate(this.info.platform, "refuse_connections", { refuse: false });
      this.active = null;
      this.refusing = false;
    });
  }

  async attempt(action) {
    try {
      await action();
    } catch (fault) {
      toast(`${this.info.title}: ${fault.message}`);
    }
    this.draw();
  }

  get broken() {
    return Boolean(this.active || this.refusing);
  }

  draw() {
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(name === "refuse" ? this.refusing : name === this.active));
    }
    const hints = SWITCHES.filter((entry) => entry.name === this.active).map((entry) => entry.hint);
    if (this.refusing) hints.push("refuses every connection");
    this.banner.hidden = !this.broken;
    this.banner.replaceChildren(icon("bolt"), h("span", {}, `${this.info.title} ${hints.join(" and ")}.`,
      this.waiting ? ` ${this.waiting} waiting.` : ""), h("button", { type: "button", onClick: () => this.heal() }, "Heal"));
    this.toggle.classList.toggle("active", this.broken);
  }

  /** What the emulators' side says is broken, for a page that was opened later. */
  known({ faults, refusing }) {
    const last = faults.at(-1);
    this.active = last ? (SWITCHES.find((entry) => entry.fault.kind === last.kind)?.name ?? null) : null;
    this.refusing = refusing;
    this.draw();
  }

  /** The account's health as the bridge tells it: {state, reason, action, waiting}. */
  health(account) {
    const [tone, word] = STATES[account.state] ?? ["wait", account.state];
    this.pill.className = `pill ${tone}`;
    this.pill.lastChild.textContent = account.waiting ? `${word} · ${account.waiting} waiting` : word;
    const why = [account.reason, account.action].filter(Boolean).join(" — ");
    this.pill.title = why || `The bridge's account ${account.account} is ${word}`;
    if (this.waiting !== account.waiting) {
      this.waiting = account.waiting;
      this.draw();
    }
  }
}
