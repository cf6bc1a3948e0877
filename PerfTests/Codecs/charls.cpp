// CharLS's side of `codecs`: lossless JPEG-LS of grey frames with up to 16 bits.
#include <charls/charls.h>

#include <cstdint>
#include <vector>

// Both return the bytes written, or -1.
extern "C" long charls_encode(const uint16_t* pixels, int width, int height, int, int bits, int, uint8_t* out, long capacity) {
    try {
        charls::jpegls_encoder encoder;
        encoder.frame_info({(uint32_t)width, (uint32_t)height, bits, 1});
        encoder.destination(out, (size_t)capacity);
        std::vector<uint16_t> samples(pixels, pixels + (size_t)width * height);
        for (uint16_t& sample : samples) sample &= (uint16_t)((1u << bits) - 1);   // signed samples go as their bits
        return (long)encoder.encode(samples.data(), samples.size() * 2);
    } catch (...) {
        return -1;
    }
}

extern "C" long charls_decode(const uint8_t* in, long length, int, uint8_t* pixels, long capacity) {
    try {
        charls::jpegls_decoder decoder(in, (size_t)length, true);
        const size_t size = decoder.destination_size();
        if ((long)size > capacity) return -1;
        decoder.decode(pixels, size);
        return (long)size;
    } catch (...) {
        return -1;
    }
}
