// Asks the bridge what became of the messages on the page, until each copy of each is settled.

import { marks } from "./api.js";

const EVERY_MS = 1000;
const AT_ONCE = 80;

/** `chats()` are those of all columns. The ones that are looked at come first. */
export async function watchMarks(chats) {
  let turn = 0;
  for (;;) {
    if (!document.hidden) {
      const all = [...chats()].sort((one, other) => Number(other.node.isConnected) - Number(one.node.isConnected));
      const open = all.flatMap((chat) => chat.unsettled().map((asked) => ({ chat, asked })));
      // mostly the newest; one time in four some of the others, so that each has its turn
      const from = turn % 4 === 3 && open.length > AT_ONCE ? (turn * AT_ONCE) % open.length : 0;
      await oneRound(open.slice(from, from + AT_ONCE));
      turn += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

async function oneRound(open) {
  if (!open.length) return;
  let found;
  try {
    found = await marks(open.map(({ asked }) => asked));
  } catch {
    return; // the stream notices too, and says so
  }
  found.forEach((mark, index) => open[index].chat.markDelivery(open[index].asked.message_id, mark));
}
