// Words in the viewer's language; Django's catalog is there for everybody who is signed in.
export const _ = (text) => (window.gettext ? window.gettext(text) : text);
export const fill = (text, facts) => text.replace(/%\((\w+)\)[ds]/g, (_all, name) => facts[name]);
export function ngettext(one, many, count, facts) {
  const text = window.ngettext ? window.ngettext(one, many, count) : count === 1 ? one : many;
  return fill(text, facts);
}
