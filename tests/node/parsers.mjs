// Parsers of the messengers' texts by other people, asked by tests/oracles. Runs in the folder that has the packages (.node).
// One JSON line in: {"parser": NAME, "given": WHAT IT READS}. One out: {"read": ITS ANSWER} or {"error": WHY THERE IS NONE}.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)));

// each is loaded when it is asked first
const parserOf = {
  "discord-markdown-parser"() {
    const { parse } = require("discord-markdown-parser");
    return (text) => parse(text, "extended");
  },
  "@cloudrac3r/discord-markdown"() {
    return require("@cloudrac3r/discord-markdown").parser;
  },
  "@mattermost/commonmark"() {
    const { Parser, HtmlRenderer } = require("@mattermost/commonmark");
    return (text) => new HtmlRenderer({ softbreak: "<br>" }).render(new Parser({ urlFilter: () => true }).parse(text));
  },
  "@odiffey/discord-markdown"() {
    return require("@odiffey/discord-markdown").parser;
  },
  "slack-message-parser"() {
    return require("slack-message-parser").parse;
  },
  "slack-markdown"() {
    const engine = createRequire(require.resolve("slack-markdown"))("simple-markdown");
    const parse = engine.parserFor(require("slack-markdown").rules);
    return (text) => parse(text, { inline: true, inQuote: false });
  },
  async marked() {
    const { marked } = await load("marked");
    return (text) => marked.parse(text, { gfm: true, breaks: true });
  },
  async "slack-blocks-to-jsx"() {
    const { createElement } = require("react");
    const { renderToStaticMarkup } = require("react-dom/server");
    const loaded = await load("slack-blocks-to-jsx");
    const Message = loaded.Message ?? loaded.default.Message;
    return (blocks) => renderToStaticMarkup(createElement(Message, { blocks, logo: "x", name: "x", time: new Date(0) }));
  },
  async "markdown-to-slack-blocks"() {
    const loaded = await load("markdown-to-slack-blocks");
    return loaded.blocksToMarkdown ?? loaded.default.blocksToMarkdown;
  },
  "@telegraf/entity"() {
    return require("@telegraf/entity").toHTML;
  },
};

const parsers = {};
for await (const line of createInterface({ input: process.stdin })) {
  const { parser, given } = JSON.parse(line);
  let answer;
  try {
    parsers[parser] ??= await parserOf[parser]();
    answer = { read: parsers[parser](given) };
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
