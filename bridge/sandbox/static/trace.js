// What became of one message: every copy of it and of its later changes, as `messenger-bridge trace` tells it.

import { retry, trace } from "./api.js";
import { h, icon, iconButton, plain, toast } from "./dom.js";

const SIGNS = { delivered: "delivered", waiting: "wait", dead: "dead", skipped: "stay" };
const WORDS = { delivered: "delivered", waiting: "waiting", dead: "not delivered", skipped: "left out by rule" };
const TONES = { delivered: "good", waiting: "wait", dead: "bad", skipped: "off" };
const STEPS = { message: "Said", edit: "Changed", deletion: "Deleted", reactions: "Reactions", pin: "Pinned", unpin: "Unpinned" };
const EVERY_MS = 1000;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** `asked` names the message as trace does; `titles` are the messengers' names. It is told anew every second while it is open. */
export function showTrace(asked, { words, titles }) {
  const told = h("div", { class: "trace", role: "status" }, "…");
  const dialog = h("dialog", { class: "dialog", "aria-label": "What became of this message", onClose: () => dialog.remove() },
    h("div", { class: "dialog-head" }, h("h2", {}, "What became of this message"), iconButton("close", "Close", () => dialog.close())),
    words && h("blockquote", { dir: "auto" }, plain(words, 160)), told);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  let last = "";
  const tell = async () => {
    if (!dialog.open) return;
    try {
      const found = await trace(asked);
      const key = JSON.stringify(found);
      if (key !== last) told.replaceChildren(...nodes(found, titles));
      last = key;
    } catch (fault) {
      told.textContent = fault.message;
      last = ""; // the next answer takes its place, even if nothing has changed
    }
    setTimeout(tell, EVERY_MS);
  };
  tell();
}

function nodes({ steps = [], note = "" }, titles) {
  const shown = note ? [h("p", { class: "note" }, plain(note, 300))] : [];
  for (const step of steps) {
    const at = clock.format(new Date(step.accepted_at));
    shown.push(h("h3", {}, STEPS[step.what] ?? plain(step.what), h("span", {}, ` accepted at ${at}`)));
    shown.push(h("ul", {}, ...step.lines.map((line) => lineNode(line, titles))));
    if (!step.lines.length) shown.push(h("p", { class: "note" }, "Nothing had to be sent."));
  }
  return shown;
}

function lineNode(line, titles) {
  const when = line.at ? ` ${line.state === "waiting" ? "next try" : "at"} ${clock.format(new Date(line.at))}` : "";
  const tries = line.attempts > 1 ? `, ${line.attempts} attempts` : "";
  const again = line.state === "dead" && h("button", { type: "button", class: "primary", onClick: async (event) => {
    event.target.disabled = true;
    try {
      await retry([line.delivery_id]);
    } catch (fault) {
      toast(fault.message);
      event.target.disabled = false;
    }
  } }, "Try again");
  return h("li", { class: TONES[line.state] },
    icon(SIGNS[line.state] ?? "wait"),
    h("div", {},
      h("b", {}, titles.get(line.target) ?? plain(line.target)), ` ${WORDS[line.state] ?? line.state}${when}${tries}`,
      line.why && h("p", { class: "why", dir: "auto" }, plain(line.why, 400)),
      ...(line.answers ?? []).map((answer) => h("p", { class: "answer", dir: "auto" }, plain(answer, 300)))),
    again);
}
