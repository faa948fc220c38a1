"""One look from the command line, without Ray.

    python -m tryon person.jpg garment.jpg out.png [--category upper|lower|full|accessory]
"""
import argparse
import sys
from pathlib import Path

from tryon import images
from tryon.config import ImageConfig
from tryon.schema import CATEGORIES, RowError

FORMATS = {".png": "png", ".webp": "webp", ".jpg": "jpeg", ".jpeg": "jpeg", ".avif": "avif"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tryon", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("person", help="photo of a person")
    parser.add_argument("garment", nargs="+", help="product photos in dressing order")
    parser.add_argument("out", help="picture to write: .png, .webp, .jpg or .avif")
    parser.add_argument("--category", choices=CATEGORIES, help="of the garments; default: inferred from each photo")
    args = parser.parse_args()
    format = FORMATS.get(Path(args.out).suffix.lower())
    if format is None:
        parser.error(f"{args.out}: the name must end in one of {', '.join(FORMATS)}")
    if not Path(args.out).parent.is_dir():
        parser.error(f"{args.out}: there is no folder {Path(args.out).parent}")
    try:
        photos = []
        for path in (args.person, *args.garment):
            try:
                photos.append(images.decode(Path(path).read_bytes(), ImageConfig()))
            except OSError as e:
                parser.error(f"cannot read {path}: {e.strerror}")
            except RowError as e:
                parser.error(f"{path}: {e.detail}")
        from tryon.api import TryOn
        look = TryOn.load().render(photos[0], photos[1:], args.category)
    except RowError as e:
        print(f"{e.reason}: {e.detail}", file=sys.stderr)
        return 1
    Path(args.out).write_bytes(images.encode(look.image, format))
    print(f"{args.out} {look.image.shape[1]}x{look.image.shape[0]} score {look.score:.2f} {' '.join(look.reasons)}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
