"""The drawn sample store: exact labels, wide choice, the same bytes every time."""

import csv

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.sample import draw_garment, draw_person, garments, people, write_store

SIZE = (384, 288)
CLOTHES = {S.UPPER, S.OUTER, S.FULL, S.LOWER, S.LEGWEAR, S.SHOES, S.BAG, S.ACCESSORY, S.HAIR}
SEEN_ON = {  # class a joint may show, besides clothes
    S.NOSE: {S.FACE},
    S.R_EYE: {S.FACE, S.HEADWEAR},
    S.L_EYE: {S.FACE, S.HEADWEAR},
    S.R_EAR: {S.FACE, S.HEADWEAR},
    S.L_EAR: {S.FACE, S.HEADWEAR},
    S.NECK_JOINT: {S.NECK},
    S.R_SHOULDER: {S.RIGHT_ARM, S.NECK},
    S.L_SHOULDER: {S.LEFT_ARM, S.NECK},
    S.R_ELBOW: {S.RIGHT_ARM},
    S.L_ELBOW: {S.LEFT_ARM},
    S.R_WRIST: {S.RIGHT_ARM, S.LEFT_ARM},
    S.L_WRIST: {S.LEFT_ARM},
    S.R_HIP: {S.RIGHT_ARM, S.LEFT_ARM},
    S.L_HIP: {S.LEFT_ARM, S.RIGHT_ARM},
    S.R_KNEE: {S.RIGHT_LEG},
    S.L_KNEE: {S.LEFT_LEG},
    S.R_ANKLE: {S.RIGHT_LEG},
    S.L_ANKLE: {S.LEFT_LEG},
}


@pytest.fixture(scope="module")
def crowd():
    return [draw_person(np.random.default_rng((5, n)), SIZE, "half" if n % 4 == 3 else "full") for n in range(24)]


@pytest.fixture(scope="module")
def goods():
    return [draw_garment(np.random.default_rng((6, n)), SIZE, sub) for subs in S.SUBCATEGORIES.values() for sub in subs for n in range(3)]


def test_same_seed_same_bytes():
    """Catches a draw that depends on anything but the seed: resume and the analysis cache compare bytes."""
    a, b = people(3, SIZE), people(3, SIZE)
    assert all((p.image == q.image).all() and (p.parse == q.parse).all() and (p.pose == q.pose).all() for p, q in zip(a, b))
    c, d = garments(3, SIZE), garments(3, SIZE)
    assert all((g.image == h.image).all() and (g.mask == h.mask).all() and g.landmarks == h.landmarks for g, h in zip(c, d))
    assert not (people(4, SIZE)[0].image == a[0].image).all()


def test_drawing_scales_with_the_picture():
    """Catches noise that steals random numbers by the pixel: a person must be the same one at every size."""
    small, large = (draw_person(np.random.default_rng(2), size) for size in ((256, 192), (512, 384)))
    half = cv2.resize(large.parse, (192, 256), interpolation=cv2.INTER_NEAREST)
    assert (half == small.parse).mean() > 0.97
    np.testing.assert_allclose(small.pose[..., :2] * 2, large.pose[..., :2], atol=0.5)


def test_joints_lie_on_their_limbs(crowd):
    """Catches left and right swapped, or a skeleton that is not the one drawn."""
    for n, person in enumerate(crowd):
        assert person.pose.shape == (1, 18, 3) and person.pose.dtype == np.float32
        for joint, (x, y, seen) in enumerate(person.pose[0]):
            if seen:
                found = set(np.unique(person.parse[max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2]).tolist())
                assert found & (SEEN_ON[joint] | CLOTHES), (n, S.JOINTS[joint], [S.PARSE_CLASSES[k] for k in found])


def test_joints_outside_the_picture_are_missing(crowd):
    """Catches coordinates beyond the border, which would put heat-maps nowhere."""
    half = crowd[3].pose[0]
    assert not half[[S.R_ANKLE, S.L_ANKLE]].any() and half[S.NECK_JOINT, 2] == 1
    for person in crowd:
        seen = person.pose[0, person.pose[0, :, 2] > 0]
        assert (seen[:, :2] >= 0).all() and (seen[:, 0] < SIZE[1]).all() and (seen[:, 1] < SIZE[0]).all()


def test_right_side_is_left_in_the_picture(crowd):
    """Catches mirrored labels: the person's right arm is on the left of the picture."""
    for person in crowd:
        assert person.pose[0, S.R_SHOULDER, 0] < person.pose[0, S.L_SHOULDER, 0]
        for right, left in ((S.RIGHT_ARM, S.LEFT_ARM), (S.RIGHT_LEG, S.LEFT_LEG)):
            a, b = np.nonzero(person.parse == right)[1], np.nonzero(person.parse == left)[1]
            if len(a) > 40 and len(b) > 40 and right == S.RIGHT_LEG:
                assert a.mean() < b.mean()


