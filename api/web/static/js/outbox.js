// What is said or photographed without a network is kept in this browser (IndexedDB) and sent when the network is back.
// Each entry goes out under a key of its own, so that one whose answer was lost is taken once however often it comes.

/**
 * `group` is the ticket it is for, `who` had signed in. A photo is `held` until its form is sent. `refused`: the service
 * will never take it, and why. Bytes are kept as ArrayBuffer, because older iPhones lose a stored Blob.
 * @typedef {{ key: string, who: string, group: string, url: string, type: string, body: ArrayBuffer | string, at: number, held: boolean, refused: string }} Entry
 * @typedef {"sent" | "network" | "login"} Outcome
 */

const STORE = "outbox";
const AGAIN_MS = 15_000;
const PATIENCE_MS = 60_000;

/** @type {Promise<IDBDatabase>} */
const database = new Promise((resolve, reject) => {
  const asked = indexedDB.open("dutyroom", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "key" });
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});
database.catch(() => undefined); // whoever asks for it is told; a browser without one sends its forms as ever

/** @template T @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest<T>} act @returns {Promise<T>} */
async function stored(mode, act) {
  const transaction = (await database).transaction(STORE, mode);
  const asked = act(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

const bar = document.querySelector("[data-outbox]");
const me = bar instanceof HTMLElement ? (bar.dataset.me ?? "") : "";

/** Resolves where things can be kept here at all. */
export const ready = () => database.then(() => undefined);

/** What this person has waiting, the oldest first. @returns {Promise<Entry[]>} */
export async function waiting() {
  /** @type {Entry[]} */
  const every = await stored("readonly", (store) => store.getAll());
  return every.filter((entry) => entry.who === me).sort((a, b) => a.at - b.at);
}

/** @param {Omit<Entry, "who" | "at" | "refused">} entry */
export async function keep(entry) {
  await stored("readwrite", (store) => store.put({ ...entry, who: me, at: performance.timeOrigin + performance.now(), refused: "" }));
  await told();
}

/** @param {string} key */
export async function drop(key) {
  await stored("readwrite", (store) => store.delete(key));
  await told();
}

/** The photos of a form are no longer held. @param {string} group */
export async function release(group) {
  for (const entry of await waiting())
    if (entry.group === group && entry.held) await stored("readwrite", (store) => store.put({ ...entry, held: false }));
}

/** A key that no other device makes; `crypto.randomUUID` is not there over plain http. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @type {Outcome} */
let last = "sent";
let sending = false;

/** Send all that waits, one after another, until the network or the service says no. */
export async function flush() {
  if (sending) return;
  sending = true;
  try {
    for (const entry of await waiting()) {
      if (entry.held || entry.refused) continue;
      last = await send(entry);
      if (last !== "sent") break;
      document.dispatchEvent(new CustomEvent("outbox:sent", { detail: entry.group }));
    }
  } finally {
    sending = false;
    await told();
  }
}

/** @param {Entry} entry @returns {Promise<Outcome>} */
async function send(entry) {
  const headers = { "Content-Type": entry.type, Accept: "application/json" };
  const asked = { method: "POST", headers, body: entry.body, signal: AbortSignal.timeout(PATIENCE_MS) };
  const answer = await fetch(entry.url, asked).catch(() => null);
  if (answer === null || answer.status === 429 || answer.status >= 500) return "network";
  if (answer.status === 401 || answer.status === 403) return "login";
  if (answer.ok) await drop(entry.key);
  else {
    const problem = await answer.json().catch(() => ({}));
    await stored("readwrite", (store) => store.put({ ...entry, refused: String(problem.detail ?? answer.status) }));
  }
  return "sent";
}

/** Say how much waits, and why. */
async function told() {
  document.dispatchEvent(new CustomEvent("outbox:changed"));
  if (!(bar instanceof HTMLElement)) return;
  const entries = (await waiting()).filter((entry) => !entry.held);
  bar.hidden = entries.length === 0;
  const refused = entries.filter((entry) => entry.refused).length;
  const words = refused === entries.length ? bar.dataset.wordsRefused : last === "login" ? bar.dataset.wordsLogin : bar.dataset.words;
  const place = bar.querySelector("[data-say]");
  if (place) place.textContent = (words ?? "").replace("{n}", String(entries.length));
  bar.querySelector("[data-retry]")?.toggleAttribute("hidden", refused === entries.length);
}

if (bar !== null && "indexedDB" in globalThis) {
  const again = () => void ready().then(flush, () => undefined);
  bar.querySelector("[data-retry]")?.addEventListener("click", again);
  addEventListener("online", again);
  document.addEventListener("visibilitychange", () => document.hidden || again());
  setInterval(() => bar instanceof HTMLElement && !bar.hidden && again(), AGAIN_MS);
  again();
}
