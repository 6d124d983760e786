// Money and times as the server writes them (format.py): the same golden cases test both.

const months = {
  id: ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"],
  en: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
};
const jakartaMilliseconds = 7 * 3600 * 1000;

const two = (number) => String(number).padStart(2, "0");

/** Digits in groups of three, by dots: 1500000 is 1.500.000. */
export function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ".");
}

/** Rp1.500.000, -Rp2.500; sen only when there are some: Rp35,50. Minor units in, BigInt or number. */
export function money(minor) {
  const units = BigInt(minor);
  const size = units < 0n ? -units : units;
  const sen = size % 100n;
  return `${units < 0n ? "-" : ""}Rp${grouped(String(size / 100n))}${sen ? `,${two(sen)}` : ""}`;
}

/** 29 Mar 2025 14.05 WIB or 29 Mar 2025, 14:05 WIB, whatever the phone's zone is. */
export function instant(iso, language) {
  const local = new Date(new Date(iso).getTime() + jakartaMilliseconds);
  const day = `${local.getUTCDate()} ${months[language][local.getUTCMonth()]} ${local.getUTCFullYear()}`;
  const mark = language === "id" ? "." : ":";
  const comma = language === "id" ? "" : ",";
  return `${day}${comma} ${two(local.getUTCHours())}${mark}${two(local.getUTCMinutes())} WIB`;
}

/** What is being typed, grouped as far as it goes: 25000 becomes 25.000, 1000,5 stays open. */
export function typing(text) {
  const [whole, ...rest] = text.replace(/[^\d,]/g, "").split(",");
  const digits = whole.replace(/^0+(?=\d)/, "").slice(0, 13);
  return rest.length ? `${grouped(digits || "0")},${rest.join("").slice(0, 2)}` : grouped(digits);
}
