// The files of a message: pictures, films, sounds, stickers, and everything else as a card, with a look inside texts.

import { fileUrl } from "./api.js";
import { fileSize, h, icon, plain } from "./dom.js";

const MOST_SHOWN = 20;
const LOOK_BYTES = 64_000;
const LOOK_CHARACTERS = 2_000;
const TEXTUAL = /^(text\/|application\/(json|xml|yaml|x-yaml|toml|javascript|x-sh|sql)\b)/;
const PICTURE = /^image\/(png|jpeg|gif|webp|avif|apng)$/;

export function fileNames(message) {
  return (message.files ?? []).slice(0, MOST_SHOWN).map((file) => plain(file.name, 60)).join(", ");
}

export function filesOf(platform, message) {
  const files = message.files ?? [];
  if (!files.length) return null;
  const shown = files.slice(0, MOST_SHOWN).map((file) => fileNode(platform, file));
  if (files.length > MOST_SHOWN) shown.push(h("p", { class: "more-files" }, `and ${files.length - MOST_SHOWN} more files`));
  return h("div", { class: shown.length > 1 ? "files several" : "files" }, ...shown);
}

function fileNode(platform, file) {
  const url = fileUrl(platform, file);
  const described = `${plain(file.name)}, ${fileSize(file.size_bytes)}`;
  if (PICTURE.test(file.mime) && file.kind !== "document") {
    const sticker = file.kind === "sticker";
    const picture = h("img", { src: url, alt: plain(file.name), loading: "lazy" });
    const link = h("a", { class: sticker ? "picture sticker" : "picture", href: url, target: "_blank", rel: "noopener", title: described }, picture);
    picture.addEventListener("error", () => link.replaceWith(card(platform, file, described)));
    return link;
  }
  if (file.mime.startsWith("video/")) {
    const loops = file.kind === "animation" || file.kind === "sticker";
    return h("video", {
      src: url, controls: !loops, loop: loops, muted: loops, autoplay: loops && !matchMedia("(prefers-reduced-motion: reduce)").matches,
      playsInline: true, preload: "metadata", "aria-label": described, class: file.kind ?? "",
    });
  }
  if (!file.mime.startsWith("audio/")) return card(platform, file, described);
  const player = h("audio", { src: url, controls: true, preload: "metadata", "aria-label": described });
  if (file.kind === "voice") {
    return h("div", { class: "sound voice" }, h("span", { class: "voice-sign" }, icon("voice"), "Voice message"), player);
  }
  return h("div", { class: "sound" }, card(platform, file, described), player);
}

function card(platform, file, described) {
  const link = h("a", {
    class: "file", href: fileUrl(platform, file, { download: true }), download: file.name, title: described,
  },
    h("span", { class: "file-icon", "data-ending": ending(file.name) }, icon("file")),
    h("span", { class: "file-name", dir: "auto" }, file.name.slice(0, 300)),
    h("span", { class: "file-size" }, [fileSize(file.size_bytes), file.kind === "sticker" && "sticker"].filter(Boolean).join(" · ")));
  if (!TEXTUAL.test(file.mime) || !file.size_bytes || file.size_bytes > LOOK_BYTES) return link;
  return h("div", { class: "textual" }, link, lookInside(platform, file));
}

function ending(name) {
  const found = /\.([A-Za-z0-9]{1,5})$/.exec(name);
  return found ? found[1].toUpperCase() : "";
}

function lookInside(platform, file) {
  const shown = h("pre", { class: "inside", dir: "auto", tabIndex: 0, "aria-label": `The beginning of ${plain(file.name)}` });
  const details = h("details", {}, h("summary", {}, "Look inside"), shown);
  details.addEventListener("toggle", async () => {
    if (!details.open || shown.textContent) return;
    try {
      const text = await (await fetch(fileUrl(platform, file, { download: true }))).text();
      shown.textContent = text.length > LOOK_CHARACTERS ? `${text.slice(0, LOOK_CHARACTERS)} …` : text || "It is empty.";
    } catch (fault) {
      shown.textContent = `It cannot be shown: ${fault.message}`;
    }
  }, { passive: true });
  return details;
}
