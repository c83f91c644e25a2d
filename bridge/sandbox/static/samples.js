// Things to send when there is nothing at hand: drawn pictures, a sticker, a voice message.

import { h } from "./dom.js";

const HUES = 360;

export async function drawnPicture(title, number = 0) {
  const canvas = h("canvas", { width: 640, height: 360 });
  const pen = canvas.getContext("2d");
  const hueAt = (Math.floor(Math.random() * HUES) + number * 90) % HUES;
  const sky = pen.createLinearGradient(0, 0, 0, 360);
  sky.addColorStop(0, `hsl(${hueAt} 70% 35%)`);
  sky.addColorStop(1, `hsl(${(hueAt + 60) % HUES} 80% 75%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, 640, 360);
  pen.fillStyle = "#ffffffcc";
  pen.beginPath();
  pen.arc(480 - number * 110, 110, 46, 0, Math.PI * 2);
  pen.fill();
  for (const [top, shade] of [[220, "30%"], [265, "22%"], [310, "14%"]]) {
    pen.fillStyle = `hsl(${(hueAt + 30) % HUES} 40% ${shade})`;
    pen.beginPath();
    pen.moveTo(0, 360);
    for (let x = 0; x <= 640; x += 8) pen.lineTo(x, top + Math.sin(x / 70 + top + number) * 26 + Math.sin(x / 23 + top) * 8);
    pen.lineTo(640, 360);
    pen.fill();
  }
  pen.fillStyle = "#fff";
  pen.font = "600 26px system-ui, sans-serif";
  pen.fillText(`Greetings from ${title}`, 28, 52);
  return fileOf(canvas, number ? `greetings-${number + 1}.png` : "greetings.png", "image/png");
}

export function album(title) {
  return Promise.all([0, 1, 2].map((number) => drawnPicture(title, number)));
}

/** A picture of the size and type that stickers have. */
export async function sticker() {
  const canvas = h("canvas", { width: 512, height: 512 });
  const pen = canvas.getContext("2d");
  const circle = (x, y, radius, colour) => {
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(x, y, radius, 0, Math.PI * 2);
    pen.fill();
  };
  circle(256, 262, 236, "#fff");
  circle(256, 262, 218, "#ffcb3d");
  for (const x of [178, 334]) circle(x, 216, 28, "#3b2a00");
  pen.strokeStyle = "#3b2a00";
  pen.lineWidth = 22;
  pen.lineCap = "round";
  pen.beginPath();
  pen.arc(256, 268, 112, 0.18 * Math.PI, 0.82 * Math.PI);
  pen.stroke();
  return Object.assign(await fileOf(canvas, "smile.webp", "image/webp"), { sentAs: "sticker" });
}

export async function voice() {
  const response = await fetch("voice.ogg");
  if (!response.ok) throw new Error(`voice.ogg: ${response.status}`);
  return Object.assign(new File([await response.blob()], "voice.ogg", { type: "audio/ogg" }), { sentAs: "voice" });
}

async function fileOf(canvas, name, type) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type));
  return new File([blob], name, { type });
}
