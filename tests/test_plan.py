"""tryon/plan.py: keys."""

import re

from tryon import plan


def test_a_look_id_is_stable():
    """A refactoring that renders every shop anew. If this fails on purpose, raise PIPELINE_VERSION too."""
    assert plan.look_id(["a"], "p", ["1", "2"], "h") == plan.look_id(("a",), "p", ["1", "2"], "h") == "3eb14f743aabf89ac79274075b36db98"


def test_different_looks_have_different_ids():
    """Two looks that overwrite each other because joined strings collide, or because the order of garments is lost."""
    looks = [
        (["a", "b"], "p", ["1", "2", "3"], "h"),
        (["b", "a"], "p", ["1", "2", "3"], "h"),
        (["ab"], "p", ["1", "2", "3"], "h"),
        (["a|b"], "p", ["1", "2", "3"], "h"),
        (["a"], "bp", ["1", "2", "3"], "h"),
        (["a", "b"], "p", ["12", "3"], "h"),
        (["a", "b"], "p", ["1", "2", "3"], "g"),
        (['a","b'], "p", ["1", "2", "3"], "h"),
        (["a", "b"], "p", ["1", "2", "4"], "h"),
    ]
    assert len({plan.look_id(*look) for look in looks}) == len(looks)


def test_no_merchant_string_gets_into_a_key():
    """A product called ../../etc that chooses where its picture is written."""
    evil = "../../etc/passwd\0%2e%2e/\u202e"
    look = plan.look_id([evil], evil, [evil], "h")
    assert re.fullmatch(r"[0-9a-f]{32}", look)
    assert re.fullmatch(r"images/[0-9a-f]{2}/[0-9a-f]{32}\.webp", plan.image_key(look, "webp"))
    assert re.fullmatch(r"state/sources/[0-9a-f]{2}/[0-9a-f]{64}\.json", plan.source_key(evil + "\ud800"))
    assert re.fullmatch(r"state/analyses/garment/[0-9a-f]{2}/[0-9a-f]{64}\.npz", plan.analysis_key("garment", [evil], evil, evil))


def test_an_analysis_is_shared_only_by_equal_work():
    """A garment analysed as a dress that is read back as trousers; a mask that is ignored."""
    keys = {
        plan.analysis_key("garment", *rest) for rest in ((["1"], "", "w"), (["1"], "full", "w"), (["1", "2"], "", "w"), (["1"], "", "w2"))
    }
    assert len(keys | {plan.analysis_key("person", ["1"], "", "w")}) == 5
