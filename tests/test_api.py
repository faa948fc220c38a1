"""The Python face (tryon/api.py) and ``python -m tryon`` with the shipped weights, on pictures of the sample store."""

import os
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT

import tryon as package
from tryon import images
from tryon import schema as S
from tryon.api import Garment, Look, Person, TryOn
from tryon.config import GENERATORS, TUCKS, Config, OutputConfig, RenderConfig, WeightsConfig
from tryon.models import weights
from tryon.models.digest import FOLDER
from tryon.schema import RowError
from tryon.stages.render import Fit, Generate
from tryon.storage import Storage


def canvas(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """``photo`` fitted into a picture of the given size, on the colour of its edge."""
    return images.resize_to(photo, f"{width}x{height}")


@pytest.fixture(scope="module")
def photos(persons, goods) -> dict[str, np.ndarray]:
    return {name: item.photo for name, item in (*persons.items(), *goods.items())}


@pytest.fixture(scope="module")
def look(tryon, photos) -> Look:
    """A raw photo and a raw product photo, as a user gives them."""
    return tryon.render(photos["clara"], photos["top-02"])


def refusal(call, *args, **more) -> str:
    with pytest.raises(RowError) as e:
        call(*args, **more)
    assert e.value.detail
    return e.value.reason


def test_parse_is_a_map_of_ids_at_the_photos_size(tryon, photos):
    """A map at the network's size, of floats, or of another label set."""
    for height, width in ((512, 384), (301, 223)):
        label = tryon.parse(canvas(photos["clara"], height, width))
        assert label.shape == (height, width) and label.dtype == np.uint8 and label.max() < len(package.PARSE_CLASSES)


def test_parse_agrees_with_the_drawn_people(tryon, persons):
    """Weights that do not belong to the code, colours in the wrong order, a map shifted against the photo."""
    right, found, truth = 0, set(), set()
    for person in persons.values():
        label = tryon.parse(person.photo)
        right += (label == person.parse).mean() / len(persons)
        found, truth = found | set(np.unique(label)), truth | set(np.unique(person.parse))
    assert right > 0.85 and {S.BACKGROUND, S.HAIR, S.FACE, S.LEFT_ARM, S.RIGHT_ARM, S.LOWER} <= found & truth


def test_pose_is_coco_18_in_pixels_of_the_photo(tryon, photos):
    """Normalised coordinates, another joint order, missing joints that are not 0, 0, 0."""
    poses = tryon.pose(photos["clara"])
    assert poses.ndim == 3 and poses.shape[0] >= 1 and poses.shape[1:] == (18, 3) and poses.dtype == np.float32
    missing = poses[..., 2] == 0
    assert not poses[missing].any() and (poses[..., 2] <= 1).all() and (poses[..., 2] >= 0).all()
    assert (poses[..., 0] < 384).all() and (poses[..., 1] < 512).all()


def test_pose_agrees_with_the_drawn_people(tryon, persons):
    """Left and right swapped, joints off by the stride: most must lie within a tenth of the torso of the truth."""
    near = []
    for person in persons.values():
        poses = tryon.pose(person.photo)
        assert len(poses), "nobody found"
        seen = person.pose[0, :, 2] > 0
        torso = np.linalg.norm(person.pose[0, S.NECK_JOINT, :2] - person.pose[0, [S.R_HIP, S.L_HIP], :2].mean(0))
        near += list((np.linalg.norm(poses[0, :, :2] - person.pose[0, :, :2], axis=1) < 0.15 * torso)[seen])
    assert np.mean(near) > 0.85


def test_larger_person_comes_first(tryon, photos):
    """A passer-by who is dressed instead of the model."""
    both = np.full((512, 768, 3), np.median(photos["clara"][:40], axis=(0, 1)), np.uint8)
    both[:, 384:] = photos["clara"]
    both[120:376, 60:252] = canvas(photos["clara"], 256, 192)
    poses = tryon.pose(both)
    assert len(poses) >= 2 and poses[0, S.NECK_JOINT, 0] > 384 > poses[1, S.NECK_JOINT, 0]


def test_garment_analysis_agrees_with_the_drawn_garments(tryon, goods):
    """A mask of the ground instead of the garment, a category that does not follow the photo."""
    overlap, kinds = [], []
    for garment in goods.values():
        found = tryon.garment(garment.photo)
        a, b = found.mask > 0, garment.mask > 0
        assert found.mask.shape == b.shape and found.mask.dtype == np.uint8 and set(np.unique(found.mask)) <= {0, 255}
        overlap.append((a & b).sum() / (a | b).sum())
        kinds.append(found.category == garment.category)
    assert np.mean(overlap) > 0.85 and np.mean(kinds) > 0.7, (np.round(overlap, 2), kinds)


def test_garment_says_what_it_found(tryon, photos):
    """Landmarks outside the picture or of unknown name, a given category that is overruled."""
    garment = tryon.garment(photos["shirt-04"], "upper")
    assert isinstance(garment, Garment) and garment.category == "upper" and garment.subcategory in S.SUBCATEGORIES["upper"]
    assert {"shoulder_left", "shoulder_right", "hem_left", "hem_right"} <= set(garment.landmarks) <= set(S.LANDMARKS)
    for x, y, c in garment.landmarks.values():
        assert -10 < x < 394 and -10 < y < 522 and 0 <= c <= 1
    assert tryon.garment(photos["shirt-04"], "full").category == "full"


def test_given_mask_is_taken(tryon, goods):
    """A merchant's mask that is ignored."""
    garment = goods["trousers-07"]
    assert (tryon.garment(garment.photo, "lower", garment.mask).mask == garment.mask).all()


def test_look_keeps_its_promises(look, photos):
    """Sizes, types, ranges and the edit mask, as the docstring of Look states them."""
    photo = photos["clara"]
    assert isinstance(look, Look) and look.image.shape == photo.shape and look.image.dtype == np.uint8
    for mask in (look.warped_mask, look.edit_mask):
        assert mask.shape == photo.shape[:2] and mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
    assert look.layout.shape == photo.shape[:2] and look.layout.dtype == np.uint8 and look.layout.max() < len(S.PARSE_CLASSES)
    assert isinstance(look.score, float) and 0 <= look.score <= 1
    assert (look.image[look.edit_mask == 0] == photo[look.edit_mask == 0]).all()
    assert not (look.warped_mask & ~look.edit_mask).any() and (look.warped_mask > 0).mean() > 0.03


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The package's weights, with peers of the generator that have learned nothing."""
    folder = tmp_path_factory.mktemp("weights")
    for path in FOLDER.glob("*.safetensors"):
        (folder / path.name).symlink_to(path)
    for name in ("pix2pix", "vae"):
        (folder / f"{name}.safetensors").unlink(missing_ok=True)
        torch.manual_seed(0)
        weights.save(weights.NETWORKS[name]().state_dict(), name, {}, folder)
    return str(folder)


@pytest.mark.parametrize("which", ["pix2pix", "vae", "none"])
def test_whatever_paints_nothing_else_is_touched(look, photos, persons, folder, which):
    """A peer that paints over face or ground, gives another look each time, or is not the one that was asked for."""
    other = TryOn.load("cpu", folder, generator=which)
    assert set(other.networks.nets) == {"parser", "pose", "garment", "warp", *GENERATORS[which]}
    photo, (made, again) = photos["clara"], (other.render(photos["clara"], photos["top-02"]) for _ in range(2))
    assert (made.image[made.edit_mask == 0] == photo[made.edit_mask == 0]).all() and (made.image == again.image).all()
    assert (made.edit_mask == look.edit_mask).all() and (made.image != look.image).any()
    assert (made.image != photo).any(2)[persons["clara"].parse == S.FACE].mean() < 0.02


def test_the_job_paints_with_the_generator_of_its_configuration(folder):
    """render.generator that changes ids and no pixels."""
    for which, names in GENERATORS.items():
        stage = Generate(Config(render=RenderConfig(generator=which), weights=WeightsConfig(folder=folder)), Storage())
        stage.setup()
        assert tuple(stage.networks.nets) == names
        assert type(stage.networks.generator).__name__ == {"cgan": "Generator", "pix2pix": "Pix2Pix", "vae": "VAE", "none": "NoneType"}[which]


def test_garment_is_where_the_drawn_person_is(look, persons):
    """A network whose coordinates are off: the garment must lie on the torso of the exact drawing."""
    pose = persons["clara"].pose[0]
    y, x = np.nonzero(look.warped_mask)
    assert pose[S.NECK_JOINT, 1] < y.mean() < pose[[S.R_HIP, S.L_HIP], 1].mean()
    assert pose[S.R_SHOULDER, 0] < x.mean() < pose[S.L_SHOULDER, 0]


def test_photos_and_analyses_give_the_same_look(tryon, photos, look):
    """Two ways through the code: the job renders from analyses, a notebook from photos."""
    person, garment = tryon.person(photos["clara"]), tryon.garment(photos["top-02"])
    assert isinstance(person, Person)
    again = tryon.render(Person.from_bytes(person.to_bytes(), person.photo), [Garment.from_bytes(garment.to_bytes(), garment.photo)])
    assert (again.image == look.image).all() and (again.layout == look.layout).all() and again.score == look.score


def test_outfit_is_an_ordered_list(tryon, photos):
    """A list of which only the first garment is worn."""
    look = tryon.render(photos["clara"], [tryon.garment(photos["trousers-07"], "lower"), tryon.garment(photos["shirt-04"], "upper")])
    worn = look.layout[look.warped_mask > 0]
    assert {S.UPPER, S.LOWER} <= set(np.unique(worn))


@pytest.mark.parametrize("height, width", [(301, 223), (400, 1500), (1500, 400), (65, 64)])
def test_any_size_works_or_is_refused_with_a_reason(tryon, photos, height, width):
    """A size that is no multiple of the stride, a panorama, a strip, an icon: the look has the photo's size."""
    photo = canvas(photos["clara"], height, width)
    garment = tryon.garment(canvas(photos["shirt-04"], width, height), "upper")
    assert garment.mask.shape == (width, height)
    if min(height, width) < 100:
        return  # too small to find anybody for sure
    look = tryon.render(photo, garment)
    assert look.image.shape == photo.shape and look.layout.shape == photo.shape[:2]
    assert (look.image[look.edit_mask == 0] == photo[look.edit_mask == 0]).all()


def test_nobody_is_refused(tryon, goods):
    """A garment rendered onto a wall."""
    for photo in (np.full((400, 300, 3), 128, np.uint8), np.full((400, 300, 3), 255, np.uint8)):
        assert refusal(tryon.person, photo) == "no_person"
        assert refusal(tryon.render, photo, goods["shirt-04"]) == "no_person"


def test_no_garment_is_refused(tryon, persons):
    """An empty table top worn as a shirt."""
    assert refusal(tryon.garment, np.full((400, 300, 3), 128, np.uint8)) == "no_garment"
    assert refusal(tryon.garment, persons["clara"].photo, None, np.zeros((512, 384), np.uint8)) == "no_garment"


def test_wrong_arguments_say_what_was_expected(tryon, persons, goods):
    """A float, grey or BGRA array that is rendered into nonsense; a misspelt category that is ignored."""
    for photo in (persons["clara"].photo / 255, persons["clara"].photo[..., 0], np.zeros((9, 9, 4), np.uint8), "person.jpg"):
        with pytest.raises(ValueError, match="HxWx3 uint8 RGB"):
            tryon.person(photo)
    assert refusal(tryon.garment, goods["shirt-04"].photo, "tops") == "unknown_category"
    with pytest.raises(ValueError, match="at least one garment"):
        tryon.render(persons["clara"], [])


def test_bags_and_scarves_are_added_to_what_is_worn(tryon, persons, goods):
    """An accessory that takes clothes off, covers the hand that holds it, or is told to be another class; a scarf whose far side covers the neck."""
    person = persons["clara"]
    for garment, cls in ((goods["bag-14"], S.BAG), (goods["scarf"], S.ACCESSORY)):
        look = tryon.render(person, garment)
        worn = look.warped_mask > 0
        assert worn.sum() > 0.03 * person.body.unit ** 2 and (look.layout[worn] == cls).all()
        assert np.array_equal(look.layout[~worn], person.parse[~worn]), cls
    assert (look.layout == S.NECK).sum() > 0.3 * (person.parse == S.NECK).sum()


def test_hidden_state_does_not_leak_between_photos(tryon, photos):
    """An analysis that depends on what was analysed before it."""
    first = tryon.person(photos["edgar"])
    tryon.person(photos["lina"]), tryon.garment(photos["dress-11"])
    again = tryon.person(photos["edgar"])
    assert (first.parse == again.parse).all() and (first.pose == again.pose).all() and first.confidence == again.confidence


def test_package_face():
    """Names that the README uses and the package does not have."""
    assert package.TryOn is TryOn and package.PARSE_CLASSES == S.PARSE_CLASSES and package.RowError is RowError
    with pytest.raises(FileNotFoundError, match="weights"):
        TryOn.load("cpu", "/nowhere")


def cli(*args, cwd) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "tryon", *args], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, photos):
    """A folder with two photos, a text that calls itself a picture and a photo of nobody."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("clara", "shirt-04"):
        cv2.imwrite(str(folder / f"{name}.jpg"), cv2.cvtColor(photos[name], cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(folder / "wall.png"), np.full((300, 200, 3), 128, np.uint8))
    (folder / "page.jpg").write_text("<html>404</html>")
    return folder


def test_command_line_writes_the_look(tryon, desk):
    """``python -m tryon`` that renders something else than the Python face does."""
    done = cli("clara.jpg", "shirt-04.jpg", "out.png", "--category", "upper", cwd=desk)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out.png 384x512 score 0.") or done.stdout.startswith("out.png 384x512 score 1.")
    load = lambda name: images.decode((desk / name).read_bytes())
    assert (load("out.png") == tryon.render(load("clara.jpg"), load("shirt-04.jpg"), "upper").image).all()


@pytest.mark.parametrize("args, status, message", [
    (("none.jpg", "shirt-04.jpg", "out.png"), 2, "cannot read none.jpg: No such file"),
    (("clara.jpg", "page.jpg", "out.png"), 2, "page.jpg: this is a web page"),
    (("clara.jpg", "shirt-04.jpg", "out.txt"), 2, "out.txt: the name must end in one of .png, .webp"),
    (("clara.jpg", "shirt-04.jpg", "out.png", "--category", "hat"), 2, "invalid choice: 'hat'"),
    (("clara.jpg", "shirt-04.jpg", "nowhere/out.png"), 2, "nowhere"),
    (("wall.png", "shirt-04.jpg", "out2.png"), 1, "no_person: "),
])
def test_command_line_says_what_is_wrong(desk, args, status, message):
    """A traceback where one line would do, or a picture written all the same."""
    done = cli(*args, cwd=desk)
    assert done.returncode == status and message in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (desk / "out2.png").exists()


def test_a_top_is_tucked_in_as_worn_or_hangs_over(tryon, persons, goods, tmp_path):
    """render.tuck that changes ids and no pixels, that the job does not listen to, or a top that hangs over as little as one that is tucked in."""
    person, top = persons["clara"], goods["top-02"]
    waist = np.arange(len(person.parse))[:, None] > person.body.hips[1] - 0.2 * person.body.unit
    person = Person(person.photo, np.where(waist & (person.parse == S.UPPER), S.LOWER, person.parse).astype(np.uint8), person.pose, 1.0)
    below = waist & (person.parse == S.LOWER)
    worn, out = ((TryOn(tryon.networks, tuck=tuck).render(person, top).warped_mask[below] > 0).mean() for tuck in TUCKS)
    assert worn < 0.02 < 0.2 < out
    for name, item in (("person", person), ("top", top)):
        (tmp_path / name).write_bytes(item.to_bytes())
    for tuck in TUCKS:
        stage = Fit(Config(render=RenderConfig(tuck=tuck), output=OutputConfig(out=str(tmp_path))), Storage())
        stage.setup()
        fit, = pickle.loads(stage({"person": {"key": "person"}, "garments": [{"key": "top"}]})["fits"])
        assert fit.tucked == (tuck == "worn")
