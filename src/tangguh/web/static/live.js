// Follows a payment while its end is not known. The server sends the page's own HTML; a lost
// connection only means asking again, since the first thing a new one sends is how it stands now.

const AGAIN_MILLISECONDS = 15000;

export function follow(wake) {
  const place = document.getElementById("live");
  const said = document.getElementById("said");
  let shown = "";

  const show = ({ html, said: text, over }) => {
    if (html !== shown) {
      const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
      place.innerHTML = html;
      wake(place);
      if (focused) document.getElementById(focused)?.focus();
      if (shown && said.textContent !== text) said.textContent = text;
      document.title = document.title.replace(/^[^·]*·/, `${text.split(". ")[0]} ·`);
      shown = html;
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
