// libjpeg-turbo's side of `codecs`: baseline JPEG of 8 bits, grey or 4:2:0, quality 85, with the accurate transform and smooth upsampling.
#include <turbojpeg.h>

#include <cstdint>

// Both return the bytes written, or -1. Handles are kept, as any server would.
extern "C" long turbojpeg_encode(const uint8_t* pixels, int width, int height, int samples, int, int, uint8_t* out, long capacity) {
    static tjhandle handle = tjInitCompress();
    unsigned long length = (unsigned long)capacity;
    const int done = tjCompress2(handle, pixels, width, 0, height, samples == 1 ? TJPF_GRAY : TJPF_RGB, &out, &length,
                                 samples == 1 ? TJSAMP_GRAY : TJSAMP_420, 85, TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC);
    return done == 0 ? (long)length : -1;
}

extern "C" long turbojpeg_decode(const uint8_t* in, long length, int, uint8_t* pixels, long capacity) {
    static tjhandle handle = tjInitDecompress();
    int width, height, subsampling, colour;
    if (tjDecompressHeader3(handle, in, (unsigned long)length, &width, &height, &subsampling, &colour) != 0) return -1;
    const int samples = colour == TJCS_GRAY ? 1 : 3;
    if ((long)width * height * samples > capacity) return -1;
    const int done = tjDecompress2(handle, in, (unsigned long)length, pixels, width, 0, height, samples == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT);
    return done == 0 ? (long)width * height * samples : -1;
}
