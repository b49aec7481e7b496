// The speaker with its ring of light, the television, and what the device has in mind.

import { find, html, sentence, svg, write } from "./dom.js";

const SEGMENTS = 24;
const RADIUS = 104;

const STATUS = {
  off: ["Ready", ""],
  listening: ["Listening …", "Say what you want."],
  thinking: ["Thinking …", ""],
  speaking: ["Speaking", "Interrupt it with the wake word, or with “stop”."],
  follow_up: ["Still listening", "Go on without the wake word."],
  ringing: ["Ringing", "Say “stop”, or “snooze”."],
  muted: ["Muted", "The microphone is off. Typing works."],
  deaf: ["Deaf", "The microphone delivers nothing. Typing works."],
};

const GLYPHS = {
  muted: "M160 138a9 9 0 0 1 9 9v12a9 9 0 0 1-18 0v-12a9 9 0 0 1 9-9zM143 157a17 17 0 0 0 34 0M160 174v10M140 138l40 44",
  ringing: "M144 172h32l-5-7v-11a11 11 0 0 0-22 0v11zM156 178h8",
  deaf: "M160 138v28M160 176v4",
};

/** Draws the ring with as many segments as the board has LEDs; a board without any shows it on its screen. */
export function drawSpeaker(leds) {
  const count = leds || SEGMENTS;
  const half = (Math.PI / count) * 0.55;
  find("leds").replaceChildren();
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * i) / count - Math.PI / 2;
    const [from, to] = [angle - half, angle + half].map((a) => `${160 + RADIUS * Math.cos(a)} ${160 + RADIUS * Math.sin(a)}`);
    const led = svg("path", { class: "led", d: `M${from}A${RADIUS} ${RADIUS} 0 0 1 ${to}` });
    const off = Math.min(i, count - i) / count; // how far from the front, in turns
    led.style.setProperty("--at", i / count);
    led.style.setProperty("--off", off);
    led.dataset.arc = off < 0.13 ? "front" : "rest";
    led.dataset.third = i % 3 === 0;
    find("leds").append(led);
  }
}

export function showSpeaker({ power, light, boot }, wakeWords) {
  const stage = find("stage");
  const running = power === "on";
  stage.dataset.power = power;
  stage.dataset.light = running ? light : power === "booting" ? "boot" : "off";
  document.body.dataset.light = stage.dataset.light;
  const said = wakeWords.map((words) => `“${words.split(" ").map(sentence).join(" ")}”`).join(" or ");
  const ready = `Say ${said}, press Talk, or type.`;
  let [status, hint] = STATUS[light] ?? STATUS.off;
  if (light === "off") hint = ready;
  if (power === "off") [status, hint] = ["No power", "The plug is pulled."];
  if (power === "booting") [status, hint] = ["Booting …", `${boot}.`];
  if (power === "failed") [status, hint] = ["Out of order", "“What happened” says why."];
  write(find("status"), status);
  write(find("hint"), hint);
  const glyph = running && GLYPHS[light] ? svg("path", { d: GLYPHS[light] }) : "";
  find("glyph").replaceChildren(...(glyph ? [glyph] : []));
  document.querySelector(".speaker").setAttribute("aria-label", `Smart speaker: ${status}`);
}

export function showTelevision(tv, channels, reachable) {
  const set = find("tv");
  const { on, channel, app, input, subtitles, volume, muted } = tv;
  const title = app || (input === "TV" ? channels[channel] : input);
  const badge = app ? "App" : input === "TV" ? String(channel) : "Input";
  set.dataset.on = on;
  set.style.setProperty("--hue", [...title].reduce((sum, letter) => (sum * 7 + letter.charCodeAt(0)) % 360, 0));
  document.body.dataset.tv = on;
  find("tv-badge").textContent = on ? badge : "";
  find("tv-title").textContent = on ? title : "";
  find("tv-subtitles").textContent = on && subtitles ? "♪ gentle music ♪" : "";
  find("tv-volume").hidden = !on;
  find("tv-volume").firstChild.style.width = `${muted ? 0 : volume}%`;
  const sound = muted ? "sound off" : `volume ${volume}`;
  const what = app ? `app ${app}` : input === "TV" ? `channel ${channel}, ${title}` : `input ${input}`;
  const words = on ? `${what}, ${sound}${subtitles ? ", subtitles" : ""}` : "off";
  set.setAttribute("aria-label", `Television: ${words}`);
  write(find("tv-words"), `Television ${reachable ? "" : "(does not answer) "}– ${words}`);
}

/** Timers, alarms, reminders, lists and music. Returns whether something counts down. */
export function showMind({ power, timers, appointments, ringing, lists, player }, now) {
  const rows = [];
  for (const words of ringing) rows.push(row("ringing", "Rings", words));
  for (const { label, duration, ends, remaining } of timers) {
    const left = Math.max(0, remaining ?? ends - now);
    const bar = html("span", { class: "bar", "aria-hidden": "true" }, html("i"));
    bar.firstChild.style.width = `${Math.min(100, (100 * left) / duration)}%`;
    const name = label ? sentence(label) : "Timer";
    rows.push(row("timer", name, `${clockOf(left)}${remaining === null || remaining === undefined ? "" : " (paused)"}`, bar));
  }
  for (const { kind, at, text, repeats } of appointments) {
    rows.push(row(kind, sentence(kind), `${when(at)}${text ? `: ${text}` : ""}${repeats ? ", repeats" : ""}`));
  }
  for (const [name, items] of Object.entries(lists)) rows.push(row("list", `${sentence(name)} list`, items.join(", ")));
  if (player.title) {
    const how = player.playing ? "" : " (paused)";
    rows.push(row("music", "Music", `${player.title} – ${player.artist}${how}`));
  }
  const empty = power === "on" ? "Nothing. Try “set a timer for two minutes”." : "What it keeps comes back with the power.";
  const nothing = html("p", { class: "quiet" }, empty);
  find("mind").replaceChildren(rows.length ? html("dl", {}, ...rows) : nothing);
  return timers.some((timer) => timer.ends);
}

function row(kind, name, text, extra = null) {
  return html("div", { class: `fact ${kind}` }, html("dt", {}, name), html("dd", {}, text, extra));
}

function clockOf(seconds) {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${parts.join(":")}` : parts.join(":");
}

// `at` is the wall time of the device's own zone, not of the browser's: it is written as it is.
function when(at) {
  const day = new Date(`${at}Z`).toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  return `${day}, ${at.slice(11, 16)}`;
}
