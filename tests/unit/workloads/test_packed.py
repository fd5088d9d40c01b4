"""Objects in little memory: what was put in comes out, and a look never changes what is kept."""

from hypothesis import given
from hypothesis import strategies as st

from bot.workloads.packed import PackedList, PackedMapping, packed

TEXTS = st.text(st.characters(codec=None), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(st.dictionaries(st.text(max_size=3), OBJECTS, max_size=4))
def test_a_mapping_gives_back_what_was_put_in(objects):
    mapping = PackedMapping()
    mapping.update(objects)
    assert dict(mapping) == objects
    assert list(mapping) == list(objects)


@given(st.lists(OBJECTS, max_size=4))
def test_a_list_may_be_gone_through_twice(objects):
    found = PackedList()
    for obj in objects:
        found.append(obj)
    assert list(found) == list(found) == objects


def test_what_is_handed_out_is_a_copy():
    mapping = PackedMapping()
    mapping["web"] = {"status": {"ready": 1}}
    mapping["web"]["status"]["ready"] = 2
    assert mapping["web"] == {"status": {"ready": 1}}
    assert mapping.pop("web", None) == {"status": {"ready": 1}}
    assert mapping.pop("web", None) is None
    assert "web" not in mapping


def test_it_takes_less_room_than_a_tenth_of_the_mappings():
    pod = {"metadata": {"name": "web", "labels": {"app": "web"}}, "status": {"phase": "Running"}}
    assert len(packed(pod)) < 90
