// Puts the page together: what the server says is shown, what the person does is sent.

import { find, html, write } from "./dom.js";
import { drawSpeaker, showMind, showSpeaker, showTelevision } from "./device.js";
import { Flat } from "./flat.js";
import { Link } from "./link.js";
import { Loudspeaker, Microphone } from "./sound.js";
import { addFirstSound, addNote, addTurn, forget } from "./talk.js";

const IDEAS = ["Turn on the kitchen light", "Set a timer for two minutes", "Make the bedroom light blue", "Close the blinds", "Turn on the television"];

const FAULTS = {
  microphone_unplugged: "Microphone unplugged",
  microphone_silent: "Microphone silent",
  speaker_gone: "Speaker gone",
  flash_full: "Flash full",
  flash_read_only: "Flash read-only",
  network_offline: "Home network gone",
  stt_broken: "Speech-to-text crashes",
  tts_broken: "Text-to-speech crashes",
  ears_broken: "Wake word crashes",
};

const flat = new Flat();
const loudspeaker = new Loudspeaker();
const microphone = new Microphone();
let state = {};
let world = { wake_words: [], channels: {} };
let skew = 0; // seconds by which the device's clock is ahead of the browser's

// What the server says ------------------------------------------------------------------------------------------

const link = new Link({
  open: () => connected("open", "Connected"),
  lost: (seconds) => connected("lost", `Server gone, trying again in ${seconds} s`),
  sound: (bytes) => loudspeaker.play(bytes),
  message: (message) => RECEIVE[message.type]?.(message),
});

const RECEIVE = {
  welcome(message) {
    world = message;
    forget();
    write(find("board"), `${message.board}, simulated at this machine’s speed`);
    drawSpeaker(message.leds);
    find("switch").hidden = !message.mute_switch;
    flat.draw(message.things);
    const reachable = message.things.filter(({ kind }) => kind !== "scene").map(({ id, name }) => html("option", { value: id }, name));
    find("reach").replaceChildren(html("option", { value: "television" }, "television"), ...reachable);
    quietly(() => message.past.forEach((event) => RECEIVE[event.type](event)));
    RECEIVE.state(message.state);
    if (microphone.on) link.send({ type: "microphone", on: true });
  },
  state(changed) {
    state = { ...state, ...changed };
    skew = changed.now - Date.now() / 1000;
    show();
  },
  turn: addTurn,
  first_sound: (message) => addFirstSound(message, world.buffer_ms),
  note: addNote,
  refused: ({ message, remedy }) => alarm(remedy ? `${message} ${remedy}` : message),
};

// What lies in the past is shown, but not read out.
function quietly(show) {
  const logs = [find("transcript"), find("log")];
  logs.forEach((log) => log.setAttribute("aria-live", "off"));
  show();
  setTimeout(() => logs.forEach((log) => log.setAttribute("aria-live", "polite")), 500);
}

function show() {
  showSpeaker(state, world.wake_words);
  flat.show(state.house, state.unreachable);
  showTelevision(state.television, world.channels, !state.unreachable.includes("television"));
  tick();
  pressed("plug", state.power !== "off" && state.power !== "failed");
  write(find("plug-label"), state.power === "off" || state.power === "failed" ? "Plug in" : "Pull the plug");
  pressed("switch", state.switched_off);
  pressed("mute", state.muted);
  const off = state.power !== "on";
  for (const id of ["press", "mute", "volume"]) find(id).disabled = off;
  if (document.activeElement !== find("volume") && state.volume !== null) find("volume").value = state.volume;
  write(find("volume-out"), state.volume === null ? "–" : state.volume_muted ? "off" : String(state.volume));
  for (const name of Object.keys(FAULTS)) pressed(name, state.faults.includes(name));
  showReach();
  find("transcript").classList.toggle("empty", !find("transcript").children.length);
}

