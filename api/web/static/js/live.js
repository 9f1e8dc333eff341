// Keeps a page true: the clock, how old the data is, and sections that are asked for again when something has happened.
// Nothing is swapped while a finger is down, a field is being typed in, or within a moment after; it waits.

const QUIET_MS = 1200;
const POLL_MS = 15_000;
/** Time passes and proofs count also while nothing happens. */
const AGAIN_MS = 20_000;
const STILL_S = 20;

/** @type {import("./htmx").Htmx | undefined} */
const htmx = /** @type {any} */ (window).htmx;

let touched = 0;
let wanted = false;
let polling = 0;
let lastTick = performance.now();
let plantNow = Number(document.querySelector("[data-alive]")?.getAttribute("data-now") || 0);

for (const name of ["pointerdown", "pointermove", "keydown", "scroll"]) {
  addEventListener(name, () => (touched = performance.now()), { passive: true, capture: true });
}

/** Whether somebody is in the middle of something. */
function busy() {
  const active = document.activeElement;
  const typing = active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement || active instanceof HTMLSelectElement;
  const selecting = document.querySelector("[data-live] input:checked") !== null;
  return typing || selecting || performance.now() - touched < QUIET_MS || document.hidden;
}

/** Ask for every live section again, when nobody is disturbed by it. */
async function refresh() {
  if (!wanted || busy()) return;
  wanted = false;
  for (const section of document.querySelectorAll("[data-live]")) {
    const address = section.getAttribute("data-live");
    if (address && htmx) await htmx.ajax("GET", address, { target: section, swap: "innerHTML" });
  }
}

/** @param {number} seconds @param {HTMLElement} words */
function age(seconds, words) {
  if (seconds < 60) return `${Math.floor(seconds)} ${words.dataset.wordsSecond}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} ${words.dataset.wordsMinute}`;
  return `${Math.floor(seconds / 3600)} ${words.dataset.wordsHour}`;
}

/** @param {{plant_time: string | null, listening: boolean}} clock */
function tick(clock) {
  const bar = document.querySelector("[data-alive]");
  if (!(bar instanceof HTMLElement) || !clock.plant_time) return;
  const at = Date.parse(clock.plant_time);
  if (at > plantNow) {
    plantNow = at;
    lastTick = performance.now();
  }
  const face = bar.querySelector("[data-clock]");
  if (face) face.textContent = new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: bar.dataset.zone }).format(at);
  bar.dataset.listening = String(clock.listening);
  told();
}

/** How old the data is, in words that are true also while nothing comes. */
function told() {
  const bar = document.querySelector("[data-alive]");
  const place = bar?.querySelector("[data-age]");
  if (!(bar instanceof HTMLElement) || !place || !plantNow) return;
  const seconds = (performance.now() - lastTick) / 1000;
  const deaf = bar.dataset.listening === "false";
  const still = seconds > STILL_S;
  bar.classList.toggle("still", still || deaf);
  const words = (deaf ? bar.dataset.wordsDeaf : still ? bar.dataset.wordsStill : bar.dataset.wordsAge) ?? "";
  place.textContent = words.replace("{age}", age(seconds, bar));
}

function listen() {
  const source = new EventSource("/api/v1/stream");
  const news = () => {
    wanted = true;
  };
  source.addEventListener("clock", (event) => tick(JSON.parse(event.data)));
  source.addEventListener("ticket", news);
  source.addEventListener("alarm", news);
  source.addEventListener("open", () => {
    clearInterval(polling);
    polling = 0;
    news();
  });
  // The browser reconnects by itself; until it has, ask every 15 s.
  source.addEventListener("error", () => {
    if (!polling) polling = window.setInterval(news, POLL_MS);
  });
  addEventListener("pagehide", () => source.close());
}

if (document.querySelector("[data-alive]")) {
  listen();
  setInterval(refresh, 500);
  setInterval(() => (wanted = true), AGAIN_MS);
  setInterval(told, 1000);
}
