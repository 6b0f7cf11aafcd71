from __future__ import annotations

import base64
import re
import stat

import pytest

from echosim.reporting import figures, report
from tests.reporting import cards, synthetic


def test_figures_are_in_the_page_and_beside_it(tmp_path):
    page = report.write(
        tmp_path / "report",
        synthetic.study(),
        synthetic.board(),
        synthetic.curves(),
        synthetic.transcripts(targets=("sycophant",), turns=1),
        "0.0.test",
    )
    folder = page.parent / "figures"
    names = {"drift", "families", "frontier", "leaderboard"}
    assert {path.name for path in folder.iterdir()} == {
        f"{n}.{form}" for n in names for form in ("svg", "png")
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    text = page.read_text("utf-8")
    for name in ("drift", "families", "frontier"):
        inside = base64.b64encode((folder / f"{name}.svg").read_bytes()).decode()
        assert f'src="data:image/svg+xml;base64,{inside}"' in text
    assert len(re.findall(r'srcset="data:image/svg\+xml;base64,', text)) == 3


def test_figures_of_the_card_are_in_the_page_and_beside_it(tmp_path):
    page = report.write(tmp_path, synthetic.study(), synthetic.board(), (), (), "0.0.test", card=cards.card())
    text = page.read_text("utf-8")
    for name in ("reliability", "twins", "dose"):
        inside = base64.b64encode((tmp_path / "figures" / f"{name}.svg").read_bytes()).decode()
        assert f'src="data:image/svg+xml;base64,{inside}"' in text
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f'href="figures/{name}.svg"' in text
    assert text.count("data:image/svg+xml;base64,") == 10


def test_capture_over_sessions_has_a_section_where_there_are_sessions(tmp_path):
    study = synthetic.study(turns=2).model_copy(update={"sessions": 3})
    given = (study, synthetic.board(), (), (), "0.0.test")
    text = report.write(tmp_path, *given, sessions=synthetic.curves(turns=3)).read_text("utf-8")
    assert "Capture over sessions" in text
    assert "3 talks with the same user" in text
    assert '<a href="#sessions">' in text
    inside = base64.b64encode((tmp_path / "figures" / "sessions.svg").read_bytes()).decode()
    assert f'src="data:image/svg+xml;base64,{inside}"' in text
    without = report.write(tmp_path / "without", *given).read_text("utf-8")
    assert 'id="sessions"' not in without and '"#sessions"' not in without
    assert not (tmp_path / "without" / "figures" / "sessions.svg").exists()


@pytest.mark.parametrize("leanings", [None, {f"model-{n:02d}": n / 20 for n in range(12)}])
def test_the_figure_of_sessions_speaks_of_sessions(leanings):
    figure = figures.drift(synthetic.curves(leanings, turns=3), step="session")
    words = {axes.get_xlabel() for axes in figure.axes} | {figure.get_supxlabel()}
    assert "session" in words
    assert "turn" not in words
    ticks = {tuple(axes.get_xticks()) for axes in figure.axes if axes.axison}
    assert ticks <= {(1, 2, 3), (0, 1, 2, 3)}
