"""A photo from a stranger's phone made safe to keep: decoded, turned upright, emptied of all it says, redrawn."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageOps

from plant.errors import BadInput

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1_600
_QUALITY = 80

_MAGIC = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("GIF", b"GIF87a"),
    ("GIF", b"GIF89a"),
    ("WEBP", b"RIFF"),
)
# What Pillow raises on broken files. Its own limits lie above ours; struct.error comes of mangled EXIF.
_BROKEN = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
)
_WEBP_AT, _WEBP = 8, b"WEBP"


def safe_photo(body: bytes) -> bytes:
    """The photo as a JPEG of at most 1,600 px a side, upright, without any metadata: no place, no camera, no thumbnail.

    What it is, its first bytes tell, never its name. Raises BadInput for more than 8 MB, more than 40 megapixels,
    anything that moves, and whatever is no JPEG, PNG, WebP or GIF, or is broken.
    """
    if len(body) > MOST_BYTES:
        raise BadInput(f"the photo has {len(body)} bytes, expected at most {MOST_BYTES}; send a smaller one")
    kind = sniff(body)
    if kind is None:
        raise BadInput("this is no photo; expected a JPEG, PNG, WebP or GIF (an iPhone's HEIC must be sent as JPEG)")
    with _decoding(), Image.open(BytesIO(body), formats=[kind]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise BadInput(f"the photo has {image.width} × {image.height} pixels, expected at most {MOST_PIXELS}")
        if getattr(image, "n_frames", 1) > 1:
            raise BadInput("the picture moves; expected a still photo")
        if kind == "JPEG":
            image.draft("RGB", (LONGEST_SIDE * 2, LONGEST_SIDE * 2))  # decodes a large one at a fraction of the cost
        return _redrawn(image)


def sniff(body: bytes) -> str | None:
    """The format that the first bytes claim, as Pillow calls it; None for what we do not take."""
    for kind, magic in _MAGIC:
        if body.startswith(magic):
            return kind if kind != "WEBP" or body[_WEBP_AT:].startswith(_WEBP) else None
    return None


@contextmanager
def _decoding() -> Iterator[None]:
    """A file made to be mischievous is a bad photo, not an error of ours."""
    try:
        yield
    except BadInput:
        raise
    except _BROKEN as error:
        raise BadInput(f"the photo is broken or made wrong ({type(error).__name__}); take it again") from error


def _redrawn(image: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        glass = upright.convert("RGBA")
        plain = Image.new("RGB", glass.size, "white")
        plain.paste(glass, mask=glass.getchannel("A"))
    else:
        plain = upright.convert("RGB")
    # A new picture of the same pixels: whatever else the file carried stays behind.
    clean = Image.frombytes("RGB", plain.size, plain.tobytes())
    written = BytesIO()
    clean.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return written.getvalue()
