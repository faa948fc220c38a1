"""Read an output folder again and say whether it is whole.

    python jobs/verify.py ./out
    python jobs/verify.py s3://shop/tryon --storage.endpoint_url http://127.0.0.1:8333

Prints one line per problem and a summary. Exit status 0 when whole (failed rows are part of a whole), else 1.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tryon import ledger  # noqa: E402
from tryon.config import parse_args  # noqa: E402
from tryon.leave import leave
from tryon.storage import Storage, StorageError  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    config = parse_args(argv, {"out": "output.out"}, __doc__)
    try:
        problems = ledger.verify(Storage(config.storage), config.output.out)
    except StorageError as e:
        problems = [str(e)]
    print("\n".join([*problems, f"{config.output.out}: {len(problems)} problems" if problems else f"{config.output.out}: whole"]))
    return 1 if problems else 0


if __name__ == "__main__":
    leave(main())
