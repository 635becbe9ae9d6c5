"""Languages by their codes, with the names that OpenAI's answers have."""

from __future__ import annotations

from orchard.domain.errors import InvalidInput

AUTO = "auto"
"""What a sender may say to have the language found out; the same as saying nothing."""

_TABLE = """
aa afar, ab abkhazian, ae avestan, af afrikaans, ak akan, am amharic, an aragonese, ar arabic,
as assamese, av avaric, ay aymara, az azerbaijani, ba bashkir, be belarusian, bg bulgarian,
bi bislama, bm bambara, bn bengali, bo tibetan, br breton, bs bosnian, ca catalan, ce chechen,
ch chamorro, co corsican, cr cree, cs czech, cu church slavic, cv chuvash, cy welsh, da danish,
de german, dv divehi, dz dzongkha, ee ewe, el greek, en english, eo esperanto, es spanish,
et estonian, eu basque, fa persian, ff fulah, fi finnish, fj fijian, fo faroese, fr french,
fy western frisian, ga irish, gd scottish gaelic, gl galician, gn guarani, gu gujarati, gv manx,
ha hausa, he hebrew, hi hindi, ho hiri motu, hr croatian, ht haitian creole, hu hungarian,
hy armenian, hz herero, ia interlingua, id indonesian, ie interlingue, ig igbo, ii sichuan yi,
ik inupiaq, io ido, is icelandic, it italian, iu inuktitut, ja japanese, jv javanese, ka georgian,
kg kongo, ki kikuyu, kj kuanyama, kk kazakh, kl kalaallisut, km khmer, kn kannada, ko korean,
kr kanuri, ks kashmiri, ku kurdish, kv komi, kw cornish, ky kyrgyz, la latin, lb luxembourgish,
lg ganda, li limburgish, ln lingala, lo lao, lt lithuanian, lu luba-katanga, lv latvian,
mg malagasy, mh marshallese, mi maori, mk macedonian, ml malayalam, mn mongolian, mr marathi,
ms malay, mt maltese, my myanmar, na nauru, nb norwegian bokmal, nd north ndebele, ne nepali,
ng ndonga, nl dutch, nn nynorsk, no norwegian, nr south ndebele, nv navajo, ny chichewa,
oc occitan, oj ojibwa, om oromo, or oriya, os ossetian, pa punjabi, pi pali, pl polish, ps pashto,
pt portuguese, qu quechua, rm romansh, rn rundi, ro romanian, ru russian, rw kinyarwanda,
sa sanskrit, sc sardinian, sd sindhi, se northern sami, sg sango, si sinhala, sk slovak,
sl slovenian, sm samoan, sn shona, so somali, sq albanian, sr serbian, ss swati,
st southern sotho, su sundanese, sv swedish, sw swahili, ta tamil, te telugu, tg tajik, th thai,
ti tigrinya, tk turkmen, tl tagalog, tn tswana, to tongan, tr turkish, ts tsonga, tt tatar, tw twi,
ty tahitian, ug uyghur, uk ukrainian, ur urdu, uz uzbek, ve venda, vi vietnamese, vo volapuk,
wa walloon, wo wolof, xh xhosa, yi yiddish, yo yoruba, za zhuang, zh chinese, zu zulu
"""

NAMES: dict[str, str] = {
    code: name
    for entry in " ".join(_TABLE.split()).split(", ")
    for code, _, name in [entry.partition(" ")]
}
"""By its two letters (ISO 639-1), the name of each language in English, in small letters."""

ALSO_HEARD: dict[str, str] = {"haw": "hawaiian", "jw": "javanese", "yue": "cantonese"}
"""Codes of whisper's own that it may recognize, and be told."""

_BY_NAME = {name: code for code, name in NAMES.items()}


def parse_language(text: str) -> str:
    """The code of a language; empty for `auto`, and for nothing.

    Raises:
        InvalidInput: there is no such language; names it.
    """
    code = text.strip().lower()
    if code in ("", AUTO):
        return ""
    if code not in NAMES and code not in ALSO_HEARD:
        raise InvalidInput(
            "language", f"there is no language {text.strip()[:40]!r}; "
            "it is named by two letters, as in ISO 639-1, or `auto`",
        )  # fmt: skip
    return code


def code_of(told: object) -> str:
    """The code of a language as a transcriber names it, by code or English name; empty if none."""
    name = str(told or "").strip().lower().replace("_", "-").partition("-")[0]
    if name in NAMES or name in ALSO_HEARD:
        return name
    return _BY_NAME.get(name, "")


def name_of(code: str) -> str:
    """The English name of a language; empty when there is none of this code."""
    return NAMES.get(code) or ALSO_HEARD.get(code, "")
