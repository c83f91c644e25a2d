// Polls: how one looks in a message, and the form that asks one.

import { h, iconButton, plain } from "./dom.js";

const LEAST_OPTIONS = 2;
const MOST_OPTIONS = 10;
const MOST_NAMES = 12;

/** `actions.vote(positions)` and `actions.closePoll()`; both are missing where nobody can vote. */
export function pollNode(poll, person, actions) {
  const total = poll.options.reduce((sum, option) => sum + votesOf(option), 0);
  const mine = new Set(poll.options.flatMap((option, index) => (option.by?.includes(person) ? [index] : [])));
  const state = [poll.closed ? "Closed poll" : "Poll", poll.many ? "several answers" : "one answer", poll.anonymous && "anonymous", `${total} ${total === 1 ? "vote" : "votes"}`];
  return h("div", { class: poll.closed ? "poll closed" : "poll", role: "group", "aria-label": `Poll: ${plain(poll.question)}` },
    h("p", { class: "poll-question", dir: "auto" }, poll.question),
    ...poll.options.map((option, index) => optionNode(option, {
      total, held: mine.has(index), disabled: Boolean(poll.closed) || !actions.vote, anonymous: poll.anonymous,
      onClick: () => actions.vote(chosen(poll, mine, index)),
    })),
    h("p", { class: "poll-state" }, state.filter(Boolean).join(" · "),
      !poll.closed && actions.closePoll && h("button", { type: "button", class: "link", onClick: actions.closePoll }, "Close")));
}

function votesOf(option) {
  return option.votes ?? option.by?.length ?? 0;
}

function chosen(poll, mine, index) {
  if (!poll.many) return mine.has(index) ? [] : [index];
  const now = new Set(mine);
  if (!now.delete(index)) now.add(index);
  return [...now].sort((one, other) => one - other);
}

function optionNode(option, { total, held, disabled, anonymous, onClick }) {
  const votes = votesOf(option);
  const bar = h("span", { class: "poll-bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", `${total ? Math.round((100 * votes) / total) : 0}%`);
  const names = (anonymous ? [] : option.by ?? []).slice(0, MOST_NAMES).map((name) => plain(name, 30)).join(", ");
  return h("button", {
    type: "button", class: "poll-option", "aria-pressed": String(held), disabled, onClick, title: names,
    "aria-label": `${plain(option.text)}: ${votes} ${votes === 1 ? "vote" : "votes"}${names ? `, ${names}` : ""}`,
  }, bar, h("span", { class: "poll-text", dir: "auto" }, option.text), h("span", { class: "poll-votes" }, String(votes)));
}

/** Ask for a question and its answers; `onAsk({question, options, many})` resolves to whether it went. */
export function askPoll({ title, onAsk }) {
  const question = h("input", { type: "text", class: "field", required: true, maxLength: 300, dir: "auto", "aria-label": "Question" });
  const many = h("input", { type: "checkbox" });
  const options = h("div", { class: "poll-fields" });
  const add = h("button", { type: "button", class: "quiet", onClick: () => addOption(true) }, "Add an answer");
  function addOption(focused) {
    if (options.children.length >= MOST_OPTIONS) return;
    const field = h("input", { type: "text", class: "field", maxLength: 100, dir: "auto", "aria-label": `Answer ${options.children.length + 1}`,
      placeholder: `Answer ${options.children.length + 1}` });
    options.append(field);
    add.disabled = options.children.length >= MOST_OPTIONS;
    if (focused) field.focus();
  }
  for (let count = 0; count < LEAST_OPTIONS + 1; count += 1) addOption(false);
  const fault = h("p", { class: "fault", role: "alert" });
  const send = h("button", { type: "submit", class: "primary" }, "Ask");
  const dialog = h("dialog", { class: "dialog", "aria-label": `Ask a poll in ${title}`, onClose: () => dialog.remove() },
    h("form", { method: "dialog", onSubmit: async (event) => {
      event.preventDefault();
      const answers = [...options.children].map((field) => field.value.trim()).filter(Boolean);
      if (answers.length < LEAST_OPTIONS) {
        fault.textContent = `A poll has at least ${LEAST_OPTIONS} answers.`;
        return;
      }
      send.disabled = true;
      const why = await onAsk({ question: question.value.trim(), options: answers, many: many.checked });
      send.disabled = false;
      if (why) fault.textContent = why;
      else dialog.close();
    } },
      h("div", { class: "dialog-head" }, h("h2", {}, `A poll in ${title}`), iconButton("close", "Close", () => dialog.close())),
      h("label", { class: "labelled" }, h("span", {}, "Question"), question), options, add,
      h("label", { class: "check" }, many, " People may choose several answers"), fault,
      h("div", { class: "dialog-foot" }, send)));
  document.body.append(dialog);
  dialog.showModal();
  question.focus();
}
