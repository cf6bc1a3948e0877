// DCMTK's side of `codecs`: lossless JPEG (process 14, selection value 1) of grey frames with 9 to 16 bits, by the classes behind dcmdjpeg.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djeijg12.h>
#include <dcmtk/dcmjpeg/djeijg16.h>

#include <cstdint>
#include <cstring>
#include <vector>

static const DJCodecParameter parameters(ECC_lossyYCbCr, EDC_photometricInterpretation, EUC_default, EPC_default);

template <class Encoder>
static long encode(std::vector<uint16_t>& samples, int width, int height, uint8_t* out, long capacity) {
    Encoder encoder(parameters, EJM_lossless, 1, 0);
    Uint8* stream = nullptr;
    Uint32 length = 0;
    if (encoder.encode((Uint16)width, (Uint16)height, EPI_Monochrome2, 1, samples.data(), stream, length).bad() || length > capacity) length = 0;
    else std::memcpy(out, stream, length);
    delete[] stream;
    return length > 0 ? (long)length : -1;
}

// Both return the bytes written, or -1.
extern "C" long dcmtk_encode(const uint16_t* pixels, int width, int height, int, int bits, int, uint8_t* out, long capacity) {
    std::vector<uint16_t> samples(pixels, pixels + (size_t)width * height);
    for (uint16_t& sample : samples) sample &= (uint16_t)((1u << bits) - 1);   // signed samples go as their bits
    return bits <= 12 ? encode<DJCompressIJG12Bit>(samples, width, height, out, capacity) : encode<DJCompressIJG16Bit>(samples, width, height, out, capacity);
}

template <class Decoder>
static long decode(const uint8_t* in, long length, uint8_t* pixels, long size) {
    Decoder decoder(parameters, OFFalse);
    if (decoder.init().bad() || decoder.decode((Uint8*)in, (Uint32)length, pixels, (Uint32)size, OFFalse).bad()) return -1;
    return size;
}

extern "C" long dcmtk_decode(const uint8_t* in, long length, int, uint8_t* pixels, long capacity) {
    for (long i = 2; i + 9 < length; i += 2 + (in[i + 2] << 8 | in[i + 3])) {
        if (in[i] != 0xFF) return -1;
        if (in[i + 1] != 0xC3) continue;
        const long size = 2L * (in[i + 5] << 8 | in[i + 6]) * (in[i + 7] << 8 | in[i + 8]);
        if (size > capacity) return -1;
        return in[i + 4] <= 12 ? decode<DJDecompressIJG12Bit>(in, length, pixels, size) : decode<DJDecompressIJG16Bit>(in, length, pixels, size);
    }
    return -1;
}
