from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from echosim.draws import uniform
from echosim.reading.vector_cache import NAME, VectorCache, text_key

SIZE = 32


def vectors(first: int, count: int) -> dict[bytes, bytes]:
    return {
        text_key(f"text {n}"): bytes(int(256 * uniform(n, i)) for i in range(SIZE))
        for n in range(first, first + count)
    }


def test_what_was_put_is_found_bit_for_bit_by_another_process(tmp_path: Path) -> None:
    put = vectors(0, 1200)
    VectorCache(tmp_path / "new", "space", SIZE).put(put)
    other = VectorCache(tmp_path / "new", "space", SIZE)
    found = other.get([*put, text_key("never")])
    assert found == put


def test_another_encoder_or_machine_finds_nothing(tmp_path: Path) -> None:
    put = vectors(0, 3)
    VectorCache(tmp_path, "one", SIZE).put(put)
    assert VectorCache(tmp_path, "two", SIZE).get(list(put)) == {}


def test_a_row_of_the_wrong_length_is_not_given_and_is_mended(tmp_path: Path) -> None:
    put = vectors(0, 3)
    cache = VectorCache(tmp_path, "space", SIZE)
    cache.put(put)
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("UPDATE vectors SET vector = substr(vector, 1, 7) WHERE id = 2")
    torn = list(put)[1]
    assert set(cache.get(list(put))) == set(put) - {torn}
    cache.put({torn: put[torn]})
    assert cache.get(list(put)) == put
    assert VectorCache(tmp_path, "space", SIZE + 1).get(list(put)) == {}


@pytest.mark.parametrize("damage", [b"this is no database", b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / NAME).write_bytes(damage)
    cache = VectorCache(tmp_path, "space", SIZE)
    assert cache.get([text_key("a")]) == {}
    put = vectors(0, 2)
    cache.put(put)
    assert VectorCache(tmp_path, "space", SIZE).get(list(put)) == put


def test_damage_while_it_is_open_is_survived(tmp_path: Path) -> None:
    put = vectors(0, 500)
    cache = VectorCache(tmp_path, "space", SIZE)
    cache.put(put)
    cache.close()
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:16384] + os.urandom(0) + b"\x55" * (len(whole) - 16384))
    found = cache.get(list(put))
    assert all(found[key] == put[key] for key in found)
    cache.put(put)
    assert cache.get(list(put)) == put


def test_a_folder_that_cannot_be_used_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = VectorCache(tmp_path / "file" / "below", "space", SIZE)
    cache.put(vectors(0, 2))
    assert cache.get(list(vectors(0, 2))) == {}
    (tmp_path / NAME).mkdir()
    blocked = VectorCache(tmp_path, "space", SIZE)
    blocked.put(vectors(0, 2))
    assert blocked.get(list(vectors(0, 2))) == {}


def test_a_file_that_another_holds_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("echosim.reading.vector_cache.WAIT_SECONDS", 0.01)
    put = vectors(0, 2)
    VectorCache(tmp_path, "space", SIZE).put(put)
    cache = VectorCache(tmp_path, "space", SIZE)
    holder = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    cache.put(vectors(2, 2))
    assert cache.get(list(vectors(0, 4))) == put
    holder.execute("ROLLBACK")
    cache.put(vectors(2, 2))
    assert cache.get(list(vectors(0, 4))) == vectors(0, 4)


def test_beyond_its_size_the_oldest_go(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, "space", 3072, largest=1_000_000)
    batches = [{text_key(f"{batch} {n}"): bytes([n]) * 3072 for n in range(40)} for batch in range(20)]
    for batch in batches:
        cache.put(batch)
    cache.close()
    assert (tmp_path / NAME).stat().st_size < 1_300_000
    assert cache.get(list(batches[0])) == {}
    assert len(cache.get(list(batches[-1]))) == 40


def _fill(folder: Path, first: int) -> None:
    cache = VectorCache(folder, "space", SIZE)
    for start in range(first, first + 200, 20):
        cache.put(vectors(start, 20))
        assert len(cache.get(list(vectors(start, 20)))) == 20


def test_several_processes_share_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_fill, args=(tmp_path, first)) for first in (0, 100, 1000)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    put = vectors(0, 300) | vectors(1000, 200)
    assert VectorCache(tmp_path, "space", SIZE).get(list(put)) == put


def test_several_threads_share_it(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, "space", SIZE)
    threads = [threading.Thread(target=cache.put, args=(vectors(100 * n, 100),)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get(list(vectors(0, 500))) == vectors(0, 500)


def test_half_characters_have_a_key() -> None:
    assert len({text_key(text) for text in ("", "\ud800", "\udfff", "a", "\x00")}) == 5
