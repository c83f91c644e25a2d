// A first visit explains itself: three short steps beside what they are about. Told once; the help offers them again.

import { h, iconButton, placeBeside } from "./dom.js";

const SEEN = "intro-seen";

const STEPS = [
  { title: "Write in any column", at: ".pane.chosen textarea, .pane textarea",
    words: "Each column is one messenger. The bridge between them is the real one. What you write in a column appears in all others." },
  { title: "Do what people do", at: "#rooms",
    words: "Point at a message to answer, react, pin, change or delete it. Switch the room for threads and topics. " +
      "The small sign on your message says what became of it: press it." },
  { title: "Break something", at: ".pane.chosen .bolt, .pane .bolt",
    words: "The lightning button breaks a messenger. Keep writing, then heal it: nothing is lost, and everything arrives in order." },
];

export function introduceOnce() {
  try {
    if (localStorage.getItem(SEEN)) return;
    localStorage.setItem(SEEN, "1");
  } catch {
    // a browser that stores nothing is told every time
  }
  introduce();
}

export function introduce() {
  document.querySelector(".intro")?.remove();
  const before = document.activeElement;
  let step = 0;
  const title = h("h2", { id: "intro-title", tabIndex: -1 });
  const words = h("p", {});
  const count = h("span", { class: "intro-count" });
  const back = h("button", { type: "button", class: "quiet", onClick: () => show(step - 1) }, "Back");
  const next = h("button", { type: "button", class: "primary", onClick: () => (step + 1 < STEPS.length ? show(step + 1) : end()) });
  const card = h("div", { class: "intro", role: "dialog", "aria-labelledby": "intro-title", popover: "manual",
    onKeydown: (event) => event.key === "Escape" && end() },
    h("div", { class: "dialog-head" }, title, iconButton("close", "Close", () => end())), words, h("div", { class: "dialog-foot" }, count, back, next));

  function spot() {
    return [...document.querySelectorAll(STEPS[step].at)].find((node) => node.getClientRects().length);
  }
  function end() {
    removeEventListener("resize", put);
    removeEventListener("submit", done, true);
    document.querySelector(".spot")?.classList.remove("spot");
    card.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  }
  function put() {
    const node = spot();
    if (node) placeBeside(card, node);
  }
  // who has done what the first step says looks at the next one: it would hide the message that was written
  function done() {
    if (!step) show(1, { quietly: true });
  }
  function show(to, { quietly = false } = {}) {
    step = to;
    title.textContent = STEPS[step].title;
    words.textContent = STEPS[step].words;
    count.textContent = `${step + 1} of ${STEPS.length}`;
    back.hidden = !step;
    next.textContent = step + 1 < STEPS.length ? "Next" : "Start";
    document.querySelector(".spot")?.classList.remove("spot");
    spot()?.classList.add("spot");
    put();
    if (!quietly) title.focus({ preventScroll: true });
  }
  document.body.append(card);
  card.showPopover();
  addEventListener("resize", put);
  addEventListener("submit", done, true);
  show(0);
}
