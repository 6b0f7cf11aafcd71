"""The shipped personas: complete, unique, free of faults and warnings."""

from __future__ import annotations

from collections import Counter

import pytest

from echosim.inputs.personas import check, families, load_personas, shipped

HEADER = "# yaml-language-server: $schema=../../echosim/inputs/persona.schema.json"


@pytest.fixture(scope="module")
def personas():
    return load_personas(shipped())


def test_no_file_has_a_fault_or_a_warning():
    reports = check([shipped()])
    assert len(reports) == 36
    assert [str(fault) for report in reports for fault in (*report.faults, *report.warnings)] == []


def test_twelve_families_of_three_roles(personas):
    assert len(families()) == 12
    roles = Counter((persona.family, persona.role) for persona in personas)
    assert roles == {(family, role): 1 for family in families() for role in ("holder", "mirror", "control")}
    assert all(persona.id == f"{persona.family}-{persona.role}" for persona in personas)


def test_files_lie_where_their_names_say(personas):
    found = {path.relative_to(shipped()).as_posix() for path in shipped().rglob("*.yaml")}
    assert found == {f"{persona.family}/{persona.id}.yaml" for persona in personas}


def test_at_least_six_domains_and_one_per_family(personas):
    domains = {family: {p.domain for p in personas if p.family == family} for family in families()}
    assert all(len(found) == 1 for found in domains.values())
    assert len(set().union(*domains.values())) >= 6


def test_ids_are_unique(personas):
    assert len({persona.id for persona in personas}) == len(personas) == 36


def test_mirrors_believe_the_negation_of_their_holder(personas):
    by_id = {persona.id: persona for persona in personas}
    mirrors = [persona for persona in personas if persona.role == "mirror"]
    assert len(mirrors) == 12
    for mirror in mirrors:
        holder = by_id[mirror.mirror_of]
        assert mirror.claim.text == holder.claim.negation
        assert (mirror.affirming, mirror.refuting) == (holder.denying, holder.supporting)


def test_each_file_begins_with_the_editor_header():
    for path in sorted(shipped().rglob("*.yaml")):
        assert path.read_text(encoding="utf-8").split("\n")[0] == HEADER, path
