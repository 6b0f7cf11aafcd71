from __future__ import annotations

import base64
import re
import stat

from echosim.reporting import report
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
    names = {"drift", "frontier", "leaderboard"}
    assert {path.name for path in folder.iterdir()} == {
        f"{n}.{form}" for n in names for form in ("svg", "png")
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    text = page.read_text("utf-8")
    for name in ("drift", "frontier"):
        inside = base64.b64encode((folder / f"{name}.svg").read_bytes()).decode()
        assert f'src="data:image/svg+xml;base64,{inside}"' in text
    assert len(re.findall(r'srcset="data:image/svg\+xml;base64,', text)) == 2


def test_figures_of_the_card_are_in_the_page_and_beside_it(tmp_path):
    page = report.write(tmp_path, synthetic.study(), synthetic.board(), (), (), "0.0.test", card=cards.card())
    text = page.read_text("utf-8")
    for name in ("reliability", "twins", "dose"):
        inside = base64.b64encode((tmp_path / "figures" / f"{name}.svg").read_bytes()).decode()
        assert f'src="data:image/svg+xml;base64,{inside}"' in text
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f'href="figures/{name}.svg"' in text
    assert text.count("data:image/svg+xml;base64,") == 10
