// Asks the server for its numbers and draws them, again and again while the page is seen.
"use strict";

const PERIOD_MS = 2000;
const KEPT_MS = 300000;    // what the page remembers
const LATELY_MS = 30000;   // what "lately" means
const MOMENT_MS = 4000;    // over which the load of a shard is averaged

const history = [];
let paused = false;
let lost = 0;

const byId = (id) => document.getElementById(id);
const last = () => history[history.length - 1];

// Words.

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) { count /= 1024; ++unit; }
  return (unit === 0 || count >= 100 ? Math.round(count) : count.toPrecision(count >= 10 ? 3 : 2)) + "\u00a0" + units[unit];
}

function number(count) {
  if (count !== 0 && count < 10) return String(Math.round(count * 10) / 10);
  return Math.round(count).toLocaleString("en");
}

function time(us) {
  if (us < 1000) return Math.round(us) + " µs";
  if (us < 1e6) return (us / 1e3).toPrecision(us < 1e5 ? 2 : 3) + " ms";
  const seconds = us / 1e6;
  if (seconds < 60) return (seconds < 10 ? seconds.toPrecision(2) : Math.round(seconds)) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min " + Math.floor(seconds % 60) + " s";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds / 60 % 60) + " min";
  return Math.floor(seconds / 86400) + " d " + Math.floor(seconds / 3600 % 24) + " h";
}

function percent(ratio) {
  const tenths = Math.round(1000 * ratio);
  return (tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)) + "\u00a0%";
}

// As a person would write it; what is no UTF-8 stays encoded.
function decoded(target) {
  try { return decodeURI(target); } catch (malformed) { return target; }
}

