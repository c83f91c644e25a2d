// Talks to the sandbox server: the control API of the emulators, and the bridge's own state.

const OWN = { "X-Messenger-Bridge": "1" };

async function answer(response) {
  if (response.ok) return response.json();
  let why = `the sandbox answered ${response.status}`;
  try {
    why = (await response.json()).error ?? why;
  } catch {
    // not JSON: the status has to do
  }
  throw new Error(why);
}

export async function getJson(path) {
  return answer(await fetch(path, { cache: "no-store" }));
}

export function operate(platform, operation, body) {
  return postJson(`api/${platform}/${operation}`, body);
}

async function postJson(path, body) {
  const headers = { ...OWN, "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export function retry(deliveries) {
  return postJson("retry", { deliveries });
}

/** How far messages have come: `asked` are {platform, chat_id, message_id}. */
export function marks(asked) {
  return postJson("marks", { messages: asked });
}

export function trace(asked) {
  return postJson("trace", asked);
}

/** Whom the composer offers behind an @: {name, mention}. */
export function members(platform, chatId) {
  return getJson(`api/${platform}/members?${new URLSearchParams({ chat_id: chatId })}`);
}

/** A file whose `sentAs` is set (voice, sticker) is sent as that; others as the messenger's own client would guess. */
export async function say(platform, body, files) {
  if (!files.length) return operate(platform, "say", body);
  const form = new FormData();
  const kinds = files.map((file) => file.sentAs ?? "");
  form.append("message", JSON.stringify(kinds.some(Boolean) ? { ...body, kinds } : body));
  for (const file of files) form.append("file", file, file.name || "pasted.png");
  return answer(await fetch(`api/${platform}/say`, { method: "POST", headers: OWN, body: form }));
}

export function fileUrl(platform, file, { download = false } = {}) {
  const query = new URLSearchParams({ name: file.name });
  if (!download) query.set("mime", file.mime);
  return `api/${platform}/files/${encodeURIComponent(file.file_id)}?${query}`;
}

/** Follow all changes from the beginning of this run. The browser takes a broken stream up again by itself. */
export function follow({ onChange, onRun, onReset, onLost }) {
  const source = new EventSource("api/changes");
  source.addEventListener("hello", (event) => onRun(event.data));
  source.addEventListener("change", (event) => onChange(JSON.parse(event.data)));
  source.addEventListener("reset", () => onReset());
  source.addEventListener("error", () => onLost());
}
