// The flat from above: what stands where, and how each thing shows its state.

import { find, svg, write } from "./dom.js";

const ROOMS = {
  "living room": [10, 10, 460, 340],
  kitchen: [470, 10, 270, 220],
  office: [740, 10, 250, 220],
  hallway: [470, 230, 520, 120],
  bedroom: [10, 350, 390, 260],
  bathroom: [400, 350, 220, 260],
};

// Lamps: x, y, reach of their light.
const LAMPS = {
  "light.living_room": [230, 120, 250],
  "light.reading_lamp": [84, 282, 150],
  "light.floor_lamp": [430, 318, 150],
  "light.kitchen": [640, 150, 190],
  "light.counter": [536, 44, 130],
  "light.bedroom": [196, 400, 210],
  "light.bedside": [304, 466, 130],
  "light.bathroom": [510, 440, 170],
  "light.hallway": [730, 290, 210],
  "light.office": [866, 150, 170],
  "light.desk": [916, 48, 120],
};

// Windows and doors with shades: x, y, length, direction.
const COVERS = {
  "cover.living_room": [4, 70, 210, "down"],
  "cover.curtains": [140, 4, 220, "across"],
  "cover.bedroom": [90, 604, 210, "across"],
  "cover.garage": [690, 604, 230, "across"],
};

const PLACES = {
  "climate.living_room": [430, 60],
  "climate.bedroom": [352, 386],
  "lock.front_door": [988, 290],
  "lock.back_door": [700, 12],
  "switch.coffee": [504, 90],
  "switch.fan": [362, 530],
  "switch.heater": [962, 150],
  "switch.christmas_tree": [60, 112],
  "vacuum.robot": [940, 322],
};

const WARM = "#ffd58a"; // what people see where a lamp is said to be white
const SLATS = 12;

/** Draws the things of a house once, and shows their states whenever they change. */
export class Flat {
  #drawn = new Map();

  draw(things) {
    for (const part of ["lights", "day", "glows", "things"]) find(part).replaceChildren();
    this.#drawn.clear();
    for (const [name, [x, y, width, height]] of Object.entries(ROOMS)) {
      find("lights").append(svg("clipPath", { id: `clip-${name.replace(" ", "-")}` }, svg("rect", { x, y, width, height })));
    }
    for (const thing of things) {
      const draw = { light: lamp, cover, climate, lock, vacuum, switch: appliance }[thing.kind];
      const known = thing.id in LAMPS || thing.id in COVERS || thing.id in PLACES;
      if (!draw || !known) continue;
      const title = svg("title");
      const group = svg("g", { class: `thing ${thing.kind}`, role: "img", id: thing.id, "data-name": thing.name }, title);
      const show = draw(thing, group);
      find("things").append(group);
      this.#drawn.set(thing.id, (state, deaf) => {
        const words = `${thing.name}: ${show(state)}${deaf ? ", does not answer" : ""}`;
        group.classList.toggle("deaf", deaf);
        group.setAttribute("aria-label", words);
        write(title, words);
      });
    }
    find("things").append(
      svg("g", { class: "tv-plan", "aria-hidden": "true" }, svg("rect", { x: 446, y: 132, width: 10, height: 116, rx: 3 })),
      svg("g", { class: "puck", "aria-hidden": "true" }, svg("circle", { cx: 430, cy: 112, r: 12 }), svg("circle", { class: "puck-ring", cx: 430, cy: 112, r: 8 })),
    );
  }

  show(house, unreachable) {
    for (const [id, show] of this.#drawn) show(house[id], unreachable.includes(id));
    const scene = Object.keys(house).find((id) => house[id].active);
    write(find("scene"), scene ? `Scene: ${scene.split(".")[1].replaceAll("_", " ")}` : "");
  }
}

function lamp(thing, group) {
  const [x, y, reach] = LAMPS[thing.id];
  const key = thing.id.replace(".", "-");
  const stops = [0, 0.35, 1].map((offset, index) => svg("stop", { offset, "stop-opacity": [0.9, 0.42, 0][index] }));
  find("lights").append(svg("radialGradient", { id: `glow-${key}` }, ...stops));
  const clip = `url(#clip-${thing.room.replace(" ", "-")})`;
  const glow = svg("circle", { class: "glow", cx: x, cy: y, r: reach, fill: `url(#glow-${key})` });
  find("glows").append(svg("g", { "clip-path": clip }, glow));
  const bulb = svg("circle", { class: "bulb", cx: x, cy: y, r: 10 });
  group.append(svg("circle", { class: "shade", cx: x, cy: y, r: 15 }), bulb);
  return ({ on, brightness, color }) => {
    const shown = /^#f{6}$/i.test(color) ? WARM : color;
    stops.forEach((stop) => stop.setAttribute("stop-color", shown));
    glow.style.opacity = on ? 0.25 + (0.75 * brightness) / 100 : 0;
    bulb.style.fill = on ? shown : "";
    group.classList.toggle("on", on);
    const tint = /^#f{6}$/i.test(color) ? "" : `, colour ${color}`;
    return on ? `on, ${brightness} %${tint}` : "off";
  };
}

