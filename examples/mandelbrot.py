"""The Mandelbrot set as a picture: a kernel over a band of rows, and threads that share the bands.

A point c belongs to the set if z -> z*z + c, begun at 0, stays bounded. The kernel writes, for each
pixel, how long that was in doubt. Without the GIL, all bands are computed at once, on as many
threads as there are. The picture is a PNG, written in a few lines of zlib.

    python examples/mandelbrot.py mandelbrot.png       (default: in the folder for temporary files)
"""

import struct
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import lazyjit

SOURCE = """
define void @band(ptr %image, i64 %height, i64 %width, double %left, double %top, double %step) {
entry:
  %pixels = mul i64 %height, %width
  br label %pixel
pixel:
  %at = phi i64 [ 0, %entry ], [ %next, %store ]
  %row = udiv i64 %at, %width
  %column = urem i64 %at, %width
  %rows = uitofp i64 %row to double
  %columns = uitofp i64 %column to double
  %right = fmul double %columns, %step
  %down = fmul double %rows, %step
  %cx = fadd double %left, %right
  %cy = fsub double %top, %down
  br label %iterate
iterate:
  %n = phi i32 [ 0, %pixel ], [ %n1, %iterate ]
  %x = phi double [ 0.0, %pixel ], [ %x1, %iterate ]
  %y = phi double [ 0.0, %pixel ], [ %y1, %iterate ]
  %xx = fmul double %x, %x
  %yy = fmul double %y, %y
  %xy = fmul double %x, %y
  %difference = fsub double %xx, %yy
  %x1 = fadd double %difference, %cx
  %twice = fadd double %xy, %xy
  %y1 = fadd double %twice, %cy
  %size = fadd double %xx, %yy
  %bounded = fcmp ole double %size, 4.0
  %n1 = add i32 %n, 1
  %patient = icmp ult i32 %n, 255
  %again = and i1 %bounded, %patient
  br i1 %again, label %iterate, label %store
store:
  %place = getelementptr i8, ptr %image, i64 %at
  %shade = trunc i32 %n to i8
  store i8 %shade, ptr %place
  %next = add i64 %at, 1
  %more = icmp ult i64 %next, %pixels
  br i1 %more, label %pixel, label %done
done:
  ret void
}
"""
HEIGHT, WIDTH, BAND = 480, 640, 32


def png(image):
    """A grey picture as the bytes of a PNG: a header, rows that begin with a 0, an end."""

    def chunk(kind, data):
        return (
            struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 0, 0, 0, 0)
    rows = zlib.compress(np.pad(image, ((0, 0), (1, 0))).tobytes())
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="mandelbrot.ll")
    band = jit.callable(
        "band", "void(uint8[:, :] shape image, double left, double top, double step)", nogil=True
    )
    image, step = np.zeros((HEIGHT, WIDTH), np.uint8), 3.0 / WIDTH

    def draw(start):
        """A band of the picture, from this row on."""
        band(image[start : start + BAND], -2.25, (HEIGHT / 2 - start) * step, step)

    with ThreadPoolExecutor() as threads:
        list(threads.map(draw, range(0, HEIGHT, BAND)))

file = Path(sys.argv[1] if len(sys.argv) > 1 else Path(tempfile.gettempdir(), "mandelbrot.png"))
file.write_bytes(png(image))
print("in the set:", np.count_nonzero(image == 255), "of", image.size, "pixels")
print("the picture:", file)
