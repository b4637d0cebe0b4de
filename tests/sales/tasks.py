"""Tasks made, changed and listed over HTTP, and what is told of them."""

from crm.core.models import Event


def made(client, **body):
    response = client.post("tasks", {"title": "Send the offer", **body})
    assert response.status_code == 201, response.content
    return response.json()["data"]


def patched(client, pk, body, status=200):
    response = client.patch(f"tasks/{pk}", body)
    assert response.status_code == status, response.content
    return response.json().get("data") or response.json()["error"]


def listed(client, **query):
    response = client.get("tasks", **query)
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    titles = [task["title"] for task in data["tasks"]]
    assert data["meta"]["pagination"]["total"] == len(titles)
    return titles


def events(tenant, pk):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id"))


def timeline(client, contact):
    return [
        (entry["type"], entry["title"])
        for entry in client.get(f"contacts/{contact}/timeline").json()["data"]["timeline"]
    ]
