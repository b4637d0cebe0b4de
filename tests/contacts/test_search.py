"""Search finds what a slow reading in Python finds: word prefixes, accents and case ignored, phones by their digits."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact
from contacts.services import contacts
from crm.core import search
from crm.core.actor import system_actor

ALPHABETS = "abcdeéèßøłžABCDÉÅ абвёй ΑβγςΣ شمس 王小明 佐藤 ğıİŞ ﬁℌ²①' -.@_0123"
NAMES = st.text(alphabet=ALPHABETS, max_size=18)
PHONES = st.from_regex(r"\A(\+?[0-9]{1,3}[ .-]?)?(\([0-9]{2,3}\) )?[0-9]{3}[ .-]?[0-9]{2,4}\Z")


def plain_words(text):
    """The words of a text, one character at a time."""
    found, word = [], ""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    for character in f"{folded} ":
        if unicodedata.combining(character):
            continue
        if character.isalnum():
            word += {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"}.get(character, character)
        elif word:
            found.append(word)
            word = ""
    return found


def plainly_matches(asked, *texts):
    """Every word asked for begins a word of the texts; nothing asked for, nothing found."""
    wanted = plain_words(asked)
    there = [word for text in texts for word in plain_words(text)]
    return bool(wanted) and all(any(word.startswith(prefix) for word in there) for prefix in wanted)


def matching(tenant, asked):
    return set(Contact.objects.of(tenant.id).searched(tenant.id, asked).values_list("pk", flat=True))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=4), asked=NAMES)
def test_names_are_found_as_a_slow_reading_finds_them(acme, people, asked):
    with acme.inside():
        Contact.objects.of(acme.id).delete()
        made = [
            contacts.create_contact(system_actor(acme.id), first_name=first, last_name=last, email=f"q{number}@qq.q")
            for number, (first, last) in enumerate(people)
        ]

        found = matching(acme, asked)

        expected = {
            contact.pk
            for contact, (first, last) in zip(made, people, strict=True)
            if plainly_matches(asked, f"{first} {last}", contact.email)
        }
        assert found >= expected
        # Digits in a row are also found as one number, which the plain reading does not know.
        if not any(character.isdigit() for character in asked):
            assert found == expected


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_words_are_stable_and_bare(text):
    words = search.words(text)

    assert search.words(" ".join(words)) == words
    assert all(word == word.casefold() and word.isalnum() for word in words)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(phone=PHONES)
def test_a_phone_is_found_by_its_digits_however_they_are_written(acme, phone):
    digits = "".join(filter(str.isdigit, phone))
    with acme.inside():
        Contact.objects.of(acme.id).delete()
        row = Contact(organization_id=acme.id, first_name="X", phone=phone)
        row.search = search.vector(acme.id, phone)
        row.save()

        for asked in (phone, digits, f"{digits[:3]} {digits[3:]}", digits[:6]):
            assert matching(acme, asked) == {row.pk}, asked


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("+1 (555) 010-0123", "5550100123"),
        ("+1 (555) 010-0123", "555 010 0123"),
        ("+1 (555) 010-0123", "+15550100123"),
        ("+1 (555) 010-0123", "0100123"),
        ("+15550100123", "555-010-0123"),
        ("+15550100123", "(555) 010"),
        ("+49301234567", "30 1234567"),
        ("+380441234567", "44 123 45 67"),
    ],
)
def test_the_countrys_code_may_be_left_out(acme, client_for, stored, asked):
    team = client_for(acme.manager)
    pk = team.post("contacts", {"firstName": "Ada", "phone": stored}).json()["data"]["id"]

    found = team.get("contacts", search=asked).json()["data"]["contacts"]

    assert [contact["id"] for contact in found] == [pk]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("José Núñez", "jose nunez"),
        ("Łukasz Wiśniewski", "lukasz wis"),
        ("Søren Kjær", "SOREN KJAER"),
        ("Weiß", "weiss"),
        ("Юрий Королёв", "юрии королев"),
        ("Ελένη Οικονόμου", "ΕΛΕΝΗ οικ"),
        ("فاطمة الحداد", "فاط"),
        ("王小明", "王小"),
        ("佐藤 花子", "花子"),
        ("D'Arcy", "arcy"),
        ("Müller", "Mu"),
    ],
)
def test_alphabets(acme, client_for, name, asked):
    platform = client_for(acme.manager, "platform")
    pk = platform.post("customers", {"name": name}).json()["id"]

    found = platform.get("customers", search=asked).json()["items"]

    assert [(customer["id"], customer["name"]) for customer in found] == [(pk, name)]


def test_the_middle_of_a_word_finds_nothing(acme, client_for):
    team = client_for(acme.manager)
    team.post("contacts", {"firstName": "Leonora"})

    assert team.get("contacts", search="nora").json()["data"]["contacts"] == []


def test_one_organizations_words_are_not_anothers(acme, other, client_for):
    client_for(acme.manager).post("contacts", {"firstName": "Ada"})

    assert client_for(other.manager).get("contacts", search="ada").json()["data"]["contacts"] == []
