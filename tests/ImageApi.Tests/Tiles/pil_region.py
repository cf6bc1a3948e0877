# A region of a stored level of a whole slide as RGB, by pydicom and Pillow: python3 pil_region.py FILE LEFT TOP WIDTH HEIGHT > raw
import io
import sys

import pydicom
from PIL import Image
from pydicom.encaps import generate_pixel_data_frame

path, left, top, width, height = sys.argv[1], *map(int, sys.argv[2:])
slide = pydicom.dcmread(path)
rows, columns = slide.Rows, slide.Columns
across = -(-slide.TotalPixelMatrixColumns // columns)
frames = list(generate_pixel_data_frame(slide.PixelData, int(slide.NumberOfFrames)))
region = Image.new("RGB", (width, height), "white")
groups = slide.get("PerFrameFunctionalGroupsSequence")
for index, frame in enumerate(frames):
    if groups and "PlanePositionSlideSequence" in groups[index]:
        place = groups[index].PlanePositionSlideSequence[0]
        x, y = place.ColumnPositionInTotalImagePixelMatrix - 1, place.RowPositionInTotalImagePixelMatrix - 1
    else:
        x, y = index % across * columns, index // across * rows
    if x < left + width and y < top + height and x + columns > left and y + rows > top:
        region.paste(Image.open(io.BytesIO(frame)).convert("RGB"), (x - left, y - top))
sys.stdout.buffer.write(region.tobytes())
