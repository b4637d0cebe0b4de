"""The steps of a sign-in at Google, as a shop's front end and a browser take them."""

import http.client
from urllib.parse import parse_qs, urlsplit


def consent(url):
    """Go where the browser is sent, and return the query it comes back with."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    back = connection.getresponse().getheader("Location")
    connection.close()
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


def started(shop, *, headers=None, **query):
    """Begin, and return where to go and the state."""
    response = shop.request("GET", "auth/google", query_params=query, headers=headers)
    assert response.status_code == 200, response.content
    return response.json()["data"]


def finished(shop, back, *, headers=None):
    """Come back to the API with what Google gave."""
    return shop.request("GET", "auth/google/callback", query_params=back, headers=headers)


def signed_in(shop):
    """Go through all of it and return the last answer."""
    return finished(shop, consent(started(shop)["url"]))
