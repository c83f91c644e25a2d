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

export async function operate(platform, operation, body) {
  const headers = { ...OWN, "Content-Type": "application/json" };
  return answer(await fetch(`api/${platform}/${operation}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

export async function retry(deliveries) {
  const headers = { ...OWN, "Content-Type": "application/json" };
  return answer(await fetch("retry", { method: "POST", headers, body: JSON.stringify({ deliveries }) }));
}

export async function say(platform, body, files) {
  if (!files.length) return operate(platform, "say", body);
  const form = new FormData();
  form.append("message", JSON.stringify(body));
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
