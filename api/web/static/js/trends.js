// The trend explorer with a script: the panes the server drew get a cursor, zoom by mouse, touch and keys, and finer data.
// Every zoom is an address: the page is asked for again and its figure replaced, so what is seen can always be shared.

import { drawBehind, drawBefore } from "./trend-marks.js";
import { onTouch } from "./trend-touch.js";

/**
 * @typedef {import("uplot")} Plot
 * @typedef {{name: string, style: number, hold: number | null, decimals: number}} PointDrawing
 * @typedef {{y: number, label: string, name: string, severity: number | null}} LimitDrawing
 * @typedef {{unit: string, height: number, scale: [number, number], ticks: [number, string][], band: [number, number] | null, limits: LimitDrawing[], points: PointDrawing[]}} PaneDrawing
 * @typedef {{from: number, to: number, shortest: number, shift: number, points: string[], panes: PaneDrawing[]}} Drawing
 * @typedef {{equipment: string, point: string, min: (number | null)[], mean: (number | null)[], max: (number | null)[], count: number[], good: number[], bad: number[]}} Series
 * @typedef {{at: string[], series: Series[]}} Trends
 * @typedef {(number | null | undefined)[]} Column
 */

const BUCKET_PX = 1.5;
const FOLLOW_MS = 60_000;
const SIDE_PX = 48;

/** @type {typeof import("uplot")} */
const uPlot = /** @type {any} */ (window).uPlot;

/** @type {AbortController} */
let life = new AbortController();

/** The figure on the page. */
function root() {
  return /** @type {HTMLElement | null} */ (document.getElementById("trend"));
}

