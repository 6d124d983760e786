// Shows what the bank pushes, and opens what it is about. It keeps nothing and answers no requests:
// a page about money is never from a cache. A locked screen is anybody's, so amounts stay inside.

const OPEN = { id: "Buka aplikasi untuk selengkapnya.", en: "Open the app for the whole story." };
const PLACES = { payment: "/payments/", case: "/reports/" };

function read(data) {
  try {
    return data.json();
  } catch {
    return { title: "Ada kabar untuk Anda", language: "id", matter: "" };
  }
}

function place(matter) {
  const [kind, id] = String(matter).split(":");
  return PLACES[kind] && /^[0-9a-f-]{32,36}$/.test(id) ? PLACES[kind] + id : "/notices";
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const { title, language, matter } = read(event.data);
  event.waitUntil(self.registration.showNotification(title, {
    body: OPEN[language] ?? OPEN.id,
    lang: language,
    icon: "/static/mark.svg",
    tag: matter,
    renotify: Boolean(matter),
    data: { path: place(matter) },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.path));
});
