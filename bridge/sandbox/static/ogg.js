// Opus sound out of the WebM that some browsers record, put into Ogg: the container of voice messages. Nothing is encoded anew.
// Sources: Matroska element ids, RFC 8794 (EBML); RFC 3533 (Ogg); RFC 7845 (Opus in Ogg); RFC 6716, 3.1 (how long a packet lasts).

const ENTERED = new Set([0x18538067, 0x1654ae6b, 0xae, 0x1f43b675, 0xa0]); // Segment, Tracks, TrackEntry, Cluster, BlockGroup
const CODEC_PRIVATE = 0x63a2;
const BLOCKS = new Set([0xa3, 0xa1]); // SimpleBlock, Block
const SAMPLES_PER_MS = 48;
const BEGIN = 2;
const END = 4;

export function oggOfWebm(bytes) {
  const { head, packets } = opusIn(bytes);
  if (!packets.length) throw new Error("nothing was recorded");
  const serial = crypto.getRandomValues(new Uint32Array(1))[0];
  let samples = 0;
  const pages = [page(head, { serial, number: 0, flags: BEGIN, samples: 0 }), page(tags(), { serial, number: 1, flags: 0, samples: 0 })];
  packets.forEach((packet, index) => {
    samples += samplesIn(packet);
    pages.push(page(packet, { serial, number: index + 2, flags: index === packets.length - 1 ? END : 0, samples }));
  });
  return new Blob(pages, { type: "audio/ogg" });
}

/** The header and the packets of the first track's blocks. A browser that streams leaves sizes open, so nothing relies on them. */
function opusIn(bytes) {
  let head = ascii("OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0");
  const packets = [];
  for (let at = 0; at < bytes.length;) {
    const id = number(bytes, at, false);
    const size = number(bytes, at + id.width, true);
    const from = at + id.width + size.width;
    if (!id.width || !size.width) break;
    if (ENTERED.has(id.value)) {
      at = from;
      continue;
    }
    const data = bytes.subarray(from, from + size.value);
    if (id.value === CODEC_PRIVATE) head = data;
    if (BLOCKS.has(id.value)) packets.push(data.subarray(number(data, 0, true).width + 3)); // track, 16 bits of time, flags
    at = from + size.value;
  }
  return { head, packets };
}

/** A number of EBML: the zeros before its first bit say how long it is; in sizes that bit does not count. */
function number(bytes, at, isSize) {
  const width = Math.clz32(bytes[at] ?? 0) - 23;
  if (width > 8 || at + width > bytes.length) return { value: 0, width: 0 };
  let value = isSize ? bytes[at] & (0xff >> width) : bytes[at];
  for (let more = 1; more < width; more += 1) value = value * 256 + bytes[at + more];
  return { value, width };
}

function samplesIn(packet) {
  const kind = packet[0] >> 3;
  const frameMs = kind < 12 ? [10, 20, 40, 60][kind & 3] : kind < 16 ? [10, 20][kind & 1] : [2.5, 5, 10, 20][kind & 3];
  const frames = [1, 2, 2, packet[1] & 63][packet[0] & 3];
  return frameMs * frames * SAMPLES_PER_MS;
}

function tags() {
  return ascii("OpusTags\x07\0\0\0sandbox\0\0\0\0");
}

function page(data, { serial, number: order, flags, samples }) {
  const segments = Math.floor(data.length / 255) + 1;
  const made = new Uint8Array(27 + segments + data.length);
  const view = new DataView(made.buffer);
  made.set(ascii("OggS"));
  made[5] = flags;
  view.setBigUint64(6, BigInt(samples), true);
  view.setUint32(14, serial, true);
  view.setUint32(18, order, true);
  made[26] = segments;
  made.fill(255, 27, 26 + segments);
  made[26 + segments] = data.length % 255;
  made.set(data, 27 + segments);
  view.setUint32(22, checksum(made), true);
  return made;
}

function checksum(bytes) {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  }
  return sum >>> 0;
}

function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
