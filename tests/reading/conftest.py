from __future__ import annotations

import pytest

from echosim.inputs.personas import load_personas, shipped
from echosim.persona_records import Persona
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.perception import StanceReader


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="session")
def reader(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> StanceReader:
    return StanceReader(encoder)


@pytest.fixture(scope="session")
def flat_earth() -> dict[str, Persona]:
    """Holder, mirror and control of one shipped family, by role."""
    return {persona.role: persona for persona in load_personas(shipped() / "flat-earth")}
