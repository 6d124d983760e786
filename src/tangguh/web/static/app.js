// What the pages do beyond plain HTML. Everything here is a convenience: without it all still works.

import { typing } from "./format.js";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Group the digits while they are typed; the caret stays behind the same digit. */
function groupDigits(input) {
  const tidy = () => {
    const behind = input.value.slice(input.selectionEnd).replace(/[^\d,]/g, "").length;
    input.value = typing(input.value);
    let at = input.value.length;
    for (let left = behind; left > 0 && at > 0; at -= 1) {
      if (/[\d,]/.test(input.value[at - 1])) left -= 1;
    }
    input.setSelectionRange(at, at);
  };
  input.addEventListener("input", tidy);
  if (input.value) input.value = typing(input.value);
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

/** Say a minute before that the session ends, so that nobody is surprised. */
function sessionNotice(box) {
  const seconds = Number(box.dataset.seconds) - 60;
  if (seconds > 0) setTimeout(() => { box.hidden = false; box.textContent = box.dataset.text; }, seconds * 1000);
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
