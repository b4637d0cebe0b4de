"""What the fixtures themselves rest on."""


def test_an_organization_has_a_user_of_each_role(acme, client_for):
    response = client_for(acme.owner, "team").get("contacts")

    assert response.status_code == 200
    assert acme.actor("manager").rank == 40
    assert acme.actor("customer").permissions == frozenset()