function cover(thing, group) {
  const [x, y, length, direction] = COVERS[thing.id];
  const down = direction === "down";
  const strip = (at, size, attributes) =>
    svg("rect", down ? { x, y: at, width: 12, height: size, ...attributes } : { x: at, y, width: size, height: 12, ...attributes });
  const start = down ? y : x;
  const shades = svg("g", { class: "slats" });
  for (let i = 0; i < SLATS; i++) shades.append(strip(start + (i * length) / SLATS + 1, length / SLATS - 2, { class: "slat", rx: 2 }));
  group.append(strip(start, length, { class: "pane", rx: 3 }), shades);
  const beam = svg("path", { class: "beam", d: beamOf(x, y, length, down) });
  if (thing.id !== "cover.garage") find("day").append(beam);
  return ({ position }) => {
    const closed = Math.round((SLATS * (100 - position)) / 100);
    [...shades.children].forEach((slat, index) => slat.classList.toggle("closed", index < closed));
    beam.style.opacity = position / 100;
    return position === 0 ? "closed" : position === 100 ? "open" : `${position} % open`;
  };
}

// Daylight that falls through a window, a fan into the room.
function beamOf(x, y, length, down) {
  if (down) return `M16 ${y}v${length}l120 40V${y - 30}z`;
  return y < 100 ? `M${x} 16h${length}l36 96H${x - 20}z` : `M${x} 604h${length}l24-92H${x - 30}z`;
}

function climate(thing, group) {
  const [x, y] = PLACES[thing.id];
  const value = svg("text", { x, y: y + 5 });
  group.append(svg("rect", { class: "badge", x: x - 29, y: y - 15, width: 58, height: 30, rx: 15 }), value);
  return ({ target, current }) => {
    write(value, `${target.toFixed(1)}°`);
    group.classList.toggle("on", target > current);
    return `set to ${target} °C, now ${current} °C`;
  };
}

function lock(thing, group) {
  const [x, y] = PLACES[thing.id];
  const bow = svg("path", { class: "bow", d: `M${x - 5} ${y - 2}v-4a5 5 0 0 1 10 0v4` });
  const upright = thing.id === "lock.front_door";
  const door = upright ? { x: x - 5, y: y - 30, width: 10, height: 60 } : { x: x - 30, y: y - 5, width: 60, height: 10 };
  group.append(svg("rect", { class: "door", rx: 3, ...door }), svg("circle", { class: "badge", cx: x, cy: y, r: 15 }));
  group.append(bow, svg("rect", { class: "body", x: x - 7, y: y - 2, width: 14, height: 10, rx: 2 }));
  return ({ locked }) => {
    group.classList.toggle("open", !locked);
    bow.setAttribute("transform", locked ? "" : `rotate(38 ${x + 5} ${y - 2})`);
    return locked ? "locked" : "unlocked";
  };
}

function vacuum(thing, group) {
  const [x, y] = PLACES[thing.id];
  const robot = svg("g", { class: "robot" }, svg("circle", { class: "badge", cx: x, cy: y, r: 16 }));
  robot.append(svg("circle", { class: "eye", cx: x, cy: y, r: 5 }), svg("path", { class: "brush", d: `M${x - 10} ${y + 8}q10 7 20 0` }));
  group.append(robot);
  return ({ cleaning }) => {
    group.classList.toggle("on", cleaning);
    return cleaning ? "cleaning" : "in its dock";
  };
}

const LOOKS = {
  "switch.coffee": (x, y) => [
    svg("rect", { class: "badge", x: x - 14, y: y - 16, width: 28, height: 32, rx: 5 }),
    svg("path", { class: "mark", d: `M${x - 6} ${y - 2}h10v6a4 4 0 0 1-4 4h-2a4 4 0 0 1-4-4zM${x + 4} ${y}h3v3h-3` }),
    svg("path", { class: "steam", d: `M${x - 3} ${y - 5}q-3-4 0-7M${x + 2} ${y - 5}q-3-4 0-7` }),
  ],
  "switch.fan": (x, y) => [
    svg("circle", { class: "badge", cx: x, cy: y, r: 18 }),
    svg("g", { class: "blades" }, ...[0, 120, 240].map((turn) => svg("path", { class: "mark", d: `M${x} ${y}q10-6 4-15q-10 0-4 15`, transform: `rotate(${turn} ${x} ${y})` }))),
  ],
  "switch.heater": (x, y) => [
    svg("rect", { class: "badge", x: x - 17, y: y - 15, width: 34, height: 30, rx: 5 }),
    svg("path", { class: "mark", d: `M${x - 9} ${y - 9}v18M${x} ${y - 9}v18M${x + 9} ${y - 9}v18` }),
  ],
  "switch.christmas_tree": (x, y) => [
    svg("path", { class: "tree", d: `M${x} ${y - 26}l20 22h-9l13 18H${x - 24}l13-18h-9z` }),
    ...[[0, -14], [-8, -2], [9, 2], [-13, 11], [2, 9], [15, 12]].map(([dx, dy]) => svg("circle", { class: "bauble", cx: x + dx, cy: y + dy, r: 3 })),
  ],
};

function appliance(thing, group) {
  group.append(...LOOKS[thing.id](...PLACES[thing.id]));
  return ({ on }) => {
    group.classList.toggle("on", on);
    return on ? "on" : "off";
  };
}