def test_people_wear_every_class(crowd):
    """Catches a class the painter forgot: the parser would never see it drawn."""
    more = [draw_person(np.random.default_rng((7, n)), (192, 144)) for n in range(80)]
    assert set(np.unique(np.concatenate([p.parse.ravel() for p in [*crowd, *more]]))) == set(range(len(S.PARSE_CLASSES)))


def test_people_stand_free_of_the_border(crowd):
    """Catches a full figure cut by the frame, and paint without label: the border is ground and the face is painted."""
    for n, person in enumerate(crowd):
        border = np.concatenate((person.parse[0], person.parse[:, 0], person.parse[:, -1]))
        if n % 4 != 3:
            assert not border.any() and not person.parse[-1].any()
        assert (person.parse == S.FACE).mean() > 0.003 and 0.05 < (person.parse > 0).mean() < 0.8


def test_masks_are_inside_and_whole(goods):
    """Catches a garment cut by the frame or fallen into pieces."""
    for garment in goods:
        mask = garment.mask
        assert set(np.unique(mask)) == {0, 255} and 0.06 < (mask > 0).mean() < 0.85
        assert not np.concatenate((mask[0], mask[-1], mask[:, 0], mask[:, -1])).any(), garment.title
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        assert stats[1:, cv2.CC_STAT_AREA].max() > 0.98 * (mask > 0).sum(), garment.title


def test_landmarks_lie_on_the_outline(goods):
    """Catches landmarks of another pattern than the one laid (collar front and waist lie inside the outline)."""
    for garment in goods:
        assert set(garment.landmarks) <= set(S.LANDMARKS)
        edge = (garment.mask != cv2.erode(garment.mask, np.ones((3, 3), np.uint8))).astype(np.uint8)
        away = cv2.distanceTransform(1 - edge, cv2.DIST_L2, 5)
        inside = cv2.dilate(garment.mask, np.ones((9, 9), np.uint8))
        for name, (x, y) in garment.landmarks.items():
            assert inside[int(round(y)), int(round(x))], (garment.title, name)
            if name.startswith(("cuff", "hem", "leg_inner", "crown", "brim", "crotch")):
                assert away[int(round(y)), int(round(x))] < 0.03 * SIZE[0], (garment.title, name)
        for name, (x, _) in garment.landmarks.items():
            if name.endswith("_left"):
                assert x > garment.landmarks[name.replace("_left", "_right")][0], (garment.title, name)


def test_each_kind_has_the_landmarks_the_fit_needs(goods):
    """Catches a pattern that forgets a landmark its warp hangs on."""
    need = {"upper": {"collar_front", "shoulder_left", "armpit_right", "hem_left"}, "lower": {"waist_left", "hem_right"},
        "full": {"collar_front", "shoulder_left", "waist_right", "hem_left"}, "accessory": set()}
    for garment in goods:
        assert need[garment.category] <= set(garment.landmarks), garment.title
        if garment.subcategory in ("trousers", "shorts", "jumpsuit"):
            assert {"crotch", "leg_inner_left", "leg_inner_right"} <= set(garment.landmarks)
        if garment.subcategory == "hat":
            assert {"crown", "brim_left", "brim_right"} <= set(garment.landmarks)


def test_store_covers_every_category():
    """Catches a store that no longer shows what the job can do."""
    store = garments(0, SIZE)
    assert len(store) >= 12 and {g.category for g in store} == set(S.CATEGORIES)
    assert {"top", "shirt", "sweater", "jacket", "trousers", "shorts", "skirt", "dress", "hat"} <= {g.subcategory for g in store}
    assert len({g.id for g in store}) == len(store)
    tops = [g for g in store if g.subcategory == "top"]
    assert any("cuff_outer_left" not in g.landmarks for g in tops) and any("cuff_outer_left" in g.landmarks for g in tops)
    crowd = people(0, SIZE)
    assert sum(p.pose[0, S.R_ANKLE, 2] > 0 for p in crowd) >= 3 and any(p.pose[0, S.R_ANKLE, 2] == 0 for p in crowd)


def test_written_store_reads_back(tmp_path):
    """Catches tables that name pictures which are not there, or other than those drawn."""
    catalog, persons = write_store(tmp_path / "store")
    drawn = {g.id: g for g in garments()}
    with open(catalog) as file:
        rows = list(csv.DictReader(file))
    assert [row["product_id"] for row in rows] == list(drawn)
    for row in rows[:3]:
        image = cv2.cvtColor(cv2.imread(str(tmp_path / "store" / row["garment_uri"])), cv2.COLOR_BGR2RGB)
        garment = drawn[row["product_id"]]
        assert image.shape == (1024, 768, 3) and np.abs(image.astype(int) - garment.image).mean() < 3
        assert (row["category"], row["subcategory"], row["title"]) == (garment.category, garment.subcategory, garment.title)
    with open(persons) as file:
        for row in csv.DictReader(file):
            assert cv2.imread(str(tmp_path / "store" / row["person_uri"])).shape == (1024, 768, 3)
