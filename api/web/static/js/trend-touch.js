// Fingers on a pane: sideways selects a time, up and down scrolls the page, two fingers zoom, two taps reset, one tap reads.

/**
 * @typedef {import("uplot")} Plot
 * @typedef {{zoom: (from: number, to: number) => void, reset: () => void}} Acts  times in ms
 */

const FIRM_PX = 10;
const TWO_TAPS_MS = 320;

/** @param {Plot} u @param {Acts} acts @param {AbortSignal} signal */
export function onTouch(u, acts, signal) {
  /** @type {Map<number, {x: number, first: number, y: number}>} */
  const fingers = new Map();
  let tapped = 0;
  /** @type {{apart: number, from: number, to: number} | null} */
  let pinch = null;
  const over = u.over;
  over.style.touchAction = "pan-y";
  const options = { signal };

  /** @param {PointerEvent} event */
  const place = (event) => event.clientX - over.getBoundingClientRect().left;
  /** The distance of two fingers, and the instant under their middle. */
  const two = () => {
    const [a = 0, b = 0] = [...fingers.values()].map((finger) => finger.x);
    return { apart: Math.max(Math.abs(a - b), 1), at: u.posToVal((a + b) / 2, "x") * 1000 };
  };
  const clear = () => u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);

  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, { x: place(event), first: place(event), y: event.clientY });
    if (fingers.size === 2) {
      clear();
      pinch = { apart: two().apart, from: u.posToVal(0, "x") * 1000, to: u.posToVal(over.clientWidth, "x") * 1000 };
    }
  }, options);

  over.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    finger.x = place(event);
    if (pinch || fingers.size !== 1) return;
    const left = Math.max(0, Math.min(finger.first, finger.x));
    const width = Math.min(over.clientWidth, Math.max(finger.first, finger.x)) - left;
    if (width > FIRM_PX) u.setSelect({ left, width, top: 0, height: over.clientHeight }, false);
  }, options);

  over.addEventListener("pointerup", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    if (pinch && fingers.size === 2) {
      const { apart, at } = two();
      const share = pinch.apart / apart;
      const { from, to } = pinch;
      if (Math.abs(share - 1) > 0.1) acts.zoom(at - (at - from) * share, at + (to - at) * share);
    } else if (!pinch && u.select.width > FIRM_PX) {
      const { left, width } = u.select;
      acts.zoom(u.posToVal(left, "x") * 1000, u.posToVal(left + width, "x") * 1000);
    } else if (!pinch) {
      if (event.timeStamp - tapped < TWO_TAPS_MS) acts.reset();
      tapped = event.timeStamp;
      u.setCursor({ left: finger.x, top: 0 });
    }
    fingers.delete(event.pointerId);
    if (!fingers.size) pinch = null;
  }, options);

  // The browser has begun to scroll: this finger was never ours.
  over.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) pinch = null;
    clear();
  }, options);
}