function tick() {
  showMind(state, Date.now() / 1000 + skew);
  const wall = new Date((Date.now() / 1000 + skew) * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
  const hours = Math.round(state.clock_offset / 3600);
  write(find("clock"), `Clock ${wall}${hours ? ` (${hours > 0 ? "+" : "−"}${Math.abs(hours)} h)` : ""}`);
}

setInterval(() => state.timers && tick(), 1000);

function showReach() {
  const cut = state.unreachable?.includes(find("reach").value) ?? false;
  pressed("reach-set", cut);
  write(find("reach-set"), cut ? "Connect again" : "Cut off");
}

function connected(how, words) {
  find("link").dataset.link = how;
  write(find("link"), words);
}

function pressed(id, on) {
  find(id).setAttribute("aria-pressed", on);
}

/** Says what went wrong, in words, where it is seen and read out. */
function alarm(words) {
  const close = html("button", { type: "button", class: "pill" }, "Dismiss");
  const box = html("div", { class: "alert" }, html("p", {}, words), close);
  close.addEventListener("click", () => box.remove());
  find("alerts").replaceChildren(box);
}

// What the person does ------------------------------------------------------------------------------------------

function order(message) {
  if (!link.send(message)) alarm("The server is gone. Start it again; the page connects by itself.");
}

function on(id, event, act) {
  find(id).addEventListener(event, act);
}

on("press", "click", () => order({ type: "press" }));
on("plug", "click", () => order({ type: "plug", on: find("plug").getAttribute("aria-pressed") !== "true" }));
on("switch", "click", () => order({ type: "switch", off: !state.switched_off }));
on("mute", "click", () => order({ type: "mute", on: !state.muted }));
on("volume", "change", () => order({ type: "volume", level: Number(find("volume").value) }));
on("volume", "input", () => write(find("volume-out"), find("volume").value));
on("reach", "change", showReach);
on("reach-set", "click", () => {
  const id = find("reach").value;
  order({ type: "unreachable", id, on: !state.unreachable.includes(id) });
});
on("say", "submit", (event) => {
  event.preventDefault();
  say(find("text").value);
  find("text").value = "";
});
on("mic", "click", toggleMicrophone);
on("sound", "click", () => {
  loudspeaker.on = !loudspeaker.on;
  pressed("sound", loudspeaker.on);
});
for (const button of document.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => order({ type: "step_clock", seconds: Number(button.dataset.step) }));
}
for (const type of ["pointerdown", "keydown"]) addEventListener(type, () => loudspeaker.wake());

addEventListener("keydown", (event) => {
  const busy = event.target.closest?.("button, input, select, textarea, summary, a, [role=log]");
  if (busy || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.code !== "Space" && event.key.toLowerCase() !== "t") return;
  event.preventDefault();
  order({ type: "press" });
});

function say(text) {
  if (text.trim()) order({ type: "say", text: text.trim() });
}

async function toggleMicrophone() {
  if (microphone.on) {
    microphone.close();
    return streaming(false);
  }
  try {
    await microphone.open(
      (pcm, level) => {
        link.sendSound(pcm);
        find("level").style.width = `${Math.min(100, 300 * level)}%`;
      },
      (words) => {
        streaming(false);
        alarm(words);
      },
    );
    streaming(true);
  } catch (error) {
    alarm(error.message);
  }
}

function streaming(is) {
  link.send({ type: "microphone", on: is });
  pressed("mic", is);
  write(find("mic-label"), is ? "Mic is on" : "Microphone");
  find("level").style.width = "0";
}

// Before anything happens ---------------------------------------------------------------------------------------

function chooseTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  write(find("theme"), `Theme: ${theme}`);
}

const THEMES = ["auto", "light", "dark"];
let theme = localStorage.getItem("theme") ?? "auto";
chooseTheme(theme);
on("theme", "click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  localStorage.setItem("theme", theme);
  chooseTheme(theme);
});

for (const [name, words] of Object.entries(FAULTS)) {
  const button = html("button", { id: name, type: "button", class: "toggle", "aria-pressed": "false" }, html("span", {}, words));
  button.addEventListener("click", () => order({ type: "fault", name, on: !state.faults.includes(name) }));
  find("faults").append(button);
}
for (const idea of IDEAS) {
  const button = html("button", { type: "button", class: "pill" }, idea);
  button.addEventListener("click", () => say(idea));
  find("ideas").append(button);
}
