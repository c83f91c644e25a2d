// Turns the little HTML in which an emulator says what a message looks like into nodes. The text was written by strangers, so it is
// parsed in an inert document and rebuilt from an allow-list; nothing foreign is ever assigned to innerHTML.

const SIMPLE = new Set(["B", "STRONG", "I", "EM", "U", "S", "DEL", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "BR", "P", "DIV",
  "SPAN", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "H1", "H2", "H3", "H4", "H5", "H6"]);
const BLOCKS = new Set(["DIV", "PRE", "BLOCKQUOTE", "UL", "OL", "P", "TABLE", "H1", "H2", "H3", "H4", "H5", "H6"]);
const GONE = new Set(["SCRIPT", "STYLE", "TEMPLATE", "IFRAME", "OBJECT", "EMBED", "NOSCRIPT", "TITLE", "TEXTAREA", "SVG", "MATH"]);
const CLASSES = new Set(["mention", "text_mention", "broadcast", "channel", "spoiler", "emoji", "time", "subtext"]);
const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const MAX_DEPTH = 40;

// The browser asks for a named policy before any string is parsed as HTML; this is the page's only one, and its result stays inert.
const policy = globalThis.trustedTypes?.createPolicy("inert-parse", { createHTML: (text) => text });

/** A fragment showing `html`. Unknown elements give way to their content, unknown attributes are dropped. */
export function render(html) {
  const inert = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
  const fragment = document.createDocumentFragment();
  copyChildren(inert.body, fragment, 0);
  return fragment;
}

function copyChildren(from, to, depth) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      to.append(withoutDoubleBreaks(node));
    } else if (node.nodeType === Node.ELEMENT_NODE && !GONE.has(node.tagName.toUpperCase())) {
      const made = depth < MAX_DEPTH ? element(node) : null;
      copyChildren(node, made ?? to, depth + 1);
      if (made) to.append(made);
    }
  }
}

/** A block is a line of its own already: the line break before or after it in the text would show as an empty line. */
function withoutDoubleBreaks(node) {
  let text = node.data;
  if (BLOCKS.has(node.previousSibling?.tagName) && text.startsWith("\n")) text = text.slice(1);
  if (BLOCKS.has(node.nextSibling?.tagName) && text.endsWith("\n")) text = text.slice(0, -1);
  return text;
}

function element(node) {
  if (node.tagName === "A") return link(node);
  if (!SIMPLE.has(node.tagName)) return null;
  const made = document.createElement(node.tagName);
  for (const name of node.classList) if (CLASSES.has(name)) made.classList.add(name);
  if (node.tagName === "OL" && /^\d{1,6}$/.test(node.getAttribute("start") ?? "")) made.start = Number(node.getAttribute("start"));
  if (made.classList.contains("spoiler")) makeSpoiler(made);
  return made;
}

function link(node) {
  let target;
  try {
    target = new URL(node.getAttribute("href") ?? "");
  } catch {
    return null;
  }
  if (!SCHEMES.has(target.protocol)) return null;
  const made = document.createElement("a");
  made.href = target.href;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  made.title = target.href;
  return made;
}

function makeSpoiler(made) {
  made.tabIndex = 0;
  made.setAttribute("role", "button");
  made.setAttribute("aria-label", "Hidden text, press to show");
  const show = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    made.classList.add("shown");
    made.removeAttribute("aria-label");
    made.removeAttribute("role");
  };
  made.addEventListener("click", show);
  made.addEventListener("keydown", show);
}
