// One messenger's column: its head with the switchboard, and its chat in the room that is looked at.

import { Chat } from "./chat.js";
import { h } from "./dom.js";
import { Faults } from "./faults.js";

export class Pane {
  /** `info` is this platform's entry of sandbox.json; `onNews(room, count)` is called for what arrives. */
  constructor(info, { rooms, people, avatars, titles, onNews }) {
    this.info = info;
    this.platform = info.platform;
    this.faults = new Faults(info, () => this.chat.chatId);
    this.chats = new Map();
    this.byId = new Map();
    for (const room of rooms) {
      const own = room.chats[info.platform];
      const chat = new Chat(info, own, {
        people, avatars, titles, about: room.about, person: info.person,
        onNews: (count) => onNews(room.name, count), onPerson: (name) => this.become(name),
      });
      this.chats.set(room.name, chat);
      this.byId.set(own.chat_id, chat);
    }
    this.build();
  }

  build() {
    const { title } = this.info;
    this.chatName = h("span", { class: "chat", dir: "auto" });
    this.body = h("div", { class: "pane-body" });
    this.node = h("section", {
      class: `pane ${this.platform}`, id: `pane-${this.platform}`, "aria-label": title, "data-platform": this.platform,
    },
      h("header", { class: "pane-head" },
        h("div", { class: "pane-title" }, h("h2", {}, title), this.chatName), this.faults.pill, this.faults.toggle),
      this.faults.panel, this.faults.banner, this.body,
      h("div", { class: "drop-hint", "aria-hidden": "true" }, `Drop to send in ${title}`));
    this.acceptDrops();
  }

  /** Look at another room. */
  enter(room) {
    this.chat = this.chats.get(room);
    this.chatName.textContent = this.chat.room.name;
    this.body.replaceChildren(this.chat.node);
    this.chat.feed.toEnd(false);
    this.faults.entered();
  }

  /** Who writes in this messenger is the same person in all rooms. */
  become(name) {
    for (const chat of this.chats.values()) chat.composer.become(name);
  }

  ready(isReady) {
    for (const chat of this.chats.values()) chat.composer.ready(isReady);
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
      this.chat.composer.attach(event.dataTransfer.files);
    });
  }
}
