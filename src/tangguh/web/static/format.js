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

/**
 * What is being typed, grouped as far as it goes: 25000 becomes 25.000, 1000,5 stays open. Points
 * are taken for our own groups. What is no such sum stays as it is: the server asks what it means.
 */
export function typing(text) {
  const bare = text.replace(/\s/g, "").replace(/^rp\.?/i, "");
  if (!/\d/.test(bare) || !/^[\d.]*(,\d{0,2})?$/.test(bare)) return text;
  const [whole, sen] = bare.replace(/\./g, "").split(",");
  const digits = whole.replace(/^0+(?=\d)/, "");
  if (digits.length > 13) return text;
  return sen === undefined ? grouped(digits) : `${grouped(digits || "0")},${sen}`;
}

/** Whether a text is one sum in our own form: 25000, 25.000, 25.000,50. */
export function isClear(text) {
  const bare = text.replace(/\s/g, "").replace(/^rp\.?/i, "");
  return /^(\d*|\d{1,3}(\.\d{3})+)(,\d{0,2})?$/.test(bare);
}
