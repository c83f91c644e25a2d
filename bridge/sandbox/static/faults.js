// The switchboard of one messenger: how the bridge's account is, and what one can break.

import { operate } from "./api.js";
import { h, icon, iconButton, toast } from "./dom.js";

const STATES = {
  up: ["good", "connected"], starting: ["wait", "starting"], connecting: ["wait", "connecting"], backoff: ["bad", "reconnecting"],
  parked: ["bad", "needs help"], stopped: ["off", "stopped"],
};

// Each switch stays on until it is turned off, or until its time is over. The waits are short, so that healing is quick to see.
const SWITCHES = [
  { name: "dead", label: "Dead end", hint: "refuses every message for good, so that copies are given up", fault: { kind: "server_error", status: 400 } },
  { name: "429-20", label: "429 for 20 s", hint: "answers every call with 429 for 20 seconds",
    fault: { kind: "rate_limit", retry_after_s: 2, for_s: 20 } },
  { name: "429", label: "Too many requests", hint: "answers every call with 429", fault: { kind: "rate_limit", retry_after_s: 2 } },
  { name: "500", label: "Server error", hint: "answers every call with 500", fault: { kind: "server_error", status: 500 } },
  { name: "slow", label: "Slow", hint: "answers everything one second late", fault: { kind: "latency", delay_s: 1 } },
  { name: "hang", label: "Hangs", hint: "takes requests and does not answer", fault: { kind: "hang", delay_s: 8 } },
  { name: "cut", label: "Cuts off", hint: "closes every connection without an answer", fault: { kind: "drop" } },
];

export class Faults {
  /** `chatId()` is the chat that is looked at. */
  constructor(info, chatId) {
    this.info = info;
    this.chatId = chatId;
    this.closed = new Set();
    this.active = null;
    this.refusing = false;
    this.pill = h("span", { class: "pill wait", role: "status" },
      h("span", { class: "pill-dot" }), h("span", { class: "pill-text" }, "starting"));
    this.toggle = iconButton("bolt", `Break ${info.title}`, () => this.open(this.panel.hidden),
      { "aria-expanded": "false", class: "icon-button bolt" });
    this.buttons = new Map();
    this.panel = h("div", { class: "faults", hidden: true, role: "group", "aria-label": `Break ${info.title}` },
      ...SWITCHES.map((entry) => this.button(entry.name, entry.label, entry.hint, () => this.switch(entry))),
      this.button("refuse", "Network off", "refuses every connection", () => this.refuse(!this.refusing)),
      info.can.includes("close_chat") && this.button("out", "Closed chat", "takes nothing more in this chat: copies wait until it is opened again",
        () => this.close(!this.closed.has(this.chatId()))),
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
      if (on) await operate(this.info.platform, "inject", { fault: this.faultOf(entry) });
      this.begin(on ? entry : null, entry.fault.for_s);
    });
  }

  /** A dead end concerns only what is sent: the connection stays. */
  faultOf(entry) {
    return entry.name === "dead" ? { ...entry.fault, operation: this.sending } : entry.fault;
  }

  /** A switch with a time goes off by itself. */
  begin(entry, leftS) {
    clearTimeout(this.ends);
    this.active = entry?.name ?? null;
    if (!entry || !leftS) return;
    this.ends = setTimeout(() => {
      this.active = null;
      this.draw();
    }, leftS * 1000);
  }

  async close(close) {
    const chatId = this.chatId();
    await this.attempt(async () => {
      await operate(this.info.platform, "close_chat", { chat_id: chatId, reopen: !close });
      if (close) this.closed.add(chatId);
      else this.closed.delete(chatId);
    });
  }

  /** Another chat is looked at. */
  entered() {
    this.draw();
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
      for (const chatId of this.closed) await operate(this.info.platform, "close_chat", { chat_id: chatId, reopen: true });
      this.closed.clear();
      this.begin(null);
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
    return Boolean(this.active || this.refusing || this.closed.size);
  }

  draw() {
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(this.isOn(name)));
    }
    const hints = SWITCHES.filter((entry) => entry.name === this.active).map((entry) => entry.hint);
    if (this.refusing) hints.push("refuses every connection");
    if (this.closed.has(this.chatId())) hints.push("takes nothing more in this chat");
    else if (this.closed.size) hints.push("takes nothing more in another room's chat");
    this.banner.hidden = !this.broken;
    this.banner.replaceChildren(icon("bolt"), h("span", {}, `${this.info.title} ${hints.join(" and ")}.`,
      this.waiting ? ` ${this.waiting} waiting.` : ""), h("button", { type: "button", onClick: () => this.heal() }, "Heal"));
    this.toggle.classList.toggle("active", this.broken);
  }

  isOn(name) {
    if (name === "refuse") return this.refusing;
    return name === "out" ? this.closed.has(this.chatId()) : name === this.active;
  }

  /** What the emulators' side says is broken, for a page that was opened later. */
  known({ faults, refusing, sending = "", closed = [] }) {
    this.sending = sending;
    this.buttons.get("dead").hidden = !sending;
    const last = faults.at(-1);
    const same = ({ fault }) => fault.kind === last.kind && Boolean(fault.for_s) === Boolean(last.for_s)
      && (fault.status ?? 500) === (last.status ?? 500);
    this.begin(last && SWITCHES.find(same), last?.for_s);
    this.refusing = refusing;
    this.closed = new Set(closed);
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
