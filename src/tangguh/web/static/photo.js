// Reads a QR code from a picture in the browser where it can; otherwise the server reads it.

const form = document.querySelector("[data-photo]");
const said = form.querySelector("[data-photo-said]");
const code = document.querySelector("[data-code]");

async function readHere(file) {
  if (!("BarcodeDetector" in window)) return "";
  try {
    if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return "";
    const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(await createImageBitmap(file));
    // With several codes in the picture the server says which is a merchant's, or asks.
    return found.length === 1 ? found[0].rawValue : "";
  } catch {
    return "";
  }
}

async function take(input) {
  const [file] = input.files;
  if (!file) return;
  input.closest(".picker").classList.add("chosen");
  said.textContent = form.dataset.busy;
  const text = await readHere(file);
  if (text) {
    code.elements.code.value = text;
    code.requestSubmit();
  } else {
    for (const other of form.querySelectorAll("input[type=file]")) other.disabled = other !== input;
    form.requestSubmit();
  }
}

for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => take(input));
  // Chosen while this script was still on its way.
  if (input.files.length) take(input);
}
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  said.textContent = "";
  form.querySelectorAll("input[type=file]").forEach((input) => { input.disabled = false; });
});
