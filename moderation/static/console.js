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

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    a: () => decide("approve"),
    r: () => decide("reject"),
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
