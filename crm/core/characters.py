"""Characters that people cannot see, and what becomes of them in text of one line, such as a name."""

import re
import unicodedata

from django.core.exceptions import ValidationError

# Separators, controls, formats, surrogates, private and unassigned code points; the blank is a separator too.
_UNSEEN_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"})
# Letters and marks that Unicode itself calls ignorable or that are drawn as nothing.
_UNSEEN = frozenset(
    {
        *"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0",
        *map(chr, range(0x180B, 0x1810)),
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xE0100, 0xE01F0)),
    }
)

_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# Embeddings, overrides and isolates of direction; the marks that Arabic and Hebrew text is typed with are none of them.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_invisible(character: str) -> bool:
    """Tell whether a character leaves no mark of its own: blanks, controls, joiners, fillers."""
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _UNSEEN


def one_line(text: str) -> str:
    """Return the text with a blank for each run of line breaks and tabs."""
    return text if text.isprintable() else _BREAKS.sub(" ", text)


def no_controls(text: str) -> None:
    """Raise Django's ValidationError where a text holds control characters or changes the direction of what follows."""
    if any(map(_is_control, text)):
        raise ValidationError("Control characters are not allowed here.", code="control_character")


def as_line(text: str) -> str:
    """Return the text in one line and without what `no_controls` refuses."""
    return text if text.isprintable() else "".join(c for c in one_line(text) if not _is_control(c)).strip()


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" or character in _TURNS
