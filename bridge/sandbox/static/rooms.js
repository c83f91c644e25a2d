// The rooms above the columns: one chat of every messenger each. The address keeps which one is looked at.

import { h, roving } from "./dom.js";

export class Rooms {
  /** `rooms` are those of sandbox.json; `onEnter(name)`. */
  constructor(rooms, onEnter) {
    this.rooms = rooms;
    this.onEnter = onEnter;
    this.about = h("span", { class: "room-about" });
    this.buttons = new Map(rooms.map((room) => [room.name, h("button", {
      type: "button", class: "room", title: room.about, "aria-pressed": "false", onClick: () => this.enter(room.name),
    }, h("span", {}, room.title), h("span", { class: "count", hidden: true }))]));
    const all = [...this.buttons.values()];
    this.node = h("nav", { class: "rooms", id: "rooms", "aria-label": "Rooms", hidden: rooms.length < 2 },
      h("div", { class: "room-row", role: "group", "aria-label": "Rooms", onKeydown: (event) => roving(event, all, 1) }, ...all), this.about);
    addEventListener("hashchange", () => this.enter(this.asked()));
  }

  asked() {
    const name = location.hash.slice(1); // names need no escapes; an address that somebody cut off is no room
    return this.buttons.has(name) ? name : this.rooms[0].name;
  }

  enter(name) {
    if (name === this.current) return;
    this.current = name;
    for (const [each, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(each === name));
      button.tabIndex = each === name ? 0 : -1;
    }
    this.badge(name).hidden = true;
    this.badge(name).textContent = "";
    this.about.textContent = this.rooms.find((room) => room.name === name).about;
    if (location.hash.slice(1) !== name && (location.hash || name !== this.rooms[0].name)) history.replaceState(null, "", `#${name}`);
    this.onEnter(name);
  }

  badge(name) {
    return this.buttons.get(name).lastChild;
  }

  news(name, count) {
    if (name === this.current) return;
    const badge = this.badge(name);
    badge.hidden = false;
    badge.textContent = String(Number(badge.textContent || 0) + count);
  }
}
