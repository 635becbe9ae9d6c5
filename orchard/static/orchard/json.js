// JSON as text: its tokens, the first fault in it, and the same text tidied up. Numbers stay as typed.
const TOKEN = /\s+|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b|[{}[\],:]|[^]/g;

const kindOf = (text) => {
  const first = text[0];
  if (/\s/.test(first)) return "space";
  if (first === '"') return text.length > 1 ? "string" : "wrong";
  if ("{}[],:".includes(first)) return first;
  if (text.length > 3 && /^[tfn]/.test(text)) return "literal";
  return /^-?\d/.test(text) ? "number" : "wrong";
};

export function* tokens(text) {
  for (const found of text.matchAll(TOKEN)) yield { kind: kindOf(found[0]), text: found[0], at: found.index };
}

const SCALARS = new Set(["string", "number", "literal"]);

// Where the text stops being JSON, as {line, column} counted from 1; null when it is JSON.
export function findFault(text) {
  const open = [];
  let wants = "value";
  const after = () => (open.length ? "comma" : "end");
  const close = (kind) => { if (open.at(-1) !== (kind === "}" ? "{" : "[")) return false; open.pop(); wants = after(); return true; };
  for (const { kind, at } of tokens(text)) {
    if (kind === "space") continue;
    let fits = false;
    if (wants.startsWith("value")) {
      if (SCALARS.has(kind)) { wants = after(); fits = true; }
      else if (kind === "{" || kind === "[") { open.push(kind); wants = kind === "{" ? "key or end" : "value or end"; fits = true; }
      else if (kind === "]" && wants === "value or end") fits = close(kind);
    } else if (wants.startsWith("key")) {
      if (kind === "string") { wants = "colon"; fits = true; }
      else if (kind === "}" && wants === "key or end") fits = close(kind);
    } else if (wants === "colon" && kind === ":") { wants = "value"; fits = true; }
    else if (wants === "comma") {
      if (kind === ",") { wants = open.at(-1) === "{" ? "key" : "value"; fits = true; }
      else if (kind === "}" || kind === "]") fits = close(kind);
    }
    if (!fits) return placeOf(text, at);
  }
  return wants === "end" ? null : placeOf(text, text.trimEnd().length);
}

export function placeOf(text, at) {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: [...before.at(-1)].length + 1 };
}

export function offsetOf(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

export function tidy(text) {
  const all = [...tokens(text)].filter(({ kind }) => kind !== "space");
  let depth = 0, out = "";
  const newLine = () => `\n${"  ".repeat(depth)}`;
  all.forEach(({ kind, text: word }, n) => {
    const isEmpty = (kind === "{" && all[n + 1]?.kind === "}") || (kind === "[" && all[n + 1]?.kind === "]");
    const wasEmpty = (kind === "}" && all[n - 1]?.kind === "{") || (kind === "]" && all[n - 1]?.kind === "[");
    if ((kind === "}" || kind === "]") && !wasEmpty) { depth -= 1; out += newLine(); }
    out += word;
    if ((kind === "{" || kind === "[") && !isEmpty) { depth += 1; out += newLine(); }
    if (kind === ",") out += newLine();
    if (kind === ":") out += " ";
  });
  return out;
}
