"""Who pushes: the order of the places that may say so."""

import pytest

from calibvcs.errors import InvalidOptionError
from calibvcs.model.pusher import DEFAULT_ORDER, Pusher, parse_order, pusher_of


@pytest.mark.parametrize(
    ("environment", "order", "expected"),
    [
        ({}, "", Pusher("git", "os")),
        ({"REMOTE_USER": "web"}, "", Pusher("web", "REMOTE_USER")),
        ({"REMOTE_USER": "web", "GL_USERNAME": "lab"}, "", Pusher("lab", "GL_USERNAME")),
        ({"REMOTE_USER": "web", "CALIBVCS_USER": "own"}, "", Pusher("own", "CALIBVCS_USER")),
        ({"REMOTE_USER": "", "GL_USERNAME": "lab"}, "REMOTE_USER GL_USERNAME", Pusher("lab", "GL_USERNAME")),
        ({"CALIBVCS_USER": "forged"}, "os", Pusher("git", "os")),
        ({"CALIBVCS_USER": "forged"}, "REMOTE_USER", Pusher("", "")),
        ({"USER": "forged", "LOGNAME": "forged"}, "", Pusher("git", "os")),
        ({"SSL_USER": "ada@lab.org"}, "SSL_USER,os", Pusher("ada@lab.org", "SSL_USER")),
        ({"REMOTE_USER": "@admins", "GL_USERNAME": "lab"}, "REMOTE_USER,GL_USERNAME", Pusher("", "REMOTE_USER")),
        ({"REMOTE_USER": "a b"}, "", Pusher("", "REMOTE_USER")),
    ],
)
def test_the_first_that_names_somebody_counts(environment: dict[str, str], order: str, expected: Pusher) -> None:
    assert pusher_of(environment, "git", parse_order(order)) == expected


def test_an_order_is_names_of_variables() -> None:
    assert parse_order(" REMOTE_USER,  os ") == ("REMOTE_USER", "os")
    assert parse_order("") == DEFAULT_ORDER
    with pytest.raises(InvalidOptionError, match=r"calibvcs\.pusher '\$USER'"):
        parse_order("$USER")