/** Ask for another address and put its figure in place of this one. @param {string} address @param {"push" | "none"} history */
async function go(address, history) {
  const here = root();
  here?.setAttribute("aria-busy", "true");
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return location.assign(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("trend");
  if (!here || !fresh) return location.assign(address);
  if (history === "push") window.history.pushState(null, "", address);
  here.replaceWith(document.adoptNode(fresh));
  await begin();
}

/** This page's address over another time. @param {number} from @param {number} to */
function addressOf(from, to) {
  const address = new URL(location.href);
  address.searchParams.set("from", iso(from));
  address.searchParams.set("to", iso(to));
  return address.pathname + address.search;
}

/** @param {number} ms */
function iso(ms) {
  return new Date(Math.round(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Zoom to a time, never shorter than the shortest. @param {Drawing} drawing @param {number} from @param {number} to */
function zoom(drawing, from, to) {
  // A drag is told to every pane under the one cursor, and each would ask for the same time.
  if (root()?.hasAttribute("aria-busy")) return;
  const middle = (from + to) / 2;
  const half = Math.max(to - from, drawing.shortest) / 2;
  void go(addressOf(middle - half, middle + half), "push");
}

/** The trends of all points of the figure, from `shift` earlier. @param {Drawing} drawing @param {number} width @param {number} shift @returns {Promise<Trends>} */
async function load(drawing, width, shift) {
  const query = new URLSearchParams(drawing.points.map((name) => ["point", name]));
  query.set("from", iso(drawing.from - shift));
  query.set("to", iso(drawing.to - shift));
  query.set("buckets", String(Math.max(60, Math.min(2000, Math.round(width / BUCKET_PX)))));
  const answer = await fetch(`/api/v1/trends?${query}`, { headers: { Accept: "application/json" }, signal: life.signal });
  if (!answer.ok) throw new Error(`trends: ${answer.status}`);
  return answer.json();
}

/** Nulls shorter than the hold become undefined, which uPlot draws through; longer ones stay gaps. @param {(number | null)[]} values @param {number[]} at @param {number | null} hold @returns {Column} */
function held(values, at, hold) {
  /** @type {Column} */
  const out = [...values];
  let last = -1;
  for (let i = 0; i < out.length; i++) {
    if (out[i] === null) continue;
    const apart = last < 0 ? 0 : /** @type {number} */ (at[i]) - /** @type {number} */ (at[last]);
    const width = i > 0 ? /** @type {number} */ (at[i]) - /** @type {number} */ (at[i - 1]) : 0;
    if (last >= 0 && (hold === null || apart * 1000 <= Math.max(hold, 2000 * width))) {
      for (let k = last + 1; k < i; k++) out[k] = undefined;
    }
    last = i;
  }
  if (hold === null && last >= 0) out.fill(/** @type {number} */ (out[last]), last);
  return out;
}

/** @param {string} name */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The stroke of a style number, as the style sheet has it for SVG. @param {number} style */
function stroke(style) {
  const strokes = { 1: { stroke: "--chart-1", dash: [] }, 2: { stroke: "--chart-2", dash: [7, 4] }, 3: { stroke: "--chart-3", dash: [] }, 4: { stroke: "--chart-2", dash: [2, 3] } };
  return strokes[/** @type {1 | 2 | 3 | 4} */ (style)] ?? { stroke: "--chart-3", dash: [4, 4] };
}

/** One pane. @param {HTMLElement} place @param {PaneDrawing} pane @param {Drawing} drawing @param {Trends} now @param {Trends | null} before */
function plot(place, pane, drawing, now, before) {
  const at = now.at.map((text) => Date.parse(text) / 1000);
  /** @type {Column[]} */
  const data = [at];
  /** @type {import("uplot").Series[]} */
  const series = [{}];
  /** @type {import("uplot").Band[]} */
  const bands = [];
  for (const point of pane.points) {
    const found = one(now, point.name);
    const { stroke: colour, dash } = stroke(point.style);
    const stepped = point.hold === null ? { paths: uPlot.paths.stepped?.({ align: 1 }) } : {};
    const first = data.length;
    data.push(held(found.max, at, point.hold), held(found.min, at, point.hold), held(found.mean, at, point.hold));
    series.push({ show: true, stroke: "transparent", points: { show: false } }, { show: true, stroke: "transparent", points: { show: false } });
    series.push({ stroke: token(colour), dash, width: 1.8, points: { show: false }, ...stepped });
    if (point.hold !== null) bands.push({ series: [first, first + 1], fill: `color-mix(in srgb, ${token("--chart-2")} 22%, transparent)` });
  }
  if (before) {
    for (const point of pane.points) {
      data.push(held(one(before, point.name).mean, at, point.hold));
      series.push({ stroke: token("--chart-3"), dash: [4, 4], width: 1.4, points: { show: false } });
    }
  }
  const silent = silences(pane, now, at, drawing);
  place.replaceChildren();
  return new uPlot(
    {
      width: place.clientWidth,
      height: pane.height + 16,
      padding: [8, 0, 8, 0],
      legend: { show: false },
      ms: 1e-3,
      scales: { x: { time: true, range: [drawing.from / 1000, drawing.to / 1000] }, y: { range: pane.scale } },
      axes: [
        { show: false },
        {
          size: SIDE_PX,
          gap: 4,
          stroke: token("--ink-2"),
          font: `13px ${token("--font")}`,
          grid: { stroke: token("--grid"), width: 1 },
          ticks: { show: false },
          splits: () => pane.ticks.map(([y]) => pane.scale[0] + (1 - y / pane.height) * (pane.scale[1] - pane.scale[0])),
          values: () => pane.ticks.map(([, text]) => text),
        },
      ],
      cursor: { y: false, sync: { key: "trend" }, drag: { x: true, y: false, setScale: false }, points: { size: 8 }, focus: { prox: -1 } },
      series,
      bands,
      hooks: {
        drawClear: [(u) => drawBehind(u, pane, silent)],
        draw: [(u) => drawBefore(u, pane)],
        setCursor: [(u) => read(u, pane, data, drawing)],
        setSelect: [
          (u) => {
            if (u.select.width < 10) return;
            zoom(drawing, u.posToVal(u.select.left, "x") * 1000, u.posToVal(u.select.left + u.select.width, "x") * 1000);
          },
        ],
      },
    },
    /** @type {import("uplot").AlignedData} */ (data),
    place,
  );
}

/** @param {Trends} trends @param {string} name @returns {Series} */
function one(trends, name) {
  const found = trends.series.find((series) => `${series.equipment}/${series.point}` === name);
  if (!found) throw new Error(`no series ${name}`);
  return found;
}

/** Where a point of the pane was silent longer than its hold, or is in doubt; seconds. @param {PaneDrawing} pane @param {Trends} now @param {number[]} at @param {Drawing} drawing */
function silences(pane, now, at, drawing) {
  /** @type {{from: number, to: number}[]} */
  const found = [];
  for (const point of pane.points) {
    if (point.hold === null) continue;
    const series = one(now, point.name);
    const hold = point.hold / 1000;
    let last = drawing.from / 1000;
    at.forEach((start, i) => {
      const end = at[i + 1] ?? drawing.to / 1000;
      const count = series.count[i] ?? 0;
      if (count > 0) {
        if (start - last > hold + (end - start)) found.push({ from: last, to: start });
        last = end;
      }
      if ((series.bad[i] ?? 0) > 0 || count > (series.good[i] ?? 0)) found.push({ from: start, to: end });
    });
    if (drawing.to / 1000 - last > hold) found.push({ from: last, to: drawing.to / 1000 });
  }
  return joined(found);
}

/** Overlapping stretches as one, so that hatching is drawn once. @param {{from: number, to: number}[]} stretches */
function joined(stretches) {
  /** @type {{from: number, to: number}[]} */
  const out = [];
  for (const { from, to } of stretches.sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else out.push({ from, to });
  }
  return out;
}

/** What the cursor stands on, in the keys above the panes. @param {Plot} u @param {PaneDrawing} pane @param {Column[]} data @param {Drawing} drawing */
function read(u, pane, data, drawing) {
  const here = root();
  const index = u.cursor.idx;
  const x = u.cursor.left ?? -1;
  const inside = x >= 0 && index !== null && index !== undefined;
  pane.points.forEach((point, k) => {
    const value = inside ? valueAt(data[3 * k + 3], index) : null;
    const place = here?.querySelector(`[data-value="${CSS.escape(point.name)}"]`);
    if (!(place instanceof HTMLElement)) return;
    place.dataset.last ??= place.textContent ?? "";
    place.textContent = !inside ? place.dataset.last : value === null ? "–" : value.toFixed(point.decimals).replace("-", "−");
  });
  const when = here?.querySelector("[data-when]");
  if (when instanceof HTMLElement) {
    when.dataset.whole ??= when.textContent ?? "";
    when.textContent = inside ? moment((data[0]?.[index] ?? 0) * 1000, drawing) : when.dataset.whole;
  }
  const line = here?.querySelector(".cursor-line");
  if (line instanceof HTMLElement) {
    line.hidden = !inside;
    line.style.transform = `translateX(${x}px)`;
  }
}

/** The value in force at an index: undefined is held from before. @param {Column | undefined} column @param {number} index */
function valueAt(column, index) {
  for (let i = index; column && i >= 0; i--) if (column[i] !== undefined) return column[i] ?? null;
  return null;
}

/** A time in the site's zone, as fine as the view. @param {number} ms @param {Drawing} drawing */
function moment(ms, drawing) {
  const zone = root()?.dataset.zone;
  const long = drawing.to - drawing.from > 86_400_000;
  /** @type {Intl.DateTimeFormatOptions} */
  const shape = { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone, ...(long ? {} : { second: "2-digit" }) };
  return new Intl.DateTimeFormat(document.documentElement.lang, shape).format(ms);
}

/** Keys on a pane: move the cursor, zoom, reset. @param {Plot} u @param {Drawing} drawing @param {HTMLElement} place */
function onKeys(u, drawing, place) {
  place.tabIndex = 0;
  place.addEventListener("keydown", (event) => {
    const width = u.bbox.width / devicePixelRatio;
    const left = (u.cursor.left ?? -1) < 0 ? width / 2 : /** @type {number} */ (u.cursor.left);
    const step = width / (event.shiftKey ? 10 : 100);
    const at = u.posToVal(left, "x") * 1000;
    const span = drawing.to - drawing.from;
    const moves = { ArrowLeft: -step, ArrowRight: step, Home: -left, End: width - left };
    if (event.key in moves) u.setCursor({ left: Math.max(0, Math.min(width - 1, left + moves[/** @type {keyof typeof moves} */ (event.key)])), top: 0 });
    else if (event.key === "+" || event.key === "=") zoom(drawing, at - span / 4, at + span / 4);
    else if (event.key === "-") zoom(drawing, at - span, at + span);
    else if (event.key === "0" || event.key === "Escape") reset();
    else return;
    event.preventDefault();
  });
}

function reset() {
  const address = root()?.dataset.reset;
  if (address) void go(address, "push");
}

/** Draw the figure that is on the page now. */
async function begin() {
  life.abort();
  life = new AbortController();
  const here = root();
  const panes = here?.querySelector("[data-panes]");
  if (!here?.dataset.drawing || !(panes instanceof HTMLElement) || !uPlot) return;
  /** @type {Drawing} */
  const drawing = JSON.parse(here.dataset.drawing);
  share(here);
  if (!drawing.panes.length) return;
  const width = panes.clientWidth - SIDE_PX;
  const mine = life.signal;
  const both = Promise.all([load(drawing, width, 0), drawing.shift ? load(drawing, width, drawing.shift) : null]);
  const found = await both.catch((error) => {
    if (!mine.aborted) throw error;
  });
  if (!found || mine.aborted) return; // another figure has taken its place meanwhile
  const [now, before] = found;
  const line = document.createElement("div");
  line.className = "cursor-line";
  line.hidden = true;
  panes.append(line);
  const plots = drawing.panes.map((pane, number) => {
    const place = /** @type {HTMLElement} */ (panes.querySelector(`[data-pane="${number}"]`));
    const label = place.querySelector("[aria-label]")?.getAttribute("aria-label") ?? "";
    place.classList.add("plotted");
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", label);
    const made = plot(place, pane, drawing, now, before);
    onKeys(made, drawing, place);
    onTouch(made, { zoom: (from, to) => zoom(drawing, from, to), reset }, life.signal);
    made.over.addEventListener("dblclick", reset);
    return made;
  });
  const watch = new ResizeObserver(() => {
    for (const [number, made] of plots.entries()) {
      const place = panes.querySelector(`[data-pane="${number}"]`);
      if (place && Math.abs(place.clientWidth - made.width) > 1) made.setSize({ width: place.clientWidth, height: made.height });
    }
  });
  watch.observe(panes);
  const following = here.hasAttribute("data-follow") ? setInterval(() => follow(plots), FOLLOW_MS) : 0;
  life.signal.addEventListener("abort", () => {
    clearInterval(following);
    watch.disconnect();
    for (const made of plots) made.destroy();
  });
}

/** A window that ends now moves on, unless somebody is looking at a value or the page is not seen. @param {Plot[]} plots */
function follow(plots) {
  const reading = plots.some((made) => (made.cursor.left ?? -1) >= 0);
  if (!document.hidden && !reading) void go(location.pathname + location.search, "none");
}

/** The share link: the system's sheet where there is one, else the clipboard, else an ordinary link. @param {HTMLElement} here */
function share(here) {
  const link = here.querySelector("[data-share]");
  if (!(link instanceof HTMLAnchorElement)) return;
  link.addEventListener("click", async (event) => {
    if (!navigator.share && !navigator.clipboard) return;
    event.preventDefault();
    if (navigator.share) return navigator.share({ url: link.href, title: document.title }).catch(() => undefined);
    await navigator.clipboard.writeText(link.href);
    link.textContent = here.dataset.wordsCopied ?? "";
  });
}

addEventListener("popstate", () => void go(location.pathname + location.search, "none"));
void begin();
