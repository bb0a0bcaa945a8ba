/* Single keys for the moderator console; everything they do, a button or link on the page does too. */
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll("[data-card]")];
  const dialog = byId("keys");
  const OFF = "greenroom:keys-off";
  // A second press, before the answer has come, would decide what is not on the screen yet.
  let sent = false;

  // ---- whether keys are on: somebody who speaks to the computer must be able to switch them off ----
  let off = false;
  try { off = localStorage.getItem(OFF) === "yes"; } catch { /* forbidden: they stay on */ }
  byId("keys-on").checked = !off;
  byId("keys-on").addEventListener("change", (event) => {
    off = !event.target.checked;
    try { localStorage.setItem(OFF, off ? "yes" : "no"); } catch { /* for this page only, then */ }
  });

  // ---- which card is meant ----
  function current() {
    const card = document.activeElement?.closest("[data-card]");
    return card ?? (cards.length === 1 && "lone" in cards[0].dataset ? cards[0] : null);
  }
  function move(step) {
    const at = cards.indexOf(current());
    const next = at < 0 ? cards[0] : cards[Math.min(Math.max(at + step, 0), cards.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
  function press(button) {
    if (!button || sent) return;
    sent = true;
    button.click();
  }
  const decide = (action) => press(current()?.querySelector(`button[value="${action}"]`));
  function rejectAs(reason) {
    const card = current();
    const choice = card?.querySelector('select[name="reason"]');
    if (!choice) return;
    choice.value = reason;
    decide("reject");
  }

  // ---- several at once ----
  const ticks = [...document.querySelectorAll(".tick")];
  const several = byId("several");
  let lastTick = null;
  function countTicks() {
    if (!several) return;
    const count = ticks.filter((tick) => tick.checked).length;
    several.classList.toggle("some", count > 0);
    byId("several-count").textContent = count ? `${count} chosen` : "Tick comments to decide them together";
  }
  function tickAll() {
    const all = ticks.every((tick) => tick.checked);
    for (const tick of ticks) tick.checked = !all;
    countTicks();
  }
  for (const tick of ticks) {
    tick.addEventListener("click", (event) => {
      const from = ticks.indexOf(lastTick);
      const to = ticks.indexOf(tick);
      if (event.shiftKey && from >= 0) {
        for (const between of ticks.slice(Math.min(from, to), Math.max(from, to) + 1)) between.checked = tick.checked;
      }
      lastTick = tick;
      countTicks();
    });
  }
  if (several) {
    byId("tick-all").hidden = false;
    byId("tick-all").addEventListener("click", tickAll);
    document.documentElement.classList.add("js");
    countTicks();
  }

  // ---- how long the queue is now; a hidden page asks nothing ----
  const counts = byId("counts");
  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(counts.dataset.counts, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const found = await answer.json();
      byId("open-count").textContent = found.open;
      const more = found.open - Number(counts.dataset.open);
      if (more > 0 && !byId("more-link")) {
        const link = document.createElement("a");
        link.id = "more-link";
        link.href = location.pathname + location.search;
        counts.append(link);
      }
      if (byId("more-link")) byId("more-link").textContent = more > 0 ? `${more} more: show` : "";
    } catch { /* away for a moment: the next look tells */ }
  }
  if (counts) setInterval(look, 20_000);

  // ---- a claim is held while the page is open, and a run is looked at again ----
  const held = document.querySelector("[data-heartbeat]");
  if (held) setInterval(() => { if (!document.hidden) fetch(held.action, { method: "POST", body: new FormData(held), redirect: "manual" }).catch(() => {}); }, 120_000);
  const again = document.querySelector("[data-reload]");
  if (again) setTimeout(() => location.replace(location.pathname), 1000 * Number(again.dataset.reload));

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    a: () => decide("approve"),
    r: () => decide("reject"),
    s: () => rejectAs("spam"),
    x: () => current()?.querySelector(".tick")?.click(),
    "/": () => byId("q")?.focus(),
    u: () => press(document.querySelector(".undo button")),
    "?": () => dialog.showModal(),
  };

  function isTyping(element) {
    return element.closest("input, select, textarea, [contenteditable], dialog") !== null;
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (event.key === "Enter" && cards.includes(event.target)) {
      event.target.querySelector("[data-open]")?.click();
      return;
    }
    const act = off ? undefined : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    // A key held down may move on, but never decide one comment after the other.
    if (!event.repeat || "jk".includes(event.key)) act();
  });

  byId("show-keys").hidden = false;
  byId("show-keys").addEventListener("click", () => dialog.showModal());
  // A page taken out of the browser's memory may decide again.
  window.addEventListener("pageshow", () => { sent = false; });
  // After a decision the next card is in the address: go on from there.
  cards.find((card) => `#${card.id}` === location.hash)?.focus();
})();
