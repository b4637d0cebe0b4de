"""Characters that people cannot see."""

import unicodedata

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


def is_invisible(character: str) -> bool:
    """Tell whether a character leaves no mark of its own: blanks, controls, joiners, fillers."""
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _UNSEEN
