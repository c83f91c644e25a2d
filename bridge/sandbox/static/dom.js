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

/** A stable hue for a name, so that a person has one colour everywhere. */
export function hue(name) {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 3600;
  return Math.round(sum / 10);
}

export function initials(name) {
  const letters = name.split(/[\s._-]+/).map((word) => [...word].find((character) => /[\p{L}\p{N}]/u.test(character)))
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
  const made = h("div", { class: "toast" }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), 7000);
}
