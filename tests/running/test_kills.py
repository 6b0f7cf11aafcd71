"""kill -9 at random moments, twice in a row: the run that goes on is the run that was never killed."""

import os
import shutil

import cast
import forked_runs
import pytest

from echosim import draws

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

POINTS = int(os.environ.get("ECHOSIM_KILLS", "20"))
STUDY = {
    "references": ["echosim/corrector", "echosim/mix(0.25)"],
    "seeds": [1, 2, 3, 4, 5, 6],
    "turns": 6,
}
PAID = 6 * 6


@pytest.fixture(scope="module")
def zygote():
    with forked_runs.Served() as served:
        made = forked_runs.Zygote(served)
        yield made
        made.close()


@pytest.fixture(scope="module")
def whole(zygote, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    answer = zygote.hold(folder, STUDY)
    assert (answer["exit"], answer["requests"]) == (0, PAID), answer
    return cast.rows(folder), answer["seconds"]


@pytest.mark.parametrize("point", range(POINTS))
def test_twice_at_a_random_moment(zygote, whole, tmp_path, point):
    rows, seconds = whole
    cut = []
    for time_ in range(2):
        moment = draws.uniform("moment", point, time_) * seconds
        cut.append(zygote.hold(tmp_path / "run", STUDY, seconds=moment))
        assert cut[-1]["exit"] in (0, -9), cut[-1]
        forked_runs.look(tmp_path / "run")
    forked_runs.goes_on(zygote, tmp_path / "run", STUDY, rows, cut, PAID)


@pytest.mark.parametrize("zeros", [False, True])
def test_power_is_lost_and_the_end_of_the_write_ahead_file_with_it(zygote, whole, tmp_path, zeros):
    """Row 4: what was not yet on the disc is cut off or reads as NUL."""
    rows, _ = whole
    killed = zygote.hold(tmp_path / "run", STUDY, kill_at=50)
    assert killed["exit"] == -9
    ahead = (tmp_path / "run" / "run.db-wal").read_bytes()
    for case in range(8):
        folder = tmp_path / f"cut-{case}"
        shutil.copytree(tmp_path / "run", folder)
        (folder / "run.db-shm").unlink()
        left = draws.integer("left", case) % len(ahead)
        (folder / "run.db-wal").write_bytes(ahead[:left] + bytes(len(ahead) - left) * zeros)
        forked_runs.look(folder)
        last = zygote.hold(folder, STUDY)
        assert last["exit"] == 0, last
        assert cast.rows(folder) == rows
        assert zygote.hold(folder, STUDY)["requests"] == 0
