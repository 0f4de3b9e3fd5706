// The words of islands in the reader's language. English stands in the code; for any other language
// the page carries the translations of just these texts as JSON (web/i18n.py writes it).
//
//   t("Copy link")                                  a text
//   t("{n} chosen", { n })                          with named places
//   tn("{n} picture", "{n} pictures", n)            of one thing or of several; {n} is the number
//
// Every text is a literal at the place of the call: that is how `make messages` finds it.

interface Words {
  words: Record<string, string | string[]>;
  plural: string; // for each number below 200 the place of its form; then they repeat by hundreds
}

type Values = Record<string, string | number>;

const known: Words = read();
const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");

function read(): Words {
  const text = document.getElementById("words")?.textContent;
  return text ? (JSON.parse(text) as Words) : { words: {}, plural: "" };
}

function filled(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** Say a text. */
export function t(text: string, values: Values = {}): string {
  const found = known.words[text];
  return filled(typeof found === "string" ? found : text, values);
}

/** Say a text of one thing or of several. */
export function tn(singular: string, plural: string, n: number, values: Values = {}): string {
  const found = known.words[singular];
  const english = n === 1 ? singular : plural;
  const form = Number(known.plural[n < 200 ? n : 100 + (n % 100)] ?? 0);
  const text = Array.isArray(found) ? (found[form] ?? found.at(-1) ?? english) : english;
  return filled(text, { n: numbers.format(n), ...values });
}
