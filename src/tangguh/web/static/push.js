// Notices on this device: the browser agrees, the bank keeps where it can be reached. Whether it is
// told already is the bank's word: somebody else may have agreed on the same device before.

const box = document.querySelector("[data-push]");
const worker = "/service-worker.js";

function show(state) {
  box.hidden = false;
  for (const part of box.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").includes(state);
  }
}

const bytes = (text) => Uint8Array.from(
  atob(text.replaceAll("-", "+").replaceAll("_", "/")),
  (letter) => letter.charCodeAt(0),
);

async function fingerprint(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(agreed, more = {}) {
  const { endpoint, keys } = agreed.toJSON();
  const answer = await fetch("/notices/push", {
    method: "POST",
    body: new URLSearchParams({ csrf: box.dataset.token, endpoint, ...keys, ...more }),
  });
  if (answer.status !== 204) throw new Error("the bank did not take it");
}

async function agreement() {
  const registered = await navigator.serviceWorker.getRegistration("/");
  return registered ? registered.pushManager.getSubscription() : null;
}

async function begin() {
  if (await Notification.requestPermission() !== "granted") {
    show(Notification.permission === "denied" ? "blocked" : "off");
    return;
  }
  await navigator.serviceWorker.register(worker);
  const { pushManager } = await navigator.serviceWorker.ready;
  await send(await pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(box.dataset.push),
  }));
  show("on");
}

async function end() {
  const agreed = await agreement();
  if (agreed) {
    await send(agreed, { stop: "yes" });
    await agreed.unsubscribe();
  }
  show("off");
}

async function look() {
  if (Notification.permission === "denied") return show("blocked");
  const agreed = Notification.permission === "granted" ? await agreement() : null;
  const told = agreed && box.dataset.browsers.split(" ").includes(await fingerprint(agreed.endpoint));
  return show(told ? "on" : "off");
}

if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  const attempt = (act) => () => act().catch(() => show("failed"));
  document.getElementById("push-on").addEventListener("click", attempt(begin));
  document.getElementById("push-off").addEventListener("click", attempt(end));
  look().catch(() => {});
}
