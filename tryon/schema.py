"""Every name that crosses a file or a process boundary, written once.

Label sets and joint orders follow the field: parse classes are ours (index = id), poses are COCO-18 as OpenPose
writes them. Left and right are the person's own, as in COCO: a person facing the camera has the left arm on the
right side of the picture.
"""

# Parse map: uint8 HxW, the value is an index into this tuple.
PARSE_CLASSES = (
    "background", "hair", "face", "neck", "left_arm", "right_arm", "left_leg", "right_leg",
    "upper", "outer", "full", "lower", "legwear", "shoes", "headwear", "bag", "accessory",
)
(BACKGROUND, HAIR, FACE, NECK, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG,
 UPPER, OUTER, FULL, LOWER, LEGWEAR, SHOES, HEADWEAR, BAG, ACCESSORY) = range(len(PARSE_CLASSES))
# After a reflection the class on the left carries the name of the right.
PARSE_FLIP = (0, 1, 2, 3, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16)
ARMS = (LEFT_ARM, RIGHT_ARM)
SKIN = (FACE, NECK, *ARMS, LEFT_LEG, RIGHT_LEG)

# The ten classes on which parsers are compared (FORMATS: CCP), and ours -> merged.
MERGED_CLASSES = ("background", "skin", "hair", "upper", "outer", "full", "lower", "legwear", "shoes", "accessory")
PARSE_TO_MERGED = (0, 2, 1, 1, 1, 1, 1, 1, 3, 4, 5, 6, 7, 8, 9, 9, 9)

# Pose: float32 Px18x3 (x, y in pixels, confidence); a missing joint is 0, 0, 0.
JOINTS = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)
(NOSE, NECK_JOINT, R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST,
 R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, R_EYE, L_EYE, R_EAR, L_EAR) = range(len(JOINTS))
JOINT_FLIP = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)
# The 19 limbs whose part affinity fields (PAFs) OpenPose predicts, two channels each.
LIMBS = (
    (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 2), (2, 3), (3, 4), (2, 16),
    (1, 5), (5, 6), (6, 7), (5, 17), (1, 0), (0, 14), (0, 15), (14, 16), (15, 17),
)

# Garments.
CATEGORIES = ("upper", "lower", "full", "accessory")
SUBCATEGORIES = {
    "upper": ("top", "shirt", "sweater", "jacket"),
    "lower": ("trousers", "shorts", "skirt"),
    "full": ("dress", "jumpsuit"),
    "accessory": ("hat", "scarf", "bag"),
}
CATEGORY_OF = {kind: category for category, kinds in SUBCATEGORIES.items() for kind in kinds}
# Garment landmarks. Left and right are the wearer's, so a garment photographed from the front has its left cuff
# on the right side of the picture, as a person has the left hand.
LANDMARKS = (
    "collar_left", "collar_right", "collar_front", "shoulder_left", "shoulder_right", "armpit_left", "armpit_right",
    "cuff_outer_left", "cuff_inner_left", "cuff_outer_right", "cuff_inner_right",
    "waist_left", "waist_right", "crotch", "hem_left", "hem_right",
    "leg_inner_left", "leg_inner_right", "crown", "brim_left", "brim_right",
)

# Raised by hand when the same weights and configuration would give other pictures: every look is then rendered anew.
PIPELINE_VERSION = 28

# Results.
OK, REVIEW, FAILED = "ok", "review", "failed"
STATUSES = (OK, REVIEW, FAILED)

# Reasons of a failed row. Permanent ones are terminal until --retry-failed; transient ones stay pending.
PERMANENT_REASONS = {
    "bad_row": "the table row lacks an id or a URI",
    "duplicate_id": "an earlier row of the table has the same id",
    "unknown_category": "the category is none of " + ", ".join(CATEGORIES),
    "unknown_product": "the look names a product the catalogue does not have",
    "unknown_person": "the look names a person the people table does not have",
    "uri_denied": "the URI lies outside catalogue, people, looks and every --allow prefix",
    "not_found": "there is nothing at the URI",
    "decode_error": "the bytes are not a picture this program can read",
    "too_large": "the picture is larger than the limits of [images]",
    "no_person": "no person was found in the photo",
    "no_garment": "no garment was found in the photo",
    "unsupported_category": "this kind of garment could not be rendered when this look was tried",  # before pipeline version 9
    "no_place": "the part of the body the garment belongs on is not in the photo",
    "worker_crashed": "the process that worked on this row died",
    "stage_error": "a stage raised; the traceback is in failures/",
}
TRANSIENT_REASONS = {
    "source_changed": "the source changed while the run was under way",
    "storage_error": "the object store did not answer after all retries",
}
REASONS = PERMANENT_REASONS | TRANSIENT_REASONS

# Reasons of a row in review: rendered, but somebody should look.
REVIEW_REASONS = {
    "low_score": "the quality score is below [render] review_below",
    "pose_uncertain": "a joint the garment hangs on was not seen with confidence",
    "mask_uncertain": "the outline of the garment is uncertain",
    "parse_uncertain": "what the person wears is uncertain",
    "hidden": "less than half of the garment is seen",
    "in_pieces": "the garment is seen in pieces",
    "distorted": "the garment is folded over or drawn out of shape",
    "turned": "the person is seen from the side",
    "no_feet": "legs come out that end without feet, as the old garment hid the shoes",
    "repainted": "much beside the garment had to be painted, as of a long coat that was taken off",
}


class RowError(Exception):
    """One row cannot go on. ``reason`` is a key of ``REASONS``; ``detail`` says what was found, for a person."""

    def __init__(self, reason: str, detail: str = ""):
        assert reason in REASONS, f"unknown reason {reason!r}: add it to tryon/schema.py"
        super().__init__(f"{reason}: {detail or REASONS[reason]}")
        self.reason, self.detail = reason, detail or REASONS[reason]

    def __reduce__(self):
        return RowError, (self.reason, self.detail)
