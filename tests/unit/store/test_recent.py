from __future__ import annotations

import threading

from calibvcs.store.recent import Recent


def test_the_oldest_go_first() -> None:
    recent: Recent[str] = Recent(3)
    for key in "abc":
        recent.put(key, key.upper())
    assert recent.get("a") == "A"  # used, so it is young again
    recent.put("d", "D")
    assert [recent.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_what_weighs_too_much_drives_all_others_out_and_stays() -> None:
    recent: Recent[str] = Recent(3)
    recent.put("a", "A")
    recent.put("b", "B", 10)
    assert (recent.get("a"), recent.get("b")) == (None, "B")
    recent.put("b", "less", 1)
    recent.put("c", "C", 2)
    assert (recent.get("b"), recent.get("c")) == ("less", "C")


def test_a_value_is_made_once() -> None:
    recent: Recent[list[int]] = Recent(10)
    first = recent.made("key", lambda: [1, 2, 3], len)
    assert recent.made("key", lambda: [4]) is first


def test_threads_do_not_disturb_each_other() -> None:
    recent: Recent[int] = Recent(50)

    def use(begin: int) -> None:
        for number in range(2000):
            key = (begin + number) % 97
            assert recent.made(key, lambda key=key: key) == key  # type: ignore[misc]

    threads = [threading.Thread(target=use, args=(begin,)) for begin in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(recent.get(key) is not None for key in range(97)) == 50
