// Small helpers to build nodes. Text always goes in as text.

/** An element: `on…` properties are listeners, `class` and `data-…`/`aria-…` attributes, the rest plain properties. */
export function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "class") made.className = value;
    else if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value === true ? "" : value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** One of the icons of index.html. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  svg.append(use);
  return svg;
}

/** A button that shows an icon and is named by `label`. */
export function iconButton(name, label, onClick, extra = {}) {
  return h("button", { type: "button", class: "icon-button", title: label, "aria-label": label, onClick, ...extra }, icon(name));
}

/** A stranger's words inside our own sentence, in a title or label: without marks that turn the rest of it round, and not endless. */
export function plain(text, most = 80) {
  const words = String(text ?? "").replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\u0000-\u001f]/g, " ").replace(/\s+/g, " ").trim();
  const shown = [...words.slice(0, most * 2)].slice(0, most).join("");
  return shown.length < words.length ? `${shown}…` : shown;
}

/** Put `panel` into the top layer beside `anchor`, inside the window. `onClose` is called once it is closed, whichever way. */
export function float(panel, anchor, onClose = () => {}) {
  panel.popover = "auto";
  document.getElementById("panes").append(panel);
  panel.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    const held = panel.contains(document.activeElement) || document.activeElement === document.body;
    panel.remove();
    if (held && anchor.isConnected) anchor.focus({ preventScroll: true });
    onClose();
  });
  panel.showPopover();
  placeBeside(panel, anchor);
}

export function placeBeside(panel, anchor) {
  const gap = 6;
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = at.bottom + gap + height <= innerHeight - gap;
  const top = below ? at.bottom + gap : Math.max(gap, at.top - gap - height);
  const left = Math.min(Math.max(gap, at.left), innerWidth - gap - width);
  panel.style.top = `${Math.round(top)}px`;
  panel.style.left = `${Math.round(Math.max(gap, left))}px`;
}

/** Arrow keys, Home and End among the buttons of a grid or list; one of them is reached by Tab. `columns`: 1 is a list. */
export function roving(event, buttons, columns) {
  const at = buttons.indexOf(document.activeElement);
  const rtl = getComputedStyle(event.currentTarget).direction === "rtl" ? -1 : 1;
  const step = { ArrowRight: rtl, ArrowLeft: -rtl, ArrowDown: columns, ArrowUp: -columns }[event.key];
  let next;
  if (event.key === "Home") next = 0;
  else if (event.key === "End") next = buttons.length - 1;
  else if (step && at >= 0) next = at + step;
  if (next === undefined || !buttons[next]) return false;
  event.preventDefault();
  for (const button of buttons) button.tabIndex = -1;
  buttons[next].tabIndex = 0;
  buttons[next].focus();
  return true;
}

/** A stable hue for a name, so that a person has one colour everywhere. */
export function hue(name) {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 3600;
  return Math.round(sum / 10);
}

export function initials(name) {
  const letters = name.slice(0, 200).split(/[\s._-]+/).map((word) => [...word].find((character) => /[\p{L}\p{N}]/u.test(character)))
    .filter(Boolean);
  return (letters.slice(0, 2).join("") || "?").toUpperCase();
}

export function fileSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB"];
  let value = bytes;
  let unit = "B";
  while (value >= 1000 && units.length) {
    value /= 1000;
    unit = units.shift();
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export function toast(text) {
  const made = h("div", { class: "toast", dir: "auto" }, plain(text, 400));
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), 7000);
}
