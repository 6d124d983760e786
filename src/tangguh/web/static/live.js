// Follows a payment while its end is not known. The server sends the page's own HTML; a lost
// connection only means asking again, since the first thing a new one sends is how it stands now.

const AGAIN_MILLISECONDS = 15000;

export function follow(wake) {
  const place = document.getElementById("live");
  const said = document.getElementById("said");
  let shown = place.textContent.replace(/\s+/g, " ").trim();

  const show = ({ html, said: text, over }) => {
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    const reads = fresh.textContent.replace(/\s+/g, " ").trim();
    if (reads !== shown) {
      const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
      place.replaceChildren(...fresh.children);
      wake(place);
      if (focused) document.getElementById(focused)?.focus();
      // What comes with an alert of its own is not said twice.
      if (!place.querySelector("[role=alert]")) said.textContent = text;
      document.title = document.title.replace(/^[^·]*·/, `${text.split(". ")[0]} ·`);
      shown = reads;
    }
    return over;
  };

  const listen = () => {
    const stream = new EventSource(place.dataset.events);
    stream.addEventListener("payment", (event) => {
      if (show(JSON.parse(event.data))) stream.close();
    });
    stream.addEventListener("error", () => {
      // A closed stream was turned away (too many, or logged out): the page's own link still works.
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MILLISECONDS);
    });
  };
  listen();
}
