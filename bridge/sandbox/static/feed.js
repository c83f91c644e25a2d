// A scrolled list of messages: it stays at its end while it grows, and is walked with the arrow keys.

import { h, icon } from "./dom.js";

const NEAR_END_PX = 80;

export class Feed {
  constructor(label, empty) {
    this.list = h("ol", { class: "messages", onKeydown: (event) => this.walk(event) });
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onClick: () => this.toEnd(true) }, icon("down"), "New messages");
    this.scroller = h("div", { class: "scroller", role: "log", "aria-label": label, onScroll: () => this.scrolled() }, empty, this.list);
    this.node = h("div", { class: "stage" }, this.scroller, this.jump);
    this.keepFollowing();
  }

  atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_END_PX;
  }

  toEnd(smoothly) {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smoothly ? "smooth" : "instant" });
    this.jump.hidden = true;
    this.following = true;
  }

  /** Only somebody who scrolls up leaves the end: what grows above or below moves it too, and tells of it by the same event. */
  scrolled() {
    const { scrollTop } = this.scroller;
    if (this.atEnd()) {
      this.following = true;
      this.jump.hidden = true;
    } else if (scrollTop < this.lastTop - 1) this.following = false;
    this.lastTop = scrollTop;
  }

  walk(event) {
    const row = event.target.closest(".message");
    const shown = [...this.list.children].filter((each) => !each.hidden);
    const at = shown.indexOf(row);
    const step = { ArrowUp: shown[at - 1], ArrowDown: shown[at + 1], Home: shown[0], End: shown.at(-1) }[event.key];
    if (event.key === "Escape" && row) row.focus();
    if (!step || event.target.closest("input, textarea, audio, video, pre")) return;
    event.preventDefault();
    step.focus();
    step.scrollIntoView({ block: "nearest" });
  }

  /** One message is reached by the Tab key, the others from it by the arrow keys. */
  firstStop() {
    for (const row of this.list.querySelectorAll(".message[tabindex='0']")) row.tabIndex = -1;
    const last = [...this.list.children].findLast((row) => !row.hidden);
    if (last) last.tabIndex = 0;
  }

  /** Pictures that finish loading and panels that open move the end: whoever was at the end stays there. */
  keepFollowing() {
    this.following = true;
    this.lastTop = 0;
    const observer = new ResizeObserver(() => this.following && this.toEnd(false));
    observer.observe(this.scroller);
    observer.observe(this.list);
  }
}