function say(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

// Elements.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  made.append(...children);
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

const cell = (text, kind = "number") => element("td", { class: kind }, text);

// A share as a bar with its number, which is what is read aloud.
function share(kind, attributes, label) {
  const bar = element(kind, { "aria-hidden": "true", ...attributes });
  return element("td", {}, element("div", { class: "share" }, bar, element("span", {}, label)));
}

// The name of a row, which may be long, and what stands below it.
function rowName(text, below) {
  const made = element("th", { scope: "row", class: "name", title: text }, element("div", {}, text));
  if (below) made.append(element("small", {}, below));
  return made;
}

function fill(id, rows, columns, otherwise) {
  const body = byId(id);
  if (rows.length === 0) rows = [element("tr", {}, element("td", { colspan: columns, class: "none" }, otherwise))];
  body.replaceChildren(...rows);
}

// What happened between two samples.

const seconds = (from, to) => Math.max((to.server.age_ms - from.server.age_ms) / 1000, 0.001);
const requests = (of) => Object.values(of.requests.by_status).reduce((sum, one) => sum + one, 0);

// The sample of that long ago, or the oldest.
function before(ms) {
  return history.find((one) => last().server.age_ms - one.server.age_ms <= ms);
}

// Requests by duration between two samples.
function durations(from, to) {
  return to.requests.duration.counts.map((count, at) => count - from.requests.duration.counts[at]);
}

function quantile(counts, bounds, share) {
  const all = counts.reduce((sum, one) => sum + one, 0);
  let left = all * share;
  for (let at = 0; at < counts.length; ++at) {
    left -= counts[at];
    if (counts[at] !== 0 && left <= 0) return bounds[at];
  }
  return null;
}

// Drawings: as wide as their place, so that letters have the size of other text, with room for labels at the left and
// below.

const LEFT = 70, TOP = 12, BOTTOM = 190;

// Draws anew; what draw(parts, right) adds goes from LEFT to right.
function drawing(id, draw) {
  const place = byId(id);
  const width = Math.max(place.clientWidth, 200);
  const parts = [];
  draw(parts, width - 8);
  place.setAttribute("viewBox", "0 0 " + width + " " + place.clientHeight);
  place.replaceChildren(...parts);
}

function axes(into, right, most, words) {
  for (let step = 0; step <= 2; ++step) {
    const y = BOTTOM - (BOTTOM - TOP) * step / 2;
    into.push(shape("line", { class: "axis", x1: LEFT, x2: right, y1: y, y2: y }));
    into.push(shape("text", { x: LEFT - 8, y: y + 5, "text-anchor": "end" }, words(most * step / 2)));
  }
}

// The next number that looks well at an axis.
function rounded(most) {
  const step = Math.pow(2, Math.floor(Math.log2(Math.max(most, 1))));
  return most <= step ? step : most <= 1.5 * step ? 1.5 * step : 2 * step;
}

function drawThroughput() {
  const rates = [];
  for (let at = 1; at < history.length; ++at) {
    const sent = history[at].requests.content_bytes - history[at - 1].requests.content_bytes;
    rates.push(sent / seconds(history[at - 1], history[at]));
  }
  const most = rounded(Math.max(1024, ...rates));
  drawing("throughput", (parts, right) => {
    axes(parts, right, most, (value) => (value === 0 ? "0" : bytes(value)));
    const x = (at) => right - (last().server.age_ms - history[at + 1].server.age_ms) / KEPT_MS * (right - LEFT);
    const y = (rate) => BOTTOM - (BOTTOM - TOP) * rate / most;
    if (rates.length > 1) {
      const line = rates.map((rate, at) => x(at).toFixed(1) + "," + y(rate).toFixed(1)).join(" ");
      const ground = right + "," + BOTTOM;
      parts.push(shape("polygon", { class: "area", points: x(0) + "," + BOTTOM + " " + line + " " + ground }));
      parts.push(shape("polyline", { class: "curve", points: line }));
    }
    parts.push(shape("text", { x: LEFT, y: BOTTOM + 20 }, "5 min ago"));
    parts.push(shape("text", { x: right, y: BOTTOM + 20, "text-anchor": "end" }, "now"));
  });
  const now = rates.length ? rates[rates.length - 1] : 0;
  say("throughput-text", "content sent a second: now " + bytes(now) + ", at most " + bytes(Math.max(0, ...rates)));
}

// Those of less than 8 us and of more than 17 s are too rare for bars of their own.
const FIRST = 3, END = 26;
const MARKS = [[16, "16 µs"], [256, "256 µs"], [4096, "4 ms"], [65536, "66 ms"], [1048576, "1 s"], [16777216, "17 s"]];

function drawLatency() {
  const bounds = last().requests.duration.below_us;
  let counts = durations(before(LATELY_MS), last());
  let when = "in the last half minute";
  if (counts.every((count) => count === 0)) {
    counts = last().requests.duration.counts;
    when = "since the start";
  }
  const sum = (from, to) => counts.slice(from, to).reduce((total, one) => total + one, 0);
  const all = sum(0);
  const bars = counts.slice(FIRST, END);
  bars[0] += sum(0, FIRST);
  bars[bars.length - 1] += sum(END);
  const most = Math.max(...bars, 1);
  drawing("latency", (parts, right) => {
    axes(parts, right, most / Math.max(all, 1), (value) => (value === 0 ? "0" : percent(value)));
    const width = (right - LEFT) / bars.length;
    bars.forEach((count, at) => {
      const height = count === 0 ? 0 : Math.max(1.5, (BOTTOM - TOP) * count / most);
      const x = LEFT + at * width;
      parts.push(shape("rect", { class: "bar", x: x + 1, y: BOTTOM - height, width: width - 2, height: height }));
    });
    const every = right - LEFT < 350 ? 2 : 1;
    for (let mark = 0; mark < MARKS.length; mark += every) {
      const [us, words] = MARKS[mark];
      const x = LEFT + (Math.log2(us) - FIRST + 1) * width;
      parts.push(shape("line", { class: "axis", x1: x, x2: x, y1: BOTTOM, y2: BOTTOM + 5 }));
      parts.push(shape("text", { x: x, y: BOTTOM + 20, "text-anchor": "middle" }, words));
    }
  });
  if (all === 0) return say("latency-text", "nothing has been asked for yet");
  say("latency-text", number(all) + " requests " + when + ": half of them within " + upTo(quantile(counts, bounds, 0.5)) +
    ", 99 % within " + upTo(quantile(counts, bounds, 0.99)));
}

const upTo = (us) => (us === null ? "more than 67 s" : time(us));

const PARTS = {
  pinned: "Pinned by answers", in_flight: "Being read", ahead: "Read ahead, unused", cached: "Cached",
  entries: "Bookkeeping", free: "Free",
};

function drawMemory() {
  const cache = last().cache;
  if (cache === null) return;
  const parts = cache.memory_parts;
  const all = Math.max(1, Object.values(parts).reduce((sum, one) => sum + one, 0));
  drawing("memory", (drawn, right) => {
    let x = 0;
    for (const name in PARTS) {
      const width = (right + 8) * parts[name] / all;
      drawn.push(shape("rect", { class: "part part-" + name, x: x, y: 4, width: width, height: 44 }));
      x += width;
    }
  });
  byId("memory-legend").replaceChildren(...Object.keys(PARTS).map((name) =>
    element("li", {}, element("i", { class: "part-" + name }), PARTS[name], element("b", {}, bytes(parts[name])))));
  say("memory-text", bytes(all - parts.free) + " of " + bytes(cache.memory_bytes) + " used; " +
    number(cache.chunks - cache.fragments) + " chunks and " + number(cache.fragments) + " fragments");
}

const FACTORS = [["half", 0.5], ["same", 1], ["twice", 2], ["four_times", 4]];

function drawGhosts() {
  const cache = last().cache;
  if (cache === null) return;
  const ratio = cache.hit_ratio;
  drawing("ghosts", (parts, right) => {
    axes(parts, right, 1, percent);
    const step = (right - LEFT) / FACTORS.length;
    const x = (at) => LEFT + (at + 0.5) * step;
    const y = (value) => BOTTOM - (BOTTOM - TOP) * value;
    const points = FACTORS.map(([name], at) => x(at) + "," + y(ratio[name])).join(" ");
    parts.push(shape("polyline", { class: "curve", points: points }));
    FACTORS.forEach(([name, factor], at) => {
      const top = y(ratio[name]);
      const centered = { x: x(at), "text-anchor": "middle" };
      parts.push(shape("circle", { class: name === "same" ? "dot present" : "dot", cx: x(at), cy: top, r: 5 }));
      parts.push(shape("text", { class: "strong", y: top + (ratio[name] < 0.85 ? -12 : 24), ...centered }, percent(ratio[name])));
      parts.push(shape("text", { class: name === "same" ? "strong" : "", y: BOTTOM + 20, ...centered }, bytes(cache.memory_bytes * factor)));
    });
  });
  say("ghosts-text", cache.hits + cache.misses === 0 ? "estimated while the cache runs" :
    "since the start " + percent(ratio.same) + "; with half the memory " + percent(ratio.half) + ", with twice " +
    percent(ratio.twice) + ", with four times " + percent(ratio.four_times));
}

// Cards and tables.

function showCards() {
  const now = last(), then = before(LATELY_MS), span = seconds(then, now);
  const live = history.length > 1;
  say("card-requests", live ? number((requests(now) - requests(then)) / span) + "/s" : "–");
  const bad = now.requests.by_status["5xx"];
  say("card-requests-more", number(requests(now)) + " in all" + (bad ? ", " + number(bad) + " failed" : ""));
  say("card-bytes", live ? bytes((now.requests.content_bytes - then.requests.content_bytes) / span) + "/s" : "–");
  say("card-bytes-more", bytes(now.requests.content_bytes) + " in all");
  const bounds = now.requests.duration.below_us, since = durations(then, now);
  const answered = since.some((count) => count);
  say("card-time", answered ? upTo(quantile(since, bounds, 0.99)) : "–");
  say("card-time-more", answered ? "for 99 % lately" : "no answer lately");
  say("card-connections", number(now.connections.open));
  say("card-connections-more", number(now.connections.answering) + " being answered");
  const cache = now.cache;
  if (cache === null) return;
  const asked = then.cache ? cache.hits + cache.misses - then.cache.hits - then.cache.misses : 0;
  say("card-hits", asked > 0 ? percent((cache.hits - then.cache.hits) / asked) : "–");
  say("card-hits-more", cache.hits + cache.misses ? percent(cache.hit_ratio.same) + " since start" : "nothing asked yet");
  const used = Math.min(cache.memory_bytes, cache.memory_bytes - cache.memory_parts.free);
  say("card-memory", bytes(used));
  say("card-memory-more", "of " + bytes(cache.memory_bytes));
}

function showShards() {
  const now = last(), then = before(MOMENT_MS), span = seconds(then, now);
  fill("shards", now.shards.map((one, at) => {
    const name = element("th", { scope: "row" }, String(at));
    if (one === null) return element("tr", {}, name, element("td", { colspan: 6, class: "bad" }, "does not answer"));
    const was = then.shards[at];
    const known = was !== null && then !== now;
    const rate = (key, words) => (known ? words((one[key] - was[key]) / span) : "–");
    const busy = known ? Math.min(1, Math.max(0, 1 - (one.idle_ns - was.idle_ns) / 1e9 / span)) : 0;
    return element("tr", {}, name,
      share("meter", { value: busy, high: 0.9, optimum: 0 }, known ? percent(busy) : "–"),
      cell(rate("requests", number)), cell(rate("content_bytes", bytes)), cell(rate("read_bytes", bytes), "number second"),
      cell(number(one.connections), "number second"), cell(number(one.stalls), "number second"));
  }), 7, "none");
}

function showFiles() {
  const now = last(), then = before(LATELY_MS), span = seconds(then, now);
  const earlier = new Map(then.files.map((one) => [one.path, one.requests]));
  const rated = now.files.map((one) => {
    const was = earlier.get(one.path) ?? one.requests;
    return { ...one, rate: Math.max(0, one.requests - was) / span };
  });
  rated.sort((one, other) => other.rate - one.rate || other.requests - one.requests);
  fill("files", rated.slice(0, 10).map((one) => element("tr", {}, rowName(one.path),
    cell(number(one.rate)), cell(number(one.requests)), cell(bytes(one.size), "number second"))), 4, "No file is open.");
}

function showOldest() {
  fill("oldest", last().oldest.slice(0, 10).map((one) => {
    const sent = bytes(one.sent) + (one.length ? " of " + bytes(one.length) : "");
    return element("tr", {}, rowName(one.method + " " + decoded(one.target), one.peer + ", shard " + one.shard),
      cell(time(one.age_ms * 1000)), share("progress", { value: one.sent, max: Math.max(1, one.length) }, sent),
      cell(bytes(one.rate) + "/s"));
  }), 4, "No answer is under way.");
}

function showServer() {
  const server = last().server;
  say("server", server.root + " on " + server.addresses.join(", ") + " · leat " + server.version + " · up " + time(server.age_ms * 1000));
  say("state", server.draining ? "Draining: no new connections" : "Serving");
  byId("state").className = server.draining ? "doubtful" : "good";
}

function draw() {
  showServer();
  showCards();
  drawThroughput();
  drawLatency();
  drawMemory();
  drawGhosts();
  showShards();
  showFiles();
  showOldest();
}

// The loop.

async function ask() {
  try {
    const answer = await fetch("/stats.json", { cache: "no-store", signal: AbortSignal.timeout(10 * PERIOD_MS) });
    if (!answer.ok) throw new Error(answer.statusText);
    const sample = await answer.json();
    // Another process: its counters begin anew.
    if (history.length && sample.server.age_ms < last().server.age_ms) history.length = 0;
    history.push(sample);
    while (sample.server.age_ms - history[0].server.age_ms > KEPT_MS) history.shift();
    lost = 0;
    draw();
  } catch (failure) {
    if (++lost === 2) {
      say("state", "The server does not answer; these numbers are old");
      byId("state").className = "bad";
    }
  }
}

async function loop() {
  for (;;) {
    if (!paused && !document.hidden) await ask();
    await new Promise((wake) => setTimeout(wake, PERIOD_MS));
  }
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  if (paused) {
    say("state", "Paused");
    byId("state").className = "";
  } else {
    ask();
  }
});

new ResizeObserver(() => { if (history.length) draw(); }).observe(document.body);

loop();
