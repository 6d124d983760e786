// Makes a photograph small enough to send before it is sent. Without it the server says its limit.

const SIDE_MAX = 2000;
const BYTES_MAX = 1_500_000;

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const drawn = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.85); });
  return new File([drawn], "photo.jpg", { type: "image/jpeg" });
}

async function shrink(input) {
  const [file] = input.files;
  if (!file || !file.type.startsWith("image/") || file.size <= BYTES_MAX) return;
  try {
    const chosen = new DataTransfer();
    chosen.items.add(await smaller(file));
    input.files = chosen.files;
  } catch {
    // What this browser cannot read goes as it is; the server judges it.
  }
}

for (const input of document.querySelectorAll("[data-shrink]")) {
  input.addEventListener("change", () => shrink(input));
}
