// Says how old the page is, and puts the newest words in their places while somebody looks at it.
// Nothing is reloaded: what is open stays open, and what has the focus keeps it. Without this script,
// or without an answer, the page stands as it was made and its age says so.
(function () {
  "use strict";
  const here = document.getElementById("live");
  if (!here) return;
  const every = Number(here.dataset.every) * 1000;
  let asked = Date.now();

  function tellAge() {
    const age = document.getElementById("age");
    if (!age) return;
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(age.dataset.at)) / 1000));
    const isOld = seconds > 60;
    const words = isOld ? age.dataset.m : age.dataset.s;
    age.textContent = words.replace("{n}", isOld ? Math.floor(seconds / 60) : seconds);
    age.className = isOld ? "late" : "";
  }

  // Makes one node say what another says. Nodes with an id keep it: a story that comes in above
  // another never changes what a finger or the focus is on.
  function become(old, made) {
    if (old.nodeName !== made.nodeName || old.id !== made.id) {
      old.replaceWith(document.importNode(made, true));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== made.data) old.data = made.data;
      return;
    }
    if (old.isEqualNode(made)) return;
    for (const one of made.attributes) {
      if (old.getAttribute(one.name) !== one.value) old.setAttribute(one.name, one.value);
    }
    for (const one of [...old.attributes]) {
      const isTheirs = old.nodeName === "DETAILS" && one.name === "open";
      if (!isTheirs && !made.hasAttribute(one.name)) old.removeAttribute(one.name);
    }
    const kept = new Set([...made.children].map((one) => one.id).filter(Boolean));
    for (const one of [...old.children]) {
      if (one.id && !kept.has(one.id)) one.remove();
    }
    const there = new Set([...old.children].map((one) => one.id).filter(Boolean));
    let at = old.firstChild;
    for (const one of made.childNodes) {
      const isNew = one.id ? !there.has(one.id) : at !== null && Boolean(at.id);
      if (at === null || isNew) {
        old.insertBefore(document.importNode(one, true), at);
        continue;
      }
      // What has no id makes way for what has one: a node that is moved would lose the focus.
      while (one.id && at && !at.id) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      if (one.id && at?.id !== one.id) {
        const found = [...old.children].find((child) => child.id === one.id);
        old.insertBefore(found, at);
        at = found;
      }
      const next = at.nextSibling;
      become(at, one);
      at = next;
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  async function look() {
    asked = Date.now();
    try {
      const answer = await fetch(location.href.split("#")[0], { cache: "no-cache" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const made = page.getElementById("live");
      if (!made) return;
      become(here, made);
      document.title = page.title;
      tellAge();
    } catch {
      tellAge();
    }
  }

  function lookIfDue() {
    tellAge();
    if (!document.hidden && Date.now() - asked >= every) look();
  }
  tellAge();
  setInterval(lookIfDue, 5000);
  document.addEventListener("visibilitychange", lookIfDue);
})();
