// What was said and done: the conversation, the timeline of the last turn, the log.

import { find, html, sentence, write } from "./dom.js";

const KEPT = 60; // lines of conversation and log

const SOURCES = { grammar: "exact grammar", sound: "nearest by sound", model: "language model", dialogue: "dialogue" };
const STAGES = {
  endpoint: "Pause that ends the command",
  stt: "Speech to text",
  nlu: "Understanding",
  policy: "Dialogue policy",
  skill: "Skill",
  voice: "Voice",
  buffer: "Browser’s own buffer",
};

let last = null; // the last turn's timeline

export function forget() {
  find("transcript").replaceChildren();
  find("log").replaceChildren();
  last = null;
}

export function addTurn({ turn, done, ignored, at }) {
  const lines = [html("div", { class: "said you" }, html("span", { class: "unseen" }, "You: "), turn.transcript || "…")];
  const what = [];
  for (const change of done) what.push(html("p", { class: "done" }, change));
  if (turn.interpretations.length) what.push(why(turn.interpretations));
  const reply = ignored ? "(not meant for it)" : turn.reply || "(a chime)";
  const kind = ignored ? "said home quiet" : turn.failed ? "said home failed" : "said home";
  lines.push(html("div", { class: kind }, html("span", { class: "unseen" }, "Homebody: "), html("p", { class: "reply" }, reply), ...what));
  append(find("transcript"), lines);
  last = { stages: turn.timeline_ms, at };
  showTime();
}

/** `buffer` is the part of the delay, in ms, that only the browser causes. */
export function addFirstSound({ after_speech_ms }, buffer) {
  if (!last || last.total !== undefined) return;
  last.total = after_speech_ms;
  last.buffer = buffer;
  showTime();
}

export function addNote({ kind, text, remedy, at }) {
  const time = new Date(at * 1000).toLocaleTimeString(undefined, { hour12: false });
  const line = html("div", { class: `entry ${kind}` }, html("time", {}, time), html("p", {}, sentence(text)));
  if (remedy) line.append(html("p", { class: "remedy" }, remedy));
  append(find("log"), [line]);
}

function why(interpretations) {
  const box = html("details", { class: "why" }, html("summary", {}, "What was understood"));
  for (const { intent, act, slots, source, confidence, reasons } of interpretations) {
    const facts = html("dl", {}, fact("Intent", html("code", {}, intent || act)));
    for (const [name, { text, value }] of Object.entries(slots)) {
      const plain = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "?");
      facts.append(fact(sentence(name.replaceAll("_", " ")), plain === text ? `“${text}”` : `“${text}” → ${plain}`));
    }
    const percent = `${Math.round(100 * confidence)} %`;
    facts.append(fact("Source", `${SOURCES[source] ?? source}, ${percent} sure`));
    box.append(facts);
    if (reasons.length) box.append(html("ul", {}, ...reasons.map((reason) => html("li", {}, reason))));
  }
  return box;
}

function fact(name, value) {
  return html("div", {}, html("dt", {}, name), html("dd", {}, value));
}

function append(list, lines) {
  list.append(...lines);
  while (list.children.length > KEPT) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
}

// Time zero is the end of the last word. Decoding begins in the pause that ends the command, so the two overlap.
function showTime() {
  const { speech, endpoint = 0, stt = 0, nlu = 0, policy = 0, skill = 0 } = last.stages;
  const spans = [];
  let at = Math.max(endpoint, stt);
  if (endpoint) spans.push(["endpoint", 0, endpoint]);
  if (stt) spans.push(["stt", at - stt, stt]);
  for (const [stage, length] of Object.entries({ nlu, policy, skill })) {
    spans.push([stage, at, length]);
    at += length;
  }
  if (last.total !== undefined) {
    const spoken = Math.max(at, last.total - last.buffer);
    spans.push(["voice", at, spoken - at], ["buffer", spoken, Math.max(0, last.total - spoken)]);
  }
  const whole = Math.max(last.total ?? 0, at, 1);
  const said = speech ? ` You spoke for ${(speech / 1000).toFixed(1)} s.` : "";
  const from = speech ? "after the last word" : "after the command was sent";
  write(find("time-head"), last.total === undefined ? `No sound yet.${said}` : `The first sound came ${Math.round(last.total)} ms ${from}.${said}`);
  const strip = html("div", { class: "strip", "aria-hidden": "true" });
  const legend = html("dl", { class: "legend" });
  for (const [stage, begin, length] of spans) {
    const bar = html("i", { class: `stage-${stage}` });
    bar.style.left = `${(100 * begin) / whole}%`;
    bar.style.width = `${(100 * length) / whole}%`;
    strip.append(html("span", { class: "lane" }, bar));
    const name = html("dt", {}, html("i", { class: `stage-${stage}`, "aria-hidden": "true" }), STAGES[stage]);
    legend.append(html("div", {}, name, html("dd", {}, `${length < 10 ? length.toFixed(1) : Math.round(length)} ms`)));
  }
  find("time").replaceChildren(strip, legend);
}
