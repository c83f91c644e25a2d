// The emoji picker: search, groups, what was used lately, skin tones. One at a time, beside the button that opened it.

import { float, h, plain, roving } from "./dom.js";

const COLUMNS = 8;
const MOST_FOUND = 160;
const MOST_RECENT = 24;
const TONES = ["", "🏻", "🏼", "🏽", "🏾", "🏿"];
const TONE_NAMES = ["no", "light", "medium-light", "medium", "medium-dark", "dark"];
const FIRST_RECENT = ["👍", "❤️", "😂", "🎉", "👀", "🙏", "🔥", "✅"];
const SIGNS = ["😀", "👋", "🐻", "🍎", "🚗", "⚽", "💡", "🔣", "🏁"];

let table;

/** The groups of emoji.txt: [{name, emoji: [{character, toned, name, words}]}]; read once. */
async function groups() {
  table ??= fetch("emoji.txt").then((response) => {
    if (!response.ok) throw new Error(`emoji.txt: ${response.status}`);
    return response.text();
  }).then(parse);
  table.catch(() => { table = undefined; });
  return table;
}

function parse(text) {
  const found = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# ")) found.push({ name: line.slice(2), emoji: [] });
    else if (line) {
      const [mark, name, words = ""] = line.split("\t");
      const toned = mark.startsWith("~");
      found.at(-1).emoji.push({ character: toned ? mark.slice(1) : mark, toned, name, words: `${name} ${words}`.toLowerCase() });
    }
  }
  return found;
}

function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // a browser that stores nothing
  }
}

function withTone({ character, toned }, tone) {
  if (!toned || !tone) return character;
  const [first, ...rest] = character;
  return first + tone + rest.join("").replace(/^\ufe0f/, "");
}

/** Show the picker beside `anchor`; `onPick(character)` once. `verb` begins each button's name: "React with", "Insert". */
export async function pickEmoji(anchor, { verb, onPick }) {
  const all = await groups();
  new Picker(all, verb, onPick).open(anchor);
}

class Picker {
  constructor(all, verb, onPick) {
    this.groups = all;
    this.verb = verb;
    this.onPick = onPick;
    this.tone = TONES[kept("emoji-tone", 0)] ?? "";
    this.search = h("input", {
      type: "search", class: "emoji-search", placeholder: "Search emoji", "aria-label": "Search emoji", onInput: () => this.find(),
      onKeydown: (event) => this.fromSearch(event),
    });
    this.tones = h("button", { type: "button", class: "emoji-tone", onClick: () => this.nextTone() });
    this.grid = h("div", { class: "emoji-grid", role: "group", onKeydown: (event) => this.walk(event) });
    this.title = h("p", { class: "emoji-title", role: "status" });
    this.tabs = h("div", { class: "emoji-groups", role: "group", "aria-label": "Groups of emoji" },
      this.tab("🕘", "Used lately", () => this.lately()),
      ...all.map((group, index) => this.tab(SIGNS[index] ?? "•", group.name, () => this.show(group.name, group.emoji))));
    this.panel = h("div", { class: "emoji-panel", role: "dialog", "aria-label": "Emoji" },
      h("div", { class: "emoji-head" }, this.search, this.tones), this.tabs, this.title, this.grid);
  }

  tab(sign, name, onClick) {
    return h("button", { type: "button", title: name, "aria-label": name, "aria-pressed": "false", onClick: (event) => {
      this.search.value = "";
      this.press(event.currentTarget);
      onClick();
    } }, sign);
  }

  press(tab) {
    for (const each of this.tabs.children) each.setAttribute("aria-pressed", String(each === tab));
  }

  open(anchor) {
    this.drawTone();
    this.press(this.tabs.firstChild);
    this.lately();
    float(this.panel, anchor);
    this.search.focus();
  }

  lately() {
    const known = new Map(this.groups.flatMap((group) => group.emoji).map((emoji) => [emoji.character, emoji]));
    const used = [...new Set([...kept("emoji-recent", []), ...FIRST_RECENT])].slice(0, MOST_RECENT);
    this.show("Used lately", used.map((character) => known.get(character) ?? { character, toned: false, name: character, words: "" }));
  }

  find() {
    const words = this.search.value.toLowerCase().trim().split(/\s+/).filter(Boolean);
    if (!words.length) {
      this.press(this.tabs.firstChild);
      this.lately();
      return;
    }
    this.press(null);
    const found = [];
    for (const group of this.groups) {
      for (const emoji of group.emoji) {
        if (found.length < MOST_FOUND && words.every((word) => emoji.words.includes(word))) found.push(emoji);
      }
    }
    const first = (emoji) => Number(!emoji.name.toLowerCase().startsWith(words[0]));
    found.sort((one, other) => first(one) - first(other));
    this.show(found.length ? `${found.length === MOST_FOUND ? "The first " : ""}${found.length} found` : "Nothing found", found);
  }

  show(title, emoji) {
    this.shown = [title, emoji];
    this.title.textContent = title;
    this.grid.setAttribute("aria-label", title);
    this.grid.replaceChildren(...emoji.map((each, index) => {
      const character = withTone(each, this.tone);
      return h("button", {
        type: "button", tabIndex: index ? -1 : 0, title: each.name, "aria-label": `${this.verb} ${character} ${plain(each.name)}`,
        onClick: () => this.pick(each, character),
      }, character);
    }));
    this.grid.scrollTop = 0;
  }

  pick(emoji, character) {
    keep("emoji-recent", [emoji.character, ...kept("emoji-recent", []).filter((each) => each !== emoji.character)].slice(0, MOST_RECENT));
    this.panel.hidePopover();
    this.onPick(character);
  }

  nextTone() {
    const next = (TONES.indexOf(this.tone) + 1) % TONES.length;
    this.tone = TONES[next];
    keep("emoji-tone", next);
    this.drawTone();
    this.show(...this.shown);
  }

  drawTone() {
    this.tones.textContent = `✋${this.tone}`;
    const label = `Skin tone: ${TONE_NAMES[TONES.indexOf(this.tone)]}; press for the next`;
    this.tones.title = label;
    this.tones.setAttribute("aria-label", label);
  }

  fromSearch(event) {
    const first = this.grid.firstElementChild;
    if (event.key === "Enter" && first && this.search.value) {
      event.preventDefault();
      first.click();
    } else if (event.key === "ArrowDown" && first) {
      event.preventDefault();
      first.focus();
    }
  }

  walk(event) {
    const buttons = [...this.grid.children];
    if (event.key === "ArrowUp" && buttons.indexOf(document.activeElement) < COLUMNS) this.search.focus();
    else roving(event, buttons, COLUMNS);
  }
}
