// What the pages do beyond plain HTML. Everything here is a convenience: without it all still works.

import { isClear, typing } from "./format.js";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** What a change put into a text: what is between the beginning and the end that both have. */
function inserted(before, after) {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return after.slice(start, after.length - end);
}

/**
 * Group the digits while they are typed; the caret stays behind the same digit. A mark that the
 * person put there is never moved or dropped: 2500.00 stays 2500.00, and the server asks.
 */
function groupDigits(input) {
  let shown = input.value;
  let theirs = !isClear(shown);
  const tidy = () => {
    const added = inserted(shown, input.value);
    theirs = (theirs || /[^\d,]/.test(added) || /,./.test(added)) && /\D/.test(input.value);
    if (!theirs) {
      const behind = input.value.slice(input.selectionEnd).replace(/[^\d,]/g, "").length;
      input.value = typing(input.value);
      let at = input.value.length;
      for (let left = behind; left > 0 && at > 0; at -= 1) {
        if (/[\d,]/.test(input.value[at - 1])) left -= 1;
      }
      input.setSelectionRange(at, at);
    }
    shown = input.value;
  };
  input.addEventListener("input", tidy);
  if (shown && !theirs) shown = input.value = typing(shown);
}

/** Send once: a second press of the button does nothing while the first is on its way. */
function sendOnce(form) {
  const button = form.querySelector("button.button");
  const said = button.textContent;
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    button.setAttribute("aria-disabled", "true");
    button.textContent = form.dataset.once;
  });
  window.addEventListener("pageshow", () => {
    delete form.dataset.sent;
    button.removeAttribute("aria-disabled");
    button.textContent = said;
  });
}

/** Copy a reference or a code; the button says that it did. */
function copier(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  const say = button.querySelector(".aloud") ?? button;
  const usual = say.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    say.textContent = button.dataset.done;
    button.title = button.dataset.done;
    setTimeout(() => { say.textContent = usual; }, 2000);
  });
}

/** Hide the balance from the people on the bus. Kept for this tab. */
function concealer(button) {
  const vault = button.closest("[data-vault]");
  const show = (concealed) => {
    vault.toggleAttribute("data-concealed", concealed);
    button.setAttribute("aria-pressed", String(concealed));
    sessionStorage.setItem("concealed", concealed ? "yes" : "");
  };
  button.hidden = false;
  button.addEventListener("click", () => show(!vault.hasAttribute("data-concealed")));
  show(sessionStorage.getItem("concealed") === "yes");
}

/** Say a minute before that the session ends. Who types uses it: the bank is told once a minute. */
function sessionNotice(box) {
  let timer = 0;
  let told = Date.now();
  const wait = (seconds, text) => {
    clearTimeout(timer);
    box.hidden = true;
    timer = setTimeout(() => { box.hidden = false; box.textContent = text; }, Math.max(seconds - 60, 0) * 1000);
  };
  wait(Number(box.dataset.seconds), box.dataset.text);
  document.addEventListener("input", async () => {
    if (Date.now() - told < 60000) return;
    told = Date.now();
    const body = new URLSearchParams({ csrf: box.dataset.csrf });
    const answer = await fetch("/stay", { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (!answer?.ok) return;
    const { seconds, text } = await answer.json();
    wait(seconds, text);
  });
}

export function wake(root = document) {
  all("[data-copy]", root).forEach(copier);
}

wake();
all("[data-money]").forEach(groupDigits);
all("[data-once]").forEach(sendOnce);
all("[data-conceal]").forEach(concealer);
all("#session").forEach(sessionNotice);
all("[data-photo-send]").forEach((button) => { button.hidden = true; });
if (document.querySelector("[data-photo]")) import("./photo.js");
if (document.querySelector("[data-events]")) import("./live.js").then(({ follow }) => follow(wake));
if (document.querySelector("[data-shrink]")) import("./shrink.js");
if (document.querySelector("[data-push]")) import("./push.js");
