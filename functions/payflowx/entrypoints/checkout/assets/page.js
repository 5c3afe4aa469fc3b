// The page works without this. It asks again for the state of a payment while the page waits, and shows local times.
(() => {
  "use strict";
  const FIRST_MS = 3000;
  const LONGEST_MS = 15000;
  const UNTIL_MS = 15 * 60 * 1000;
  const started = Date.now();

  const showLocalTimes = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      }
    }
  };

  const state = () => document.querySelector("main").dataset.state;
  const waits = () => document.querySelector("main").dataset.waits === "true";

  // Takes over the new content. A screen reader hears the new heading; the focus stays unless its element is gone.
  const show = (next) => {
    const main = document.querySelector("main");
    const hadFocus = main.contains(document.activeElement);
    main.replaceWith(document.importNode(next, true));
    showLocalTimes();
    const heading = document.querySelector("h1");
    document.title = `${heading.textContent} - ${document.title.split(" - ").pop()}`;
    document.querySelector("[role=status]").textContent = heading.textContent;
    if (hadFocus) {
      heading.tabIndex = -1;
      heading.focus();
    }
  };

  const ask = async (waitMs) => {
    if (!waits() || Date.now() - started > UNTIL_MS) {
      return;
    }
    if (!document.hidden) {
      try {
        const address = location.href.split(/[?#]/)[0];
        const answer = await fetch(address, { cache: "no-store", credentials: "omit", redirect: "error" });
        if (answer.ok) {
          const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
          if (next && next.dataset.state !== state()) {
            show(next);
          }
        }
      } catch {
        // Without a network the button still works.
      }
    }
    setTimeout(ask, waitMs, Math.min(waitMs * 1.5, LONGEST_MS));
  };

  showLocalTimes();
  setTimeout(ask, FIRST_MS, FIRST_MS);
})();
