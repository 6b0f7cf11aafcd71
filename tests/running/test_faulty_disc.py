"""Killed, refused or full at every operation on a file of the run folder, one run for each operation."""

import os

import cast
import forked_runs
import pytest

from echosim import draws

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

EVERY = bool(os.environ.get("ECHOSIM_EVERY_SITE"))
"""All operations, not a sample of them."""
SAMPLE = 20
STUDY = {"references": ["echosim/corrector", "echosim/mix(0.25)"], "seeds": [1], "turns": 4}
PAID = 4


@pytest.fixture(scope="module")
def zygote(tmp_path_factory):
    disc = forked_runs.built(tmp_path_factory.mktemp("disc"))
    if disc is None:
        pytest.skip("needs Linux and a C compiler")
    with forked_runs.Served() as served:
        made = forked_runs.Zygote(served, disc)
        yield made
        made.close()


@pytest.fixture(scope="module")
def whole(zygote, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    answer = zygote.hold(folder, STUDY, way="count")
    assert (answer["exit"], answer["requests"]) == (0, PAID), answer
    return cast.rows(folder), answer["operations"]


def sites(way, operations):
    """Numbers of operations; a few beyond the last, since runs group their commits differently."""
    if EVERY:
        return range(1, operations + 20)
    return sorted({1 + draws.integer("site", way, case) % operations for case in range(SAMPLE)})


@pytest.mark.parametrize("way", ["before", "half", "after"])
def test_killed_at_an_operation(zygote, whole, tmp_path, way):
    rows, operations = whole
    killed = 0
    for site in sites(way, operations):
        folder = tmp_path / str(site) / "run"
        answer = zygote.hold(folder, STUDY, site=site, way=way)
        assert answer["exit"] in (0, -9), answer
        killed += answer["exit"] == -9
        forked_runs.goes_on(zygote, folder, STUDY, rows, [answer], PAID)
    assert killed > 15
    print(f"{way}: killed at {killed} of {operations} operations")


@pytest.mark.parametrize("way", ["eio", "full"])
def test_an_operation_fails(zygote, whole, tmp_path, way):
    rows, operations = whole
    failed = 0
    for site in sites(way, operations):
        folder = tmp_path / str(site) / "run"
        answer = zygote.hold(folder, STUDY, site=site, way=way)
        assert answer["exit"] in (0, 4), answer
        failed += answer["exit"] == 4
        if answer["exit"] == 4:
            assert str(folder) in answer["words"]
            assert "run again to resume" in answer["words"]
        else:
            assert answer["acknowledged"] == 12, answer
        if way == "full":
            assert answer["exit"] == 4 or answer["operations"] < site + 3, answer
        forked_runs.goes_on(zygote, folder, STUDY, rows, [answer], PAID)
    assert failed > 10
    print(f"{way}: {failed} of {operations} operations ended with exit 4")


def test_killed_while_it_resumes(zygote, whole, tmp_path):
    """Row 3: the resume of a resume."""
    rows, operations = whole
    for case in range(operations if EVERY else SAMPLE):
        folder = tmp_path / str(case) / "run"
        at = [1 + draws.integer("first", case, n) % operations for n in range(3)]
        cut = [zygote.hold(folder, STUDY, site=site, way="before") for site in at]
        forked_runs.goes_on(zygote, folder, STUDY, rows, cut, PAID)


def test_a_read_only_disc_is_exit_4_with_the_path_and_changes_nothing(zygote, whole, tmp_path):
    folder = tmp_path / "run"
    refused = zygote.hold(folder, STUDY, way="read only")
    assert (refused["exit"], refused["requests"]) == (4, 0)
    assert f"{folder}: Read-only file system" in refused["words"]
    cut = zygote.hold(folder, STUDY, kill_at=3)
    kept = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    refused = zygote.hold(folder, STUDY, way="read only")
    assert (refused["exit"], refused["requests"]) == (4, 0)
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == kept
    forked_runs.goes_on(zygote, folder, STUDY, whole[0], [cut], PAID)
