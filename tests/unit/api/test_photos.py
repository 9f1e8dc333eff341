"""Photos from strangers: what is taken, what is refused, and that nothing of the file but its pixels is kept."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from api.photos import LONGEST_SIDE, MOST_BYTES, safe_photo, sniff
from plant.errors import BadInput

_ORIENTATION, _GPS = 0x0112, 0x8825
RED, BLUE = (200, 20, 20), (20, 20, 200)


def _two_halves(width: int, height: int) -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def _file(image: Image.Image, kind: str, **how: object) -> bytes:
    written = BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def _open(body: bytes) -> Image.Image:
    image = Image.open(BytesIO(body))
    image.load()
    return image


def _near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 20 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_each_usual_format_becomes_a_jpeg(kind: str) -> None:
    made = _open(safe_photo(_file(_two_halves(80, 40), kind)))
    assert (made.format, made.size, made.mode) == ("JPEG", (80, 40), "RGB")
    assert _near(made.getpixel((10, 20)), RED)
    assert _near(made.getpixel((70, 20)), BLUE)


def test_a_large_photo_is_made_smaller_and_a_small_one_is_not_enlarged() -> None:
    assert _open(safe_photo(_file(_two_halves(4000, 3000), "JPEG"))).size == (LONGEST_SIDE, 1200)
    assert _open(safe_photo(_file(_two_halves(3000, 4000), "PNG"))).size == (1200, LONGEST_SIDE)
    assert _open(safe_photo(_file(_two_halves(30, 20), "PNG"))).size == (30, 20)


def test_a_photo_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # turn it a quarter clockwise to see it as it was
    made = _open(safe_photo(_file(_two_halves(80, 40), "JPEG", exif=exif)))
    assert made.size == (40, 80)
    assert _near(made.getpixel((20, 10)), RED)
    assert _near(made.getpixel((20, 70)), BLUE)


def test_place_camera_comment_and_profile_are_gone() -> None:
    exif = Image.Exif()
    exif[0x0110] = "SECRET-CAMERA"
    exif.get_ifd(_GPS).update({1: "N", 2: (IFDRational(39), IFDRational(54), IFDRational(0))})
    body = _file(
        _two_halves(80, 40), "JPEG", exif=exif, comment=b"SECRET-COMMENT", icc_profile=b"SECRET-PROFILE", dpi=(301, 301)
    )
    assert b"SECRET-CAMERA" in body
    made = safe_photo(body)
    assert b"SECRET" not in made
    assert b"Exif" not in made
    image = _open(made)
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_texts_in_a_png_and_what_hangs_after_the_file_are_gone() -> None:
    body = _file(_two_halves(80, 40), "PNG") + b"<script>SECRET</script>"
    assert b"SECRET" not in safe_photo(body)


def test_glass_becomes_white() -> None:
    made = _open(safe_photo(_file(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG")))
    assert _near(made.getpixel((10, 10)), (255, 255, 255))


def test_what_moves_is_refused() -> None:
    frames = [_two_halves(20, 20), Image.new("RGB", (20, 20), BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        body = _file(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        with pytest.raises(BadInput, match="moves"):
            safe_photo(body)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    with pytest.raises(BadInput, match=r"made wrong|pixels"):
        safe_photo(bomb)


def test_a_little_over_forty_megapixels_is_refused() -> None:
    with pytest.raises(BadInput, match="8000 × 5001 pixels"):
        safe_photo(_file(Image.new("L", (8000, 5001)), "PNG"))


def test_too_many_bytes_are_refused_unseen() -> None:
    with pytest.raises(BadInput, match=str(MOST_BYTES)):
        safe_photo(b"\xff\xd8\xff" + b"\0" * MOST_BYTES)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"\0\0\0\x18ftypheic",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"<!doctype html><script>alert(1)</script>",
    ],
    ids=["empty", "svg", "pdf", "heic", "wave", "html"],
)
def test_what_is_no_photo_is_refused(body: bytes) -> None:
    assert sniff(body) is None
    with pytest.raises(BadInput, match="no photo"):
        safe_photo(body)


def test_a_format_we_take_is_not_opened_as_another() -> None:
    bitmap = _file(_two_halves(20, 20), "BMP")
    with pytest.raises(BadInput, match="broken"):
        safe_photo(b"\x89PNG\r\n\x1a\n" + bitmap)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_half_a_file_is_refused_or_drawn_and_nothing_else(kind: str) -> None:
    body = _file(_two_halves(200, 100), kind)
    with pytest.raises(BadInput, match="broken"):
        safe_photo(body[: len(body) // 2])


_WHOLE = [_file(_two_halves(60, 40), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")]


@settings(max_examples=300, deadline=None)
@given(body=st.sampled_from(_WHOLE), at=st.integers(0, 2_000), bytes=st.binary(min_size=1, max_size=12))
@example(body=_WHOLE[0], at=0, bytes=b"\xff\xd8\xff")
def test_a_mangled_file_is_a_photo_or_a_bad_one_never_an_error_of_ours(body: bytes, at: int, bytes: bytes) -> None:
    at %= len(body)
    mangled = body[:at] + bytes + body[at + len(bytes) :]
    try:
        made = safe_photo(mangled)
    except BadInput:
        return
    assert _open(made).format == "JPEG"
