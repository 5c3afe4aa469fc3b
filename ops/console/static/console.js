// Keys, copying, and a sign that a page is being loaded. Every page works without this file.
"use strict";

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("tr.row a, li.row a")].filter((link, index, all) =>
  all.findIndex((other) => other.closest(".row") === link.closest(".row")) === index);
let going = 0;

function step(by) {
  const all = rows();
  const at = all.findIndex((link) => link.closest(".row").contains(document.activeElement));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
  if (next) {
    next.focus();
    next.closest(".row").scrollIntoView({ block: "nearest" });
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys !== "on") return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (going && Date.now() - going < 1500) {
    going = 0;
    const link = [...document.querySelectorAll("nav a[data-key]")].find((one) => one.dataset.key === event.key);
    if (link) link.click();
    return;
  }
  const keys = {
    "/": () => document.getElementById("search").focus(),
    j: () => step(1),
    k: () => step(-1),
    g: () => { going = Date.now(); },
    r: () => location.reload(),
  };
  if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    document.getElementById("spoken").textContent = "Copied";
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

// A page that is slow says so. A form is sent once: its button rests until the answer is there.
const busy = () => {
  document.body.classList.add("loading");
  document.getElementById("spoken").textContent = "Loading";
};
document.addEventListener("submit", (event) => {
  busy();
  for (const button of event.target.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab loads, not this one
  if (link && !link.hash && !link.hasAttribute("download") && link.origin === location.origin) busy();
});
addEventListener("pageshow", () => {
  document.body.classList.remove("loading");
  for (const button of document.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
});

// The only text that becomes markup is a page of this server.
const ownPage = globalThis.trustedTypes
  ? trustedTypes.createPolicy("own-page", { createHTML: (text) => text })
  : { createHTML: (text) => text };

// The part of the page's answer that says the faults; null without an answer, so that no older result is believed.
async function checked(form) {
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = new DOMParser().parseFromString(ownPage.createHTML(await answer.text()), "text/html");
    return answer.ok ? page.getElementById("check-result") : null;
  } catch {
    return null;
  }
}

// A document is checked while it is typed: the same form is sent, and the part of the answer with the faults is shown.
for (const form of document.querySelectorAll("form[data-check]")) {
  let waiting = 0;
  let asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const mine = ++asked;
      const found = await checked(form);
      const shown = document.getElementById("check-result");
      if (mine !== asked) return;
      if (found) shown.replaceWith(found);
      else shown.textContent = "This text could not be checked. Press Check to see why.";
    }, 600);
  });
  // What was typed before this script ran, or what the browser has filled in again.
  const typed = [...form.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
  if (typed) form.dispatchEvent(new Event("input"));
}
