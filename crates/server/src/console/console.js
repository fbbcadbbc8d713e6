// What pages can do without: news of the queue, and keys. Everything is a link or a form that works alone.
"use strict";

// The queue says when there is something new; the page asks, and does not change under whoever reads it.
for (const news of document.querySelectorAll("[data-live]")) {
  const events = new EventSource(news.dataset.live);
  events.addEventListener("changed", (event) => {
    if (event.data !== news.dataset.stamp) news.hidden = false;
  });
  addEventListener("pagehide", () => events.close());
}

const rows = [...document.querySelectorAll("[data-row]")];
let chosen = -1;
let pending = "";

function choose(index) {
  if (rows.length === 0) return;
  rows[chosen]?.classList.remove("chosen");
  chosen = Math.min(Math.max(index, 0), rows.length - 1);
  rows[chosen].classList.add("chosen");
  rows[chosen].querySelector("[data-open]")?.focus();
}

const places = { q: "/console/queue", a: "/console/requests", s: "/console/search", l: "/console/audit-log" };

addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key;
  if (pending === "g" && places[key]) {
    location.assign(places[key]);
  } else if (key === "j") {
    choose(chosen + 1);
  } else if (key === "k") {
    choose(chosen - 1);
  } else if (key === "/") {
    document.querySelector("[data-search]")?.focus();
    event.preventDefault();
  }
  pending = key;
});
